from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from credit.forms.fields import AmountField
from credit.recharge_plans import Terms


class RechargeForm(forms.Form):
    """By how much, below what balance and up to what in a month members are recharged, in one currency."""

    amount = AmountField(label=_("Recharge this member’s account with"))
    below = AmountField(label=_("when the balance falls below"), zero=True)
    monthly_limit = AmountField(
        label=_("Monthly recharge limit"),
        help_text=_(
            "When it is reached, recharging is suspended until the first day of the next month."
            " Credit that is added by hand doesn’t count."
        ),
    )

    def __init__(self, data: Any = None, *, currency: str, several: bool = False, **options: Any) -> None:
        # Not the only form of its page that asks for an amount.
        super().__init__(data, auto_id="recharge_%s", **options)
        for field in self.fields.values():
            assert isinstance(field, AmountField)
            field.set_currency(currency)
        self.fields["monthly_limit"].widget.attrs["class"] = "width-14"
        if several:
            self.fields["amount"].label = _("Recharge each account with")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            for refusal in self.terms.refusals():
                self.add_error(refusal.field, str(refusal))
        return data

    @property
    def terms(self) -> Terms:
        return Terms(**{name: self.cleaned_data[name] for name in ("amount", "below", "monthly_limit")})
