"""Single calls, as a list shows them and as a page explains one; of others only those that they let be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import QueryDict
from django.utils.translation import ngettext_lazy

from members.models import Member, Organization, User
from members.selectors.consents import may_see_call_detail, with_call_detail
from members.tenures import know_predecessors, present_stint
from skypemgr.lists import Ordering, Page, count_up_to, keyset_chunks, keyset_page
from telephony.models import Call

NEWEST = Ordering("newest", ("-at", "-id"))
TEXT = ngettext_lazy("{shown} of {total} call, newest first", "{shown} of {total} calls, newest first")


@dataclass(frozen=True, kw_only=True)
class CallsAsked:
    """Calls of an organization on some of its days, both included; of a department, to a destination, of a member.

    ``administrator`` says whether whoever asks is one: they alone see those of personal accounts, and only of people
    who agreed.
    """

    organization: Organization
    first: date
    last: date
    # None in it stands for no department.
    departments: Sequence[int | None] | None = None
    destination: str | None = None
    member: Member | None = None
    outcome: str = ""
    administrator: bool = False

    def all(self) -> QuerySet[Call]:
        """Those of everybody, in no order."""
        begin, end = _moments(self.first, self.last)
        found = Call.objects.filter(
            organization=self.organization, at__gte=begin, at__lt=end, day__gte=self.first, day__lte=self.last
        )
        if self.departments is not None:
            within = Q(department__in=[key for key in self.departments if key is not None])
            found = found.filter(within | Q(department=None) if None in self.departments else within)
        if self.destination is not None:
            found = found.filter(destination=self.destination)
        if self.member is not None:
            found = found.filter(member=self.member)
        return found.filter(outcome=self.outcome) if self.outcome else found

    def shown(self) -> QuerySet[Call]:
        """Those that others may see."""
        # Asked of each call on its own: a page of them is few, whoever keeps theirs private may be many.
        return self.all().filter(~Exists(self._private().filter(pk=OuterRef("member_id"))))

    def own(self) -> QuerySet[Call]:
        """Those of the person who has the account of ``member`` now."""
        assert self.member is not None
        return self.all().filter(present_stint(self.member).covers("at"))

    def number_private(self) -> int:
        """How many there are that others may not see, a thousand at most."""
        return self.all().filter(member__in=self._private())[:1_000].count()

    def _private(self) -> QuerySet[Member]:
        members = Member.objects.of(self.organization).filter(account_kind=User.Kind.PERSONAL)
        if not self.administrator:
            return members
        return members.exclude(pk__in=with_call_detail(members).values("pk"))


@dataclass(frozen=True)
class CallSums:
    """What some calls come to: how many were answered, their seconds, and what was charged."""

    calls: int
    seconds: int
    charge: Decimal


def page_of_calls(calls: QuerySet[Call], query: QueryDict) -> Page[Call]:
    """A page of calls, with whose they are, the newest first."""
    total = count_up_to(calls)
    page = keyset_page(_with_people(calls), order=NEWEST, query=query, text=TEXT % total.number, total=total)
    _know(page.rows)
    return page


def chunks_of_calls(calls: QuerySet[Call]) -> Iterator[list[Call]]:
    """All of them, some at a time."""
    for chunk in keyset_chunks(_with_people(calls), order=NEWEST):
        _know(chunk)
        yield chunk


def sums_of_calls(calls: QuerySet[Call]) -> CallSums:
    """What they come to."""
    found = calls.order_by().aggregate(
        calls=Count("answered_at"), seconds=Sum("seconds", default=0), charge=Sum("charge", default=Decimal("0.0000"))
    )
    return CallSums(**found)


def find_call(organization: Organization, day: date, key: int) -> Call | None:
    """A call by the day in UTC on which it began and its key."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    calls = Call.objects.filter(organization=organization, at__gte=begin, at__lt=begin + timedelta(days=1), id=key)
    found = _with_people(calls).select_related("rate__version__deck", "imported").first()
    if found is not None:
        _know([found])
    return found


def is_private(call: Call, *, administrator: bool) -> bool:
    """Whether it is of somebody whose calls whoever asks may not see."""
    if call.member is None or call.member.account_kind == User.Kind.BUSINESS:
        return False
    return not (administrator and may_see_call_detail(call.member))


def _with_people(calls: QuerySet[Call]) -> QuerySet[Call]:
    return calls.select_related("member__user", "member__organization")


def _know(calls: Sequence[Call]) -> None:
    know_predecessors(call.member for call in calls)


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    """Between which the calls of some days of any time zone began."""
    begin, end = (datetime.combine(day, time(), tzinfo=UTC) for day in (first, last))
    return begin - timedelta(days=2), end + timedelta(days=3)
