"""Who has read how emergency calls work with the number that they have, and with where they are found now."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from members.models import Member, Organization, User
from skypemgr.clock import DatabaseClock
from telephony.models import Disclaimer, EmergencyAcknowledgment, NumberAssignment, Place


@dataclass(frozen=True)
class Standing:
    """What somebody with a number has to have read, and when they said that they have; None: they haven't.

    ``disclaimer`` is the key of the text of the country, None where there is none.
    """

    assignment: NumberAssignment
    disclaimer: int | None
    read_at: datetime | None

    @property
    def place(self) -> str:
        return told_place(self.assignment.place)

    @property
    def stamp(self) -> str:
        """What tells two things to be read apart, for the form that says which of them was."""
        facts = (self.assignment.pk, self.assignment.emergency_address.current_id, self.place, self.disclaimer)
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def told_place(place: Place | None) -> str:
    """Where exactly somebody is found, in one line."""
    if place is None:
        return ""
    parts = [place.name, place.building, place.floor, place.room]
    return ", ".join(part for part in parts if part)


def standings_of(organization: Organization, members: Collection[Member | int]) -> list[Standing]:
    """That of each of some members who has a number, by number: one query for all."""
    return _standings(NumberAssignment.objects.filter(organization=organization, member__in=members))


def standings_of_account(user: User) -> list[Standing]:
    """That of an account in each organization in which it is active and has a number."""
    active = {"member__user": user, "member__state": Member.State.ACTIVE, "organization__closed_at": None}
    return _standings(NumberAssignment.objects.filter(**active))


def acknowledged(organization: Organization, members: Collection[Member | int]) -> set[int]:
    """The keys of those of some members who have a number, and have read how emergency calls work with it as it is."""
    found = standings_of(organization, members)
    return {one.assignment.member_id for one in found if one.read_at is not None}


def _standings(own: QuerySet[NumberAssignment]) -> list[Standing]:
    said = EmergencyAcknowledgment.objects.filter(assignment=OuterRef("pk"), tenure__ended_at=None).order_by("-pk")
    facts = JSONObject(version="version_id", place="place", disclaimer="disclaimer_id", at="at")
    current = Disclaimer.objects.filter(country=OuterRef("number__area__country"), begins_at__lte=DatabaseClock())
    rows = (
        own.filter(until=None)
        .select_related("number__area", "member__organization", "emergency_address__current", "place")
        .annotate(
            said=Subquery(said.values(facts=facts)[:1]),
            disclaimer=Subquery(current.order_by("-version").values("pk")[:1]),
        )
    )
    return [_standing(row) for row in rows.order_by("number__number")]


def _standing(row: Any) -> Standing:
    same = row.said is not None and (row.said["version"], row.said["place"], row.said["disclaimer"]) == (
        row.emergency_address.current_id,
        told_place(row.place),
        row.disclaimer,
    )
    return Standing(row, row.disclaimer, datetime.fromisoformat(row.said["at"]) if same else None)
