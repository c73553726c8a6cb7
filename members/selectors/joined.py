"""When members joined, as the filter of the list asks for it: by days of the organization's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from skypemgr.lists import Chip, change_query, read_day, read_text
from skypemgr.templatetags.look import day

JOINED_FROM, JOINED_TO = "joined_from", "joined_to"
DAYS = {"7": 7, "30": 30, "90": 90}
THIS_YEAR, EARLIER = "year", "earlier"
JOINED = [
    ("7", _("Joined in the last 7 days")),
    ("30", _("Joined in the last 30 days")),
    ("90", _("Joined in the last 90 days")),
    (THIS_YEAR, _("Joined this year")),
    (EARLIER, _("Joined before this year")),
]


@dataclass(frozen=True)
class Span:
    """Time in which somebody joined, from ``since`` up to ``until`` without it; None where there is no end."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def condition(self) -> Q:
        """Who joined then; who has not joined yet is found by a span without ends alone."""
        condition = Q()
        if self.since:
            condition &= Q(joined_at__gte=self.since)
        if self.until:
            condition &= Q(joined_at__lt=self.until)
        return condition

    def both(self, other: "Span") -> "Span":
        """The time that is in this one and in the other."""
        starts = [one.since for one in (self, other) if one.since]
        ends = [one.until for one in (self, other) if one.until]
        return Span(max(starts, default=None), min(ends, default=None))

    def months(self, first: datetime, last: datetime) -> list[datetime]:
        """The months of UTC in which somebody joined in this time, of all who joined from ``first`` to ``last``."""
        month, end = _month(max(self.since or first, first)), min(self.until or last, last)
        found = []
        while month <= end:
            found.append(month)
            month = (month + timedelta(days=31)).replace(day=1)
        return found


def _month(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def span_of(choice: str) -> Span:
    """The time of a choice of JOINED, in the active time zone.

    Days are whole: the last 7 are today and the six before it.
    """
    today = timezone.localdate()
    if choice == EARLIER:
        return Span(until=_begin(today.replace(month=1, day=1)))
    first = today.replace(month=1, day=1) if choice == THIS_YEAR else today - timedelta(days=DAYS[choice] - 1)
    return Span(since=_begin(first))


def _begin(first: date) -> datetime:
    return timezone.make_aware(datetime.combine(first, time()))


@dataclass(frozen=True)
class JoinedDays:
    """Days of the active time zone, both included, between which somebody joined; "" or None where there is no end.

    ``first`` and ``last`` are as they were asked for. What is ``wrong`` with them stands in a sentence; they then
    find nobody, so that nothing is done to others than were meant.
    """

    first: str = ""
    last: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: QueryDict) -> "JoinedDays":
        return cls(
            read_text(query, JOINED_FROM),
            read_text(query, JOINED_TO),
            read_day(query, JOINED_FROM),
            read_day(query, JOINED_TO),
        )

    @property
    def wrong(self) -> str:
        for text, found in ((self.first, self.since), (self.last, self.until)):
            if text and found is None:
                return gettext("“%(text)s” is no day from 2000 to 2099. Write it as in 2026-11-21.") % {"text": text}
        if self.since and self.until and self.since > self.until:
            return gettext("The first day is after the last one. Change one of them.")
        return ""

    @property
    def span(self) -> Span:
        """The time of the days, for those with which nothing is ``wrong``."""
        return Span(
            _begin(self.since) if self.since else None, _begin(self.until + timedelta(days=1)) if self.until else None
        )

    def chips(self, query: QueryDict) -> list[Chip]:
        """A chip for each end that was asked for."""
        texts = [
            (JOINED_FROM, self.first, self.since, gettext("Joined from {day}")),
            (JOINED_TO, self.last, self.until, gettext("Joined up to {day}")),
        ]
        return [
            Chip(text.format(day=day(found) if found else asked), change_query(query, **{key: ""}))
            for key, asked, found, text in texts
            if asked
        ]
