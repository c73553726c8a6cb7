"""Saved cards and auto-recharge of wallets, as their pages and the alerts show them."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from credit.funding import owed_by
from credit.ledger import NO_CREDIT
from credit.models import CardCheckout, CardDispute, Order, SavedCard, WalletCharge, WalletRecharge
from members.models import Organization
from members.months import present_month
from members.periods import Period
from skypemgr.money import typed

# Why auto-recharge pauses, in words. What a card processor says beyond these is a decline like any other.
REASONS: dict[str, str | Promise] = {
    "insufficient_funds": _("there was not enough money on the card"),
    "expired_card": _("the card has expired"),
    "lost_card": _("the card was reported lost"),
    "stolen_card": _("the card was reported stolen"),
    "authentication_required": _("the bank asks its holder to confirm each payment"),
    "other_amount": _("another amount was charged than was ordered"),
    "not_payable": _("the amount can’t be paid by card exactly"),
    "impossible": _("the card processor could not carry it out"),
}
DECLINED = _("the card was declined")


@dataclass(frozen=True)
class RechargeState:
    """Auto-recharge of a wallet as it stands: what was recharged this month, and what keeps it from the next."""

    plan: WalletRecharge
    recharged: Decimal
    next_month: dt.datetime
    charge: WalletCharge | None
    owed: Decimal
    disputed: bool

    @property
    def limit_reached(self) -> bool:
        return self.recharged + self.plan.amount > self.plan.monthly_limit

    @property
    def reason(self) -> str | Promise:
        """Why it is paused, as the end of a sentence."""
        return REASONS.get(self.plan.reason, DECLINED)

    @property
    def lamp(self) -> str:
        """The kind of badge that shows how it stands."""
        if self.plan.state == WalletRecharge.State.PAUSED:
            return "danger"
        return "warning" if self.limit_reached or self.owed or self.disputed else "success"

    @property
    def typed_amount(self) -> str:
        """The amount as it can be typed."""
        return typed(self.plan.amount, self.plan.organization.currency)

    @property
    def asks_holder(self) -> bool:
        return self.plan.reason == "authentication_required"


def saved_card(organization: Organization) -> SavedCard | None:
    """The card that an organization lets be charged, if there is one."""
    return SavedCard.objects.filter(organization=organization, removed_at=None).first()


def title_of(order: Order) -> str:
    """What the card processor shows as bought. The same for whoever asks, since one key is for one request."""
    with override(order.organization.language):
        return gettext("Skype Credit, order {number}").format(number=order.number)


def newest_checkout(organization: Organization, order: Order) -> CardCheckout | None:
    """The last page of the card processor on which an order could be paid."""
    return CardCheckout.objects.filter(organization=organization, order=order).order_by("-pk").first()


def first_day(month: Period) -> dt.date:
    """The day by which charges of a month are found."""
    return dt.date.fromisoformat(f"{month.key}-01")


def recharged_in(organization: Organization, month: Period) -> Decimal:
    """What auto-recharge of the wallet has bought in a month, with what is under way."""
    counted = (WalletCharge.State.REQUESTED, WalletCharge.State.SUCCEEDED, WalletCharge.State.WRONG)
    charges = WalletCharge.objects.filter(organization=organization, month=first_day(month), state__in=counted)
    return charges.aggregate(sum=Sum("amount"))["sum"] or NO_CREDIT


def is_disputed(organization: Organization) -> bool:
    """Whether a payment of an organization is disputed, and nothing is decided yet."""
    return CardDispute.objects.filter(organization=organization, state=CardDispute.State.OPEN).exists()


def recharge_state(organization: Organization) -> RechargeState | None:
    """Auto-recharge of a wallet as it stands; None where there never was one."""
    plan = WalletRecharge.objects.select_related("organization").filter(organization=organization).first()
    if plan is None:
        return None
    month = present_month(organization)
    under_way = WalletCharge.objects.filter(organization=organization, state=WalletCharge.State.REQUESTED)
    return RechargeState(
        plan=plan,
        recharged=recharged_in(organization, month),
        next_month=month.end,
        charge=under_way.first(),
        owed=owed_by(organization),
        disputed=is_disputed(organization),
    )


def failed_charges(organization: Organization, since: dt.datetime) -> list[WalletCharge]:
    """Charges by auto-recharge that came to nothing, or of which nobody knows what became of them, newest first."""
    charges = WalletCharge.objects.filter(organization=organization, requested_at__gte=since)
    failed = charges.filter(state__in=[WalletCharge.State.DECLINED, WalletCharge.State.GIVEN_UP])
    return list((failed | charges.filter(unknown_at__isnull=False)).select_related("order").order_by("-pk"))
