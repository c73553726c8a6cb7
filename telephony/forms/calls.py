from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfoNotFoundError

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member, Organization
from skypemgr.characters import storable
from telephony.call_files import FORMATS, clock_of
from telephony.models.calls import LONGEST_SOURCE

# More of a feed comes in several files, or by the command.
MOST_BYTES = 20 * 1024 * 1024
FORMAT_NAMES = {
    "asterisk": "Asterisk, cdr_csv",
    "asterisk-custom": "Asterisk, cdr_custom",
    "freeswitch-csv": "FreeSWITCH, CSV",
    "freeswitch-json": "FreeSWITCH, JSON",
    "kamailio": "Kamailio, acc",
    "twilio": "Twilio, CSV",
    "teams": "Microsoft Teams, CSV",
    "skypemgr": "Skype Manager, CSV",
}


class GiveCallsForm(forms.Form):
    """To whom the calls of an account go."""

    person = forms.CharField(
        label=_("Person"),
        max_length=254,
        help_text=_("A Skype Name or an e-mail address."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    remember = forms.BooleanField(label=_("Later calls of this account are theirs, too"), required=False, initial=True)

    def __init__(self, *args: Any, organization: Organization, by_caller: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        if by_caller:
            # Who is known by a number is whoever has it.
            del self.fields["remember"]

    def clean_person(self) -> Member:
        name = storable(self.cleaned_data["person"].strip())
        members = Member.objects.of(self.organization).with_people()
        for match in (members.named(name), members.addressed(name)):
            if found := match.present().first():
                return found
        raise ValidationError(gettext("There is no member with this Skype Name or address."))


class RerateForm(forms.Form):
    """The days whose calls are rated again, those of the organization, and behind which of them it goes on."""

    first = forms.DateField(label=_("From"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    behind = forms.RegexField(
        regex=r"^[0-9T:.+-]+Z/[0-9]{1,18}$", max_length=60, required=False, widget=forms.HiddenInput
    )

    def clean_behind(self) -> tuple[datetime, int] | None:
        moment, _slash, key = self.cleaned_data["behind"].partition("/")
        try:
            return (datetime.fromisoformat(moment), int(key)) if key else None
        except ValueError:
            return None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", ValidationError(gettext("The last day lies before the first one.")))
        return data


class CallFileForm(forms.Form):
    """A file of calls, who wrote it, and how its moments are to be read."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    file = forms.FileField(label=_("File"), help_text=_("20 MB at most."))
    format = forms.ChoiceField(label=_("Written by"), choices=[(key, FORMAT_NAMES[key]) for key in FORMATS])
    source = forms.CharField(
        label=_("Name of the switch or carrier"),
        max_length=LONGEST_SOURCE,
        required=False,
        help_text=_("Calls are known again by their ids from the same one. Left empty: that of the format."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        initial="UTC",
        max_length=60,
        help_text=_("Of moments that name none, as Europe/Paris."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(gettext("The file has more than 20 MB. Divide it, or use the command import_calls."))
        return file

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"].strip()
        if not source.isprintable():
            raise ValidationError(gettext("Use letters, digits and spaces."))
        return source

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"].strip()
        try:
            clock_of(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValidationError(gettext("There is no such time zone.")) from None
        return name
