"""Orders to bring numbers along from another carrier, as a company fills them in, and as operators answer them."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.names import NameProblem
from members.places import country_choices, country_name
from skypemgr.csv_files import UnreadableFile
from skypemgr.forms import ReasonField
from telephony.models import EmergencyAddress, NumberArea, PortOrder
from telephony.phone_numbers import NotANumber, read_phone_number
from telephony.port_errors import NoNumbers, NumbersWrong, TooManyNumbers
from telephony.port_file import numbers_of_file, read_numbers
from telephony.porting import WORDS, Letter, PortRequest, check_line

# So many sentences about wrong numbers stand beside the field.
MOST_TOLD = 20


class _LineField(forms.CharField):
    """One line of at most ``longest`` characters, none of which does harm or can't be seen."""

    def __init__(self, *, longest: int = 100, **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.longest = longest
        self.widget.attrs["maxlength"] = longest

    def clean(self, value: Any) -> str:
        try:
            return check_line(super().clean(value), self.longest, required=self.required)
        except NameProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None


def _day(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), **options)


class PortForm(forms.Form):
    """What is ordered. ``key`` names this form: sent again it orders nothing twice."""

    name = _LineField(label=_("Name of the order"), help_text=_("For you, to find it again."))
    country = forms.ChoiceField(label=_("Country"))
    type = forms.ChoiceField(label=_("Type"), choices=NumberArea.Type.choices)
    city = _LineField(label=_("City of the numbers"), required=False)
    numbers = forms.CharField(
        label=_("Numbers"),
        required=False,
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
        help_text=_("One on each line, at most 999."),
    )
    file = forms.FileField(
        label=_("Or a CSV file of them"),
        required=False,
        help_text=_("With one column, PhoneNumber."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    carrier = _LineField(label=_("Present carrier"))
    account_number = _LineField(
        label=_("Account number with the carrier"), longest=50, help_text=_("As it stands on the carrier’s bills.")
    )
    billing_number = forms.CharField(
        label=_("Billing number"),
        required=False,
        max_length=40,
        help_text=_("The main number of the account, where the carrier asks for one."),
    )
    authorized_by = _LineField(label=_("Signed by"), help_text=_("Who signed the letter of authorization."))
    letter = forms.FileField(
        label=_("Letter of authorization"),
        required=False,
        help_text=_("Signed, as PDF, PNG or JPEG, 5 MB at most."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
    )
    emergency_address = forms.TypedChoiceField(
        label=_("Emergency address"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Where the numbers will be used. Most countries ask for it; the US and Canada do not."),
    )
    wanted_on = _day(_("Wanted on"), required=False, help_text=_("The carrier agrees to a day, which may be another."))
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, addresses: Iterable[EmergencyAddress], has_letter: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **{**kwargs, "initial": {"key": uuid4(), **kwargs.get("initial", {})}})
        self._addresses = {address.pk: address for address in addresses}
        country, address = self.fields["country"], self.fields["emergency_address"]
        assert isinstance(country, forms.ChoiceField)
        assert isinstance(address, forms.ChoiceField)
        country.choices = country_choices(get_language() or "en")
        for name in ("numbers", "file"):
            self.fields[name].one_of_several = True  # type: ignore[attr-defined]
        # Of an order that is corrected, the letter of before counts.
        self.fields["letter"].needed = not has_letter  # type: ignore[attr-defined]
        named = [(str(one.pk), f"{one.name} · {country_name(one.country)}") for one in self._addresses.values()]
        address.choices = [("", _("None")), *named]

    def clean_billing_number(self) -> str:
        written: str = self.cleaned_data["billing_number"].strip()
        try:
            return read_phone_number(written, country=self.cleaned_data.get("country", "")) if written else ""
        except NotANumber as problem:
            raise ValidationError(str(problem), code=problem.code) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        written = data.get("numbers", "").splitlines()
        field = "numbers"
        if data.get("file"):
            try:
                written, field = numbers_of_file(data["file"].file), "file"
            except UnreadableFile as problem:
                self.add_error("file", str(problem))
                return data
        if "country" in data and "type" in data:
            try:
                data["read"] = read_numbers(written, country=data["country"], kind=data["type"])
            except NumbersWrong as refusal:
                self.add_error(field, [ValidationError(text) for text in refusal.problems[:MOST_TOLD]])
                if (more := len(refusal.problems) - MOST_TOLD) > 0:
                    self.add_error(field, _("And {number} more.").format(number=more))
            except (NoNumbers, TooManyNumbers) as refusal:
                self.add_error(field, str(refusal))
        return data

    @property
    def request(self) -> PortRequest:
        """What a valid form asks for."""
        data = self.cleaned_data
        upload = data["letter"]
        return PortRequest(
            **{name: data[name] for name in (*WORDS, "wanted_on")},
            numbers=data["read"],
            emergency_address=self._addresses.get(data["emergency_address"]),
            letter=Letter(name=upload.name, content=upload.read()) if upload else None,
        )


def initial_of(order: PortOrder) -> dict[str, Any]:
    """What the form shows of an order that is to be corrected."""
    return {
        **{name: getattr(order, name) for name in WORDS},
        "emergency_address": order.emergency_address_id,
        "numbers": "\n".join(order.numbers.order_by("number").values_list("number", flat=True)),
    }


class CancelForm(forms.Form):
    reason = ReasonField(label=_("Reason"))


class TransferDayForm(forms.Form):
    """The day that the carrier has agreed to, or another one that is wanted."""

    transfer_on = _day(_("Day of the transfer"))


class RejectForm(forms.Form):
    """Why the carrier refuses."""

    reason = ReasonField(label=_("What the carrier says"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].needed = True  # type: ignore[attr-defined]

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if not reason:
            raise ValidationError(_("Say why."))
        return reason
