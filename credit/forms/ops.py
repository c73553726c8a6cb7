import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from stdnum import iban
from stdnum.exceptions import ValidationError as NotANumber

from credit.forms.purchases import AddressForm
from credit.sellers import written_iban
from members.places import country_choices, zones_by_country

HIGHEST_RATE = Decimal(50)
_RATE = re.compile(r" *(\d{1,2}(?:[.,]\d{1,2})?) ?%?", re.ASCII)


class SellerForm(AddressForm):
    """Who sells credit: everything may be left for later, and nobody can buy before."""

    email = forms.CharField(label=_("E-mail address of the seller"), max_length=254, required=False)
    vat_rates = forms.CharField(
        label=_("VAT rates"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("A line for each country: its code and the percentage, as FR 20. Your own country comes first."),
    )
    bank = forms.CharField(label=_("Bank"), max_length=100, required=False)
    iban = forms.CharField(label=_("IBAN"), max_length=50, required=False)
    bic = forms.CharField(label=_("BIC"), max_length=11, required=False)
    payment_days = forms.IntegerField(
        label=_("Days to pay"), min_value=1, max_value=90, help_text=_("So long a bank transfer may take.")
    )
    text = forms.CharField(
        label=_("Text below every invoice"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)
        country.choices = [("", _("Not chosen yet")), *country_choices(get_language() or "en")]
        for name in ("name", "street", "city", "country"):
            self.fields[name].required = False
        for name in ("name", "street", "city", "country", "vat_rates", "iban"):
            self.fields[name].needed = True  # type: ignore[attr-defined]

    def clean_vat_rates(self) -> dict[str, str]:
        return read_rates(self.cleaned_data["vat_rates"])

    def clean_iban(self) -> str:
        text = self.cleaned_data["iban"]
        try:
            return str(iban.validate(text)) if text else ""
        except NotANumber as error:
            raise ValidationError(_("This is no IBAN: a character is wrong or missing."), code="iban") from error

    def clean_bic(self) -> str:
        text: str = self.cleaned_data["bic"].replace(" ", "").upper()
        if text and not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", text, re.ASCII):
            raise ValidationError(_("A BIC has 8 or 11 characters, as BCEELULL."), code="bic")
        return text


def read_rates(text: str) -> dict[str, str]:
    """Percentages by country: "FR 20" on each line. Raises ValidationError."""
    rates: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        country, _space, rest = line.partition(" ")
        country, typed = country.upper(), _RATE.fullmatch(rest)
        rate = typed[1].replace(",", ".") if typed else ""
        if not rate or Decimal(rate) > HIGHEST_RATE or country not in zones_by_country() or country in rates:
            message = _("“%(line)s” is no rate: write a country and a percentage up to 50, as FR 20, each once.")
            raise ValidationError(message, code="rate", params={"line": line[:40]})
        rates[country] = rate
    return rates


def written_rates(rates: dict[str, str]) -> str:
    """Percentages by country as they are typed."""
    return "\n".join(f"{country} {rate}" for country, rate in rates.items())


def initial_of(seller: Any) -> dict[str, Any]:
    """What the form shows of a seller."""
    fields = [*SellerForm.base_fields]
    return {
        **{name: getattr(seller, name) for name in fields},
        "vat_rates": written_rates(seller.vat_rates),
        "iban": written_iban(seller.iban),
    }


class VatCheckForm(forms.Form):
    """What came of it when a VAT id was looked up."""

    valid = forms.TypedChoiceField(
        label=_("What came of it"),
        choices=[("yes", _("The VAT id is valid and belongs to this company")), ("no", _("It is not valid"))],
        widget=forms.RadioSelect,
        coerce=lambda value: value == "yes",
    )
    checked_on = forms.DateField(
        label=_("Checked on"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    reference = forms.CharField(
        label=_("Reference of the check"),
        max_length=200,
        help_text=_("What the register answered with: the consultation number of VIES, for example."),
    )
