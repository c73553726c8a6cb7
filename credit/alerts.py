"""What about an organization's credit somebody should look at, in the active language.

Each app registers the sources that it knows, when it starts. Pages show every alert as long as it lasts; a letter
tells of each ``key`` once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from credit.forecast_texts import forecast_text
from credit.ledger import NO_CREDIT
from credit.models import AlertSettings, Order, RechargePlan, WalletRecharge
from credit.selectors.balances import wallet_balance
from credit.selectors.cards import is_disputed, recharge_state
from credit.selectors.recharges import refused_plans
from credit.selectors.spans import first_day, month_after, zone_of
from credit.selectors.statements import account_of_wallet
from credit.selectors.wallet import forecast
from credit.ways import buy_url
from members.access import Capability
from members.models import Organization
from members.months import present_month
from members.registry import Notice, registry
from skypemgr.clock import database_now
from skypemgr.money import money
from skypemgr.templatetags.look import count, day

# A wallet that runs dry so soon is spoken of.
SOON = timedelta(days=7)
# And payments that failed so lately.
LATELY = timedelta(days=7)
NAMED = 3
WALLET = "wallet"
# What each kind of alert is called where people choose which come by letter.
NOTICES = {
    WALLET: _("The wallet is low, empty, or will be within a week"),
    "payments": _("A payment failed"),
    "card": _("Auto-recharge of the wallet is paused, or a payment by card is disputed"),
    "uncovered": _("Members could not be recharged"),
    "suspended": _("Members have reached their monthly limit"),
}


@dataclass(frozen=True)
class Alert:
    """Something to look at: what it is, a note, and where it is dealt with.

    ``kind`` says which source it is of. The same ``key`` is the same news, which is told once.
    """

    kind: str
    key: str
    title: str
    note: str
    url: str
    action: str
    tone: str = "warning"
    icon: str = "warning"


@dataclass(frozen=True, kw_only=True)
class AlertSource:
    """Finds the alerts of one kind, which is its key."""

    key: str
    order: int
    find: Callable[[Organization], Sequence[Alert]]


def notice_of(kind: str) -> str:
    """The key of the notice that tells of alerts of a kind."""
    return f"credit.{kind}"


def find_alerts(organization: Organization) -> list[Alert]:
    """Everything about the credit of an organization that somebody should look at now, the most urgent first."""
    return [alert for source in registry.all(AlertSource) for alert in source.find(organization)]


def register() -> None:
    """Called once at start-up."""
    registry.add(
        AlertSource(key=WALLET, order=10, find=_wallet),
        AlertSource(key="payments", order=20, find=_payments),
        AlertSource(key="card", order=25, find=_card),
        AlertSource(key="uncovered", order=30, find=_uncovered),
        AlertSource(key="suspended", order=40, find=_suspended),
    )
    registry.add(
        *(
            Notice(key=notice_of(kind), label=label, capability=Capability.MANAGE_CREDIT, order=order)
            for order, (kind, label) in enumerate(NOTICES.items(), start=100)
        )
    )


def _wallet(organization: Organization) -> list[Alert]:
    """The wallet is empty, holds less than somebody wants, or will be empty within days. Told once a week."""
    account = account_of_wallet(organization)
    if account is None or not account.version:
        return []
    now, currency = database_now(), organization.currency
    told = forecast(organization, account, now)
    today = now.astimezone(zone_of(organization)).date()
    settings = AlertSettings.objects.filter(organization=organization).first()
    wanted = (settings.low_wallet if settings else None) or NO_CREDIT
    balance = account.balance or NO_CREDIT
    tone, note = "warning", forecast_text(told, currency)
    if told.is_dry:
        state, tone = "empty", "danger"
        title = gettext("The wallet is empty")
        note = gettext("Nothing can be allocated or recharged until you buy credit.")
    elif balance < wanted:
        state = "low"
        title = gettext("The wallet holds {balance}, less than {wanted}").format(
            balance=money(balance, currency), wanted=money(wanted, currency)
        )
    elif told.dry_on is not None and told.dry_on <= today + SOON:
        state = "dry"
        title = gettext("The wallet runs dry on {day}").format(day=day(told.dry_on))
        note = gettext("At the present pace, {amount} leaves it each day.").format(
            amount=money(told.a_day or NO_CREDIT, currency)
        )
    else:
        return []
    return [Alert(WALLET, f"{state}:{week_of(today)}", title, note, buy_url(organization), gettext("Buy credit"), tone)]


def week_of(today: date) -> str:
    """The ISO week of a day, as in "2026-W47"."""
    year, week, _weekday = today.isocalendar()
    return f"{year}-W{week:02}"


def _payments(organization: Organization) -> list[Alert]:
    failed = Order.objects.filter(organization=organization, state=Order.State.FAILED)
    if WalletRecharge.objects.filter(organization=organization, state=WalletRecharge.State.PAUSED).exists():
        # What came of those is told by their own alert.
        failed = failed.filter(wallet_charge=None)
    orders = list(failed.filter(closed_at__gte=database_now() - LATELY).order_by("-pk")[:100])
    if not orders:
        return []
    title = ngettext("%(count)d payment failed", "%(count)d payments failed", len(orders)) % {"count": len(orders)}
    url = reverse("credit:purchase_list", args=[organization.slug])
    if len(orders) == 1:
        url = reverse("credit:order", args=[organization.slug, orders[0].number])
    numbers = get_text_list([order.number for order in orders[:NAMED]], gettext("and"))
    return [Alert("payments", f"payments:{orders[0].pk}", title, numbers, url, gettext("See what happened"), "danger")]


def _card(organization: Organization) -> list[Alert]:
    """Auto-recharge of the wallet that is paused or has reached its limit, and payments by card that are disputed."""
    url, action = reverse("credit:card", args=[organization.slug]), gettext("See the card")
    found = _wallet_recharge(organization, url, action)
    if is_disputed(organization):
        today = database_now().astimezone(zone_of(organization)).date()
        title = gettext("A payment by card is disputed")
        note = gettext("Auto-recharge of the wallet waits until that is decided.")
        found.append(Alert("card", f"disputed:{week_of(today)}", title, note, url, action))
    return found


def _wallet_recharge(organization: Organization, url: str, action: str) -> list[Alert]:
    state = recharge_state(organization)
    if state is None:
        return []
    if state.plan.state == WalletRecharge.State.PAUSED:
        title = gettext("Auto-recharge of the wallet is paused")
        note = gettext("Why: {reason}. Nothing is charged until you save it again.").format(reason=state.reason)
        return [Alert("card", f"paused:{state.plan.paused_at}", title, note, url, action, "danger", "recharge")]
    active = state.plan.state == WalletRecharge.State.ACTIVE
    if active and state.limit_reached and wallet_balance(organization) < state.plan.below:
        month = present_month(organization)
        title = gettext("Auto-recharge of the wallet has reached its monthly limit")
        note = gettext("It resumes on {day}.").format(day=day(first_day(month_after(organization, month))))
        return [Alert("card", f"limit:{month.key}", title, note, url, action, icon="recharge")]
    return []


def _uncovered(organization: Organization) -> list[Alert]:
    """Recharges that the wallet couldn't cover: told once a day, as long as they wait."""
    plans = refused_plans(organization, RechargePlan.Refusal.WALLET)
    number = plans.count()
    if not number:
        return []
    title = ngettext(
        "The wallet couldn’t recharge %(count)s member", "The wallet couldn’t recharge %(count)s members", number
    ) % {"count": count(number)}
    today = database_now().astimezone(zone_of(organization)).date()
    key = f"uncovered:{today.isoformat()}"
    action = gettext("Buy credit")
    return [Alert("uncovered", key, title, _names(plans, number), buy_url(organization), action, "danger", "recharge")]


def _suspended(organization: Organization) -> list[Alert]:
    """Members whose limit of this month is reached: told again when there are others."""
    plans = refused_plans(organization, RechargePlan.Refusal.LIMIT)
    number = plans.count()
    if not number:
        return []
    newest, since = plans.order_by("-refused_at", "-pk").values_list("pk", "refused_at")[0]
    title = ngettext(
        "Auto-recharge is suspended for %(count)s member", "Auto-recharge is suspended for %(count)s members", number
    ) % {"count": count(number)}
    resumes = day(first_day(month_after(organization, present_month(organization))))
    note = gettext("{names}. The monthly limit is reached; it resumes on {day}.").format(
        names=_names(plans, number), day=resumes
    )
    first = plans[0].member
    url = reverse("credit:member_credit", args=[organization.slug, first.user.skype_name])
    if number > 1:
        url = f"{reverse('members:member_list', args=[organization.slug])}?auto_recharge={RechargePlan.Refusal.LIMIT}"
    key = f"suspended:{newest}:{since}"
    return [Alert("suspended", key, title, note, url, gettext("See the limit"), icon="recharge")]


def _names(plans: QuerySet[RechargePlan], number: int) -> str:
    names = [plan.member.user.display_name for plan in plans[:NAMED]]
    if number > NAMED:
        rest = number - NAMED
        names.append(ngettext("%(count)s more", "%(count)s more", rest) % {"count": count(rest)})
    return get_text_list(names, gettext("and"))
