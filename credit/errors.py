from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from members.errors import Refusal


class InsufficientCredit(Refusal):
    """The account that credit would come from holds less than that. ``balance`` and ``wanted`` in its currency."""

    text = _("There is not enough credit: {balance} of {wanted}.")
    field = "amount"

    def __init__(self, *, account: int, balance: Decimal, wanted: Decimal) -> None:
        super().__init__(account=account, balance=balance, wanted=wanted)
