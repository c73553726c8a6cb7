from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from credit.forms.fields import AmountField
from credit.vat import EU, country_of_vat_id, read_vat_id
from members.addresses import normalize_address
from members.places import country_choices
from skypemgr.forms import ReasonField
from skypemgr.problems import Problem


class MoneyForm(forms.Form):
    """A form with one amount. ``key`` names it, so that sending it again does nothing again."""

    amount = AmountField(label=_("Amount"))
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {"key": uuid4(), **kwargs.get("initial", {})}})
        field = self.fields["amount"]
        assert isinstance(field, AmountField)
        field.set_currency(currency)

    def clean_key(self) -> Any:
        return self.cleaned_data["key"] or uuid4()


class BuyForm(MoneyForm):
    """How much credit is wanted."""

    amount = AmountField(label=_("Credit to buy"), help_text=_("VAT comes on top where it is due."))
    save_card = forms.BooleanField(
        label=_("Save the card"),
        required=False,
        help_text=_("Auto-recharge of the wallet may charge it later, if you set that up. You can remove it any time."),
    )


class ReceivedForm(MoneyForm):
    """What came in for an order."""

    amount = AmountField(label=_("Amount received"), help_text=_("As it stands on the bank statement."))


class RefundForm(MoneyForm):
    """How much of a payment goes back, and why."""

    amount = AmountField(label=_("Amount to refund"), help_text=_("With VAT, as it was paid."))
    reason = ReasonField(label=_("Reason"))


class AddressForm(forms.Form):
    """A company and where it is, as it stands on invoices."""

    name = forms.CharField(label=_("Company name"), max_length=200)
    street = forms.CharField(label=_("Street and number"), max_length=200)
    extra = forms.CharField(label=_("Address, continued"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100)
    region = forms.CharField(label=_("State or region"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"))
    vat_id = forms.CharField(label=_("VAT id"), max_length=30, required=False)
    email = forms.CharField(label=_("E-mail address for invoices"), max_length=254)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)
        country.choices = country_choices(get_language() or "en")
        for name, token in AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = token

    def clean_email(self) -> str:
        text = self.cleaned_data["email"]
        try:
            return normalize_address(text) if text else ""
        except Problem as problem:
            raise ValidationError(str(problem), code=problem.code) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        vat_id, country = data.get("vat_id"), data.get("country")
        if vat_id and country in EU:
            try:
                data["vat_id"] = read_vat_id(vat_id)
            except ValueError:
                self.add_error(
                    "vat_id", _("This is no VAT id of the EU. It begins with the country, as FR40303265045.")
                )
            else:
                if country_of_vat_id(data["vat_id"]) != country:
                    self.add_error("vat_id", _("This VAT id belongs to another country than the address."))
        elif vat_id and len(vat_id) > 20:
            self.add_error("vat_id", _("A VAT id has at most 20 characters."))
        return data


AUTOCOMPLETE = {
    "name": "organization",
    "street": "address-line1",
    "extra": "address-line2",
    "postal_code": "postal-code",
    "city": "address-level2",
    "region": "address-level1",
    "country": "country",
    "email": "email",
}


class BillingForm(AddressForm):
    """To whom invoices are made out."""

    vat_id = forms.CharField(
        label=_("VAT id"),
        max_length=30,
        required=False,
        help_text=_("With the country in front. Reverse charge applies once it has been checked."),
    )
