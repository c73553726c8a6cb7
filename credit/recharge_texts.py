"""Auto-recharge in a sentence: how it stands, why nothing comes, and what to do about that."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext, pgettext

from credit.selectors.recharges import Recharging, State
from members.models import Organization
from skypemgr.money import money
from skypemgr.templatetags.look import clock, day


def state_text(recharging: Recharging) -> str:
    """The state in a word or two, for a badge."""
    if recharging.waiting_for:
        return gettext("Waiting for credit")
    match recharging.state:
        case State.OFF:
            return pgettext("auto-recharge", "Off")
        case State.SUSPENDED:
            return pgettext("auto-recharge", "Suspended")
        case State.ACTIVE:
            return pgettext("auto-recharge", "On")


def recharging_text(recharging: Recharging, organization: Organization, wallet: Decimal) -> str:
    """How the auto-recharge of a member stands; ``wallet`` is what the wallet holds."""
    plan = recharging.plan
    if plan is None or recharging.state is State.OFF:
        return gettext("Auto-recharge is off: nobody adds credit but by hand.")
    facts = {
        "used": money(recharging.used, organization.currency),
        "limit": money(plan.monthly_limit, organization.currency),
        "below": money(plan.below, organization.currency),
        "amount": money(plan.amount, organization.currency),
        "balance": money(recharging.balance, organization.currency),
        "wanted": money(recharging.waiting_for, organization.currency),
        "wallet": money(wallet, organization.currency),
    }
    if recharging.state is State.SUSPENDED:
        text = gettext(
            "Suspended until {until}: {used} of {limit} was recharged this month; another {amount} would pass the"
            " limit."
        )
        return text.format(until=instant_text(recharging.month.end, organization), **facts)
    if recharging.waiting_for:
        text = gettext(
            "Waiting for credit: the balance of {balance} is below {below}, but the wallet holds {wallet} and the"
            " recharge takes {wanted}. Buy credit, and it is made by itself."
        )
        return text.format(**facts)
    text = gettext("Recharged {used} of {limit} this month; next when the balance falls below {below}.")
    return text.format(**facts)


def terms_text(recharging: Recharging, organization: Organization) -> str:
    """A plan in a few words, for a cell of a list: "€15.00 below €5.00"; "" when it is off."""
    plan = recharging.plan
    if plan is None or recharging.state is State.OFF:
        return ""
    if recharging.state is State.SUSPENDED:
        return gettext("Suspended until {day}").format(day=day(_local(recharging.month.end, organization)))
    if recharging.waiting_for:
        return state_text(recharging)
    return gettext("{amount} below {below}").format(
        amount=money(plan.amount, organization.currency), below=money(plan.below, organization.currency)
    )


def instant_text(instant: datetime, organization: Organization) -> str:
    """An instant with the zone it is told in: "1 December, 00:00 (Europe/Paris)"."""
    local = _local(instant, organization)
    zone = organization.time_zone.replace("_", " ")
    return gettext("{day}, {time} ({zone})").format(day=day(local), time=clock(local), zone=zone)


def _local(instant: datetime, organization: Organization) -> datetime:
    # Without its zone, so that nobody turns it into another one.
    return timezone.make_naive(instant, ZoneInfo(organization.time_zone))
