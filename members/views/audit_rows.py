"""Lines of the log, ready to be shown, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from babel import Locale
from django.utils import timezone
from django.utils.translation import get_language

from members.audit_texts import Change, action_text, actor_text, changes_of, origin_text, subject_text
from members.models import AuditEntry
from skypemgr.templatetags.look import day


@dataclass(frozen=True)
class AuditRow:
    entry: AuditEntry
    actor: str
    action: str
    subject: str
    changes: Sequence[Change]
    origin: str


@dataclass(frozen=True)
class AuditDay:
    title: str
    rows: Sequence[AuditRow]


def audit_days(entries: Sequence[AuditEntry]) -> list[AuditDay]:
    """Entries, newest first, by the days of the current time zone."""
    weekdays = Locale.parse(get_language() or "en", sep="-").days["format"]["wide"]
    days = groupby(entries, key=lambda entry: timezone.localtime(entry.at).date())
    return [
        AuditDay(f"{weekdays[date.weekday()]} {day(date)}", [audit_row(one) for one in some]) for date, some in days
    ]


def audit_row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        entry=entry,
        actor=actor_text(entry, entry.at),
        action=action_text(entry),
        subject=subject_text(entry),
        changes=changes_of(entry),
        origin=origin_text(entry),
    )
