"""Whose an account was when: the successive people of one member (decision 22)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from members.models import Member, Tenure


@dataclass(frozen=True)
class Stint:
    """The time in which an account was one person's: from ``since`` up to ``until``, None where it has no end."""

    since: datetime | None = None
    until: datetime | None = None

    def covers(self, column: str) -> Q:
        """The condition that the moment in ``column`` lies in it."""
        return (Q(**{f"{column}__gte": self.since}) if self.since else Q()) & (
            Q(**{f"{column}__lt": self.until}) if self.until else Q()
        )


ALWAYS = Stint()


def present_stint(member: Member) -> Stint:
    """That of the person who has the account now, who may have left; ``member`` comes with their account."""
    return Stint(since=member.user.handed_over_at)


def stint_of(member: Member, tenure: Tenure) -> Stint:
    """That of one of the predecessors, what was there before the first one's tenure included."""
    first = not member.predecessors or tenure == member.predecessors[0]
    return Stint(since=None if first else tenure.started_at, until=tenure.ended_at)


def tenure_at(member: Member, moment: datetime) -> Tenure | None:
    """Whose the account was at ``moment``; None before it was made, and after somebody left."""
    had = Q(ended_at=None) | Q(ended_at__gt=moment)
    return member.tenures.filter(had, started_at__lte=moment).order_by("started_at", "pk").last()


def know_predecessors(members: Iterable[Member | None]) -> None:
    """Have each of ``members`` know its predecessors: one query for all, and none where nobody had any."""
    handed_over: dict[int, list[Member]] = {}
    for member in members:
        if member is not None and member.user.handed_over_at is not None:
            handed_over.setdefault(member.pk, []).append(member)
    if not handed_over:
        return
    before: dict[int, list[Tenure]] = {key: [] for key in handed_over}
    earlier = Tenure.objects.filter(member__in=before, started_at__lt=F("member__user__handed_over_at"))
    for tenure in earlier.order_by("started_at", "pk"):
        before[tenure.member_id].append(tenure)
    for key, same in handed_over.items():
        for member in same:
            member.predecessors = before[key]
