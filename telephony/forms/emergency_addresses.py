from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.names import NameProblem
from members.places import country_choices
from skypemgr.forms import ReasonField
from telephony.emergency import check_address_name, check_place_part
from telephony.validation import FIELDS, Civic, Level, Result, tell_message


class AddressNameField(forms.CharField):
    """A name of an address or a place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)

    def clean(self, value: Any) -> str:
        try:
            return check_address_name(super().clean(value))
        except NameProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None


class PlacePartField(forms.CharField):
    """A building, a floor or a room; whatever people write."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, required=False, **options)

    def clean(self, value: Any) -> str:
        try:
            return check_place_part(super().clean(value))
        except NameProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None


def _text(label: Any, **options: Any) -> forms.CharField:
    # What is missing, too long or odd is said by the validator, all of it at once.
    return forms.CharField(label=label, required=False, strip=False, **options)


class AddressForm(forms.Form):
    """An emergency address as it is typed. ``token`` holds what it was validated as, ``version`` what was shown."""

    name = AddressNameField(label=_("Name"), help_text=_("For you, to find it again. Not part of the address."))
    country = forms.ChoiceField(label=_("Country"))
    company_name = _text(_("Company name"), help_text=_("If people there know another name than yours."))
    house_number = _text(_("Number"))
    street = _text(_("Street"))
    postal_code = _text(_("Postal code"))
    city = _text(_("City"))
    region = _text(_("State or region"))
    latitude = _text(_("Latitude"))
    longitude = _text(_("Longitude"))
    reason = ReasonField(label=_("Why it is right all the same"))
    token = forms.CharField(widget=forms.HiddenInput, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def __init__(self, *args: Any, country: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)
        choices = country_choices(get_language() or "en")
        # Whoever changes an address stays in its country.
        field.choices = [entry for entry in choices if not country or entry[0] == country]
        for name in ("house_number", "street", "postal_code", "city", "region"):
            self.fields[name].needed = True  # type: ignore[attr-defined]

    @property
    def civic(self) -> Civic:
        return Civic.of({name: self.cleaned_data[name] for name in FIELDS})

    def tell(self, result: Result) -> None:
        """Put what the validator refuses beside its field."""
        for message in result.messages:
            if message.level == Level.ERROR:
                self.add_error(message.field, ValidationError(tell_message(message)))


def initial_of(name: str, civic: Civic, more: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows of an address."""
    return {"name": name, **civic.as_dict(), **more}


class PlaceForm(forms.Form):
    """Where exactly at an address."""

    name = AddressNameField(
        label=_("Name of the place"), help_text=_("What people on site call it, as “3rd floor, room 12”.")
    )
    building = PlacePartField(label=_("Building"))
    floor = PlacePartField(label=_("Floor"))
    room = PlacePartField(label=_("Room"))


class AddressFileForm(forms.Form):
    """A CSV file of emergency addresses."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Columns: name, country, house_number, street, city, region, postal_code. At most 1,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )


class DisclaimerForm(forms.Form):
    """The next version of a country's disclaimer."""

    text_en = forms.CharField(label=_("In English"), max_length=4000, widget=forms.Textarea(attrs={"rows": 7}))
    text_fr = forms.CharField(label=_("In French"), max_length=4000, widget=forms.Textarea(attrs={"rows": 7}))
    text_sv = forms.CharField(label=_("In Swedish"), max_length=4000, widget=forms.Textarea(attrs={"rows": 7}))
    version = forms.IntegerField(widget=forms.HiddenInput)


class CountryRuleForm(forms.Form):
    """What a country asks of numbers and emergency addresses."""

    address_first = forms.BooleanField(label=_("A number is acquired with an emergency address"), required=False)
    area_match = forms.ChoiceField(label=_("An address outside the area of its number is"))
    place_needed = forms.BooleanField(
        label=_("Whoever gets a number is at a place of the address: building, floor or room"), required=False
    )
    emergency_numbers = forms.CharField(label=_("Emergency numbers"), max_length=60, required=False)

    def __init__(self, *args: Any, matches: Iterable[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["area_match"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(matches)
