"""Letters about credit that needs attention: at most one digest a day for each person, and one at once when a wallet
falls below what somebody wants in it. What was told is written down in the transaction that writes the letters."""

import logging
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from celery import shared_task
from django.db import connection, transaction
from django.db.models import F, QuerySet

from credit.alerts import WALLET, find_alerts, notice_of
from credit.models import AlertSettings, AlertTold, LedgerAccount
from credit.selectors.spans import zone_of
from members.access import Capability
from members.jobs import Run
from members.mail import personal_letter, write_letters
from members.models import Letter, Organization
from members.notices import morning_of, wanted_by, who_may_be_told
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

KEPT = timedelta(days=60)
ACCOUNTS = "organization__ledger_accounts"
HELD = F(f"{ACCOUNTS}__balance")
LOW = {"low_since": None, "low_wallet__gt": HELD}
_TELL = """
    INSERT INTO credit_alerttold (organization_id, key) SELECT %s, unnest(%s::text[])
    ON CONFLICT (organization_id, key) DO NOTHING RETURNING key
"""


@transaction.atomic(durable=True)
def send_digest(run: Run) -> None:
    """Once a day in an organization: tell those who manage its credit what is new, and how things are."""
    organization = run.organization
    assert organization is not None
    alerts = find_alerts(organization)
    if told := _tell_once(organization, [alert.key for alert in alerts]):
        day = date.fromisoformat(run.period.key)
        kinds = list(dict.fromkeys(alert.kind for alert in alerts))
        news = {alert.kind for alert in alerts if alert.key in told}
        _write(organization, f"digest:{day}", kinds, news, due_at=max(morning_of(organization, day), database_now()))
    AlertTold.objects.filter(organization=organization, told_at__lt=database_now() - KEPT).delete()
    kill_point("alerts.digest_written")


def watch_wallets() -> int:
    """Tell of every wallet that has fallen below what is wanted in it since it was last looked at; gives how many."""
    filled = _settings(low_since__isnull=False, low_wallet__lte=HELD)
    AlertSettings.objects.filter(pk__in=filled.values("pk")).update(low_since=None)
    number = 0
    for settings in _settings(**LOW).select_related("organization").order_by("pk"):
        try:
            number += tell_of_wallet(settings.organization)
        except Exception:
            # One organization must not keep the others from being told.
            logger.exception("The alert of organization %s could not be written.", settings.organization_id)
    return number


@transaction.atomic(durable=True)
def tell_of_wallet(organization: Organization) -> bool:
    """Tell at once that a wallet is low, unless that was done since it fell; whether it was."""
    settings = AlertSettings.objects.select_for_update().get(organization=organization)
    if not _settings(pk=settings.pk, **LOW).exists():
        return False
    AlertSettings.objects.filter(pk=settings.pk).update(low_since=DatabaseClock())
    # Not in the next digest again.
    _tell_once(organization, [alert.key for alert in find_alerts(organization) if alert.kind == WALLET])
    today = database_now().astimezone(zone_of(organization)).date()
    _write(organization, f"low:{today}", [WALLET], {WALLET}, due_at=database_now())
    kill_point("alerts.wallet_told")
    return True


def _settings(**wanted: Any) -> QuerySet[AlertSettings]:
    """The settings of organizations that have bought credit, with what is ``wanted`` of them and their wallet."""
    wallet = {f"{ACCOUNTS}__kind": LedgerAccount.Kind.WALLET, f"{ACCOUNTS}__version__gt": 0}
    return AlertSettings.objects.filter(organization__closed_at=None, **wallet, **wanted)


def _tell_once(organization: Organization, keys: Iterable[str]) -> set[str]:
    """Write down that ``keys`` are told; gives those that were not yet."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [organization.pk, list(keys)])
        return {key for (key,) in cursor.fetchall()}


def _write(
    organization: Organization, occasion: str, kinds: list[str], news: Collection[str], *, due_at: datetime
) -> None:
    """A letter to everybody who manages credit and wants some of the ``news``, once for each of them and ``occasion``.

    It tells of those of ``kinds`` that its reader wants.
    """
    people = list(who_may_be_told(organization, Capability.MANAGE_CREDIT))
    wanted = wanted_by(organization, people)
    wants = {member.pk: [kind for kind in kinds if notice_of(kind) in wanted[member.pk]] for member in people}
    members = {f"{occasion}:{member.pk}": member for member in people if set(wants[member.pk]) & set(news)}
    letters = []
    for key in sorted(_tell_once(organization, members)):
        member = members[key]
        letter = personal_letter(Letter.Kind.CREDIT_ALERT, member.user, organization=organization, member=member)
        letter.facts, letter.due_at = {"kinds": wants[member.pk]}, due_at
        letters.append(letter)
    write_letters(letters)


@shared_task(name="credit.watch_wallets")
def watch_wallets_task() -> None:
    watch_wallets()
