"""Rate decks, as those who run the installation load and ask them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Organization
from telephony.phone_numbers import NotANumber, read_phone_number
from telephony.rating import MOST_DECIMALS

MOST_BYTES = 20 * 1024 * 1024


class RateFileForm(forms.Form):
    """A CSV file of rates, for everybody or for one organization."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "Columns: prefix, destination, per_minute, currency, valid_from; if wanted also connection_fee,"
            " first_increment, next_increment, grace_seconds, minimum_charge."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    organization = forms.CharField(
        label=_("Only for the organization"),
        required=False,
        max_length=100,
        help_text=_("Its address, as acme. Its own rates stand over those of the installation. Left empty: for all."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    decimals = forms.TypedChoiceField(
        label=_("Round up what a call costs to"),
        coerce=int,
        choices=[(number, str(number)) for number in range(MOST_DECIMALS, -1, -1)],
        initial=MOST_DECIMALS,
        help_text=_("So many decimals."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(gettext("The file has more than 20 MB. Divide it by currency."))
        return file

    def clean_organization(self) -> Organization | None:
        slug = self.cleaned_data["organization"].strip().strip("/").lower()
        if not slug:
            return None
        organization = Organization.objects.filter(slug=slug, closed_at=None).first()
        if organization is None:
            raise ValidationError(gettext("There is no organization with this address."))
        return organization


class AskForm(forms.Form):
    """Which number, and how long a call to it lasts."""

    number = forms.CharField(
        label=_("Number called"), max_length=40, help_text=_("With its country, as +44 20 7946 0018.")
    )
    seconds = forms.IntegerField(label=_("Seconds"), min_value=1, max_value=86_400, initial=60)
    day = forms.DateField(
        label=_("Answered on"),
        required=False,
        help_text=_("At 00:00 UTC. Left empty: now."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def clean_number(self) -> str:
        """The digits of the number, without +."""
        try:
            return read_phone_number(self.cleaned_data["number"]).removeprefix("+")
        except NotANumber as problem:
            raise ValidationError(str(problem), code=problem.code) from None
