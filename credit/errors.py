from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from members.errors import Refusal
from skypemgr.money import money


class InsufficientCredit(Refusal):
    """The account that credit would come from holds less than that: ``balance`` and ``wanted``, in ``currency``."""

    text = _("There is not enough credit: {held} of {needed}.")
    field = "amount"
    account: int
    balance: Decimal
    wanted: Decimal

    def __init__(self, *, account: int, balance: Decimal, wanted: Decimal, currency: str) -> None:
        super().__init__(account=account, balance=balance, wanted=wanted, currency=currency)

    def __str__(self) -> str:
        # Written out only now, in the language of whoever reads it.
        currency = str(self.facts["currency"])
        return str(self.text).format(held=money(self.balance, currency), needed=money(self.wanted, currency))


class HasLeft(Refusal):
    text = _("{name} has left, and gets no credit any more.")
