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


class NobodyGetsCredit(Refusal):
    text = _("There is nobody here who can get credit.")


class SellerIncomplete(Refusal):
    """Nobody can buy until operators have said who sells; ``missing`` names the fields."""

    text = _("Nobody can buy credit yet: the people who run this installation have to enter {missing} first.")


class BillingMissing(Refusal):
    text = _("Say first to whom the invoice is made out.")


class AmountAboveLimit(Refusal):
    text = _("One order can be {limit} at the most.")
    field = "amount"


class MonthAboveLimit(Refusal):
    text = _("Orders of one month can be {limit} at the most; {left} is left of it.")
    field = "amount"


class NoSuchOrder(Refusal):
    text = _("There is no such order.")


class OrderClosed(Refusal):
    """``state`` says what became of the order."""

    text = _("Order {number} is marked “{state}”, so this can’t be done.")


class AmountDiffers(Refusal):
    """What came in is not what the order is about; nothing is booked."""

    text = _("Order {number} is about {gross}, and {received} came in. Nothing is booked. {advice}")
    field = "amount"


class CreditDiffers(Refusal):
    """What is to be added is not the credit that the order is about; nothing is booked."""

    text = _(
        "Order {number} is about {net} of credit, which costs {gross} with VAT. Nothing is booked: add {net} as soon as"
        " {gross} has come in."
    )
    field = "amount"


class ReferenceUsed(Refusal):
    text = _("A payment of {amount} of credit was recorded for the reference {reference}. Use another reference.")
    field = "reference"


class RefundTooLarge(Refusal):
    text = _("Of order {number}, {left} can still be refunded.")
    field = "amount"


class NothingToRefund(Refusal):
    text = _("Order {number} has not been paid by bank transfer, so nothing of it is refunded here.")


class PaidByCard(Refusal):
    text = _("Order {number} is to be paid by card: nothing of it is confirmed or canceled here.")


class OrderOfAnother(Refusal):
    text = _("Order {number} was placed by another organization.")
    field = "reference"


class NoReference(Refusal):
    text = _("Say by which reference the payment came in, in at most {most} characters.")
    field = "reference"


class RechargeOfNothing(Refusal):
    text = _("The amount must be more than zero.")
    field = "amount"


class ThresholdBelowZero(Refusal):
    text = _("The threshold can’t be below zero.")
    field = "below"


class ThresholdAboveAmount(Refusal):
    text = _("One recharge would not reach that. Choose at most the amount of a recharge.")
    field = "below"


class LimitBelowAmount(Refusal):
    text = _("Not one recharge would fit into that. Choose at least the amount of a recharge.")
    field = "monthly_limit"


class CardsNotOffered(Refusal):
    text = _("Cards can’t be used here. Pay by bank transfer.")


class CardsAway(Refusal):
    """The card processor doesn't answer, or not as it should; nothing was charged."""

    text = _("The card processor does not answer. Nothing was charged. Try again in a minute.")


class NoSavedCard(Refusal):
    text = _("No card is saved. Save one first.")


class NotPayableByCard(Refusal):
    text = _("{amount} can’t be paid by card exactly. Choose another amount.")
    field = "amount"
