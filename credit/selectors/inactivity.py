"""Whose credit is inactive, for pages and for whoever is about to let somebody spend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F

from credit.idling import becomes_inactive_on, idle_credit, inactive_credit
from credit.models import LedgerAccount
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from skypemgr.clock import database_now


@dataclass(frozen=True)
class Idleness:
    """Credit that is inactive since ``inactive_at``, or will be from the day ``becomes_inactive_on``.

    ``used_at`` is when it was used last.
    """

    used_at: datetime
    inactive_at: datetime | None
    becomes_inactive_on: date | None


def list_inactive(organization: Organization, members: Sequence[Member]) -> dict[int, datetime]:
    """Since when the credit of those of ``members`` is inactive whose credit is, by their id; one query."""
    rows = inactive_credit(organization).filter(account__member__in=members)
    return {member: since for member, since in rows.values_list("account__member_id", "inactive_at") if since}


def inactive_since_of(account: LedgerAccount) -> datetime | None:
    """Since when what an account holds is inactive; None when it isn't."""
    rows = inactive_credit(account.organization).filter(account=account)
    return rows.values_list("inactive_at", flat=True).first()


def idleness_of(organization: Organization, member: Member) -> Idleness | None:
    """How long the credit of one member lies unused; None while nobody had to be warned of that."""
    rows = idle_credit(organization).filter(account__member=member, letter__isnull=False)
    row = rows.select_related("organization", "letter").first()
    if row is None:
        return None
    day = becomes_inactive_on(row, database_now()) if row.inactive_at is None else None
    return Idleness(row.used_at, row.inactive_at, day)


def count_inactive(organization: Organization) -> int:
    """Of how many members of an organization the credit is inactive."""
    return inactive_credit(organization).count()


def only_inactive(members: MemberQuerySet) -> MemberQuerySet:
    """Those of ``members`` whose credit is inactive, where credit may be."""
    return members.filter(
        ledger_account__idle__inactive_at__isnull=False,
        ledger_account__idle__version=F("ledger_account__version"),
    )
