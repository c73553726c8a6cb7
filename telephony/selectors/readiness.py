"""Who could not be found if they called for help now, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from members.models import Member, Organization
from members.models.people import MemberQuerySet
from members.registry import Text
from skypemgr.clock import DatabaseClock
from skypemgr.lists import (
    ChoiceFilter,
    Ordering,
    Page,
    Total,
    count_up_to,
    keyset_chunks,
    keyset_page,
    read_choice,
)
from telephony.assigning import WHO_MAY
from telephony.countries import countries_with_places
from telephony.models import Disclaimer, DisclaimerAcceptance, LicenseAssignment, NumberAssignment
from telephony.selectors.licenses import PHONE_SYSTEM

BY_NAME = Ordering("name", ("sort_key", "id"))
NO_NUMBER, NO_ADDRESS, ELSEWHERE = "no_number", "no_address", "elsewhere"
NOT_VALIDATED, NO_DISCLAIMER, NO_PLACE = "not_validated", "no_disclaimer", "no_place"
# In the order in which they are dealt with.
REASONS: dict[str, Text] = {
    NO_NUMBER: pgettext_lazy("emergency", "No phone number"),
    NO_ADDRESS: pgettext_lazy("emergency", "No emergency address: theirs was retired"),
    ELSEWHERE: pgettext_lazy("emergency", "Emergency address of another country than the number"),
    NOT_VALIDATED: pgettext_lazy("emergency", "Emergency address not validated"),
    NO_DISCLAIMER: pgettext_lazy("emergency", "Disclaimer of the country not accepted"),
    NO_PLACE: pgettext_lazy("emergency", "No place at the emergency address: the country wants floor or room"),
}


@dataclass(frozen=True)
class NotReady:
    """A member who could not be found, what they have, and each reason, the first one first."""

    member: Member
    assignment: NumberAssignment | None
    reasons: Sequence[str]


@dataclass(frozen=True)
class Readiness:
    """What a query string asks of everybody who could not be found; ``reason`` "" asks for all of them."""

    organization: Organization
    query: QueryDict
    reason: str = ""

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "Readiness":
        return cls(organization, query, read_choice(query, "reason", list(REASONS)))

    @property
    def filter(self) -> ChoiceFilter:
        return ChoiceFilter(
            key="reason", label=_("Reason"), every=_("Every reason"), choices=list(REASONS.items()), chosen=self.reason
        )

    @cached_property
    def total(self) -> Total:
        return count_up_to(self.matching())

    def matching(self) -> MemberQuerySet:
        """Those who could not be found for the reason that is asked for, in no order."""
        conditions = self._conditions
        wanted = [conditions[self.reason]] if self.reason else list(conditions.values())
        found = Q()
        for condition in wanted:
            found |= Q(condition)
        return callers(self.organization).filter(found)

    def page(self) -> Page[Member]:
        text = ngettext_lazy("{shown} of {total} person, by name", "{shown} of {total} people, by name")
        return keyset_page(
            self.matching().with_people(),
            order=BY_NAME,
            query=self.query,
            text=text % self.total.number,
            total=self.total,
        )

    def chunks(self) -> Iterator[list[Member]]:
        """All of them, by name, some at a time."""
        return keyset_chunks(self.matching().with_people(), order=BY_NAME)

    def explain(self, members: Sequence[Member]) -> list[NotReady]:
        """Why each of some who were found is: one query for all."""
        own = NumberAssignment.objects.filter(organization=self.organization, member__in=members, until=None)
        having = {
            assignment.member_id: assignment
            for assignment in own.select_related("number__area", "emergency_address__current", "place")
        }
        return [NotReady(one, having.get(one.pk), self._reasons(having.get(one.pk))) for one in members]

    def _reasons(self, assignment: NumberAssignment | None) -> list[str]:
        if assignment is None:
            return [NO_NUMBER]
        address = assignment.emergency_address
        found = {
            NO_ADDRESS: address.retired_at is not None,
            ELSEWHERE: address.country != assignment.number.area.country,
            NOT_VALIDATED: address.current_id is None,
            NO_DISCLAIMER: address.country in self._to_accept,
            NO_PLACE: assignment.place_id is None and assignment.number.area.country in self._with_places,
        }
        return [reason for reason, applies in found.items() if applies]

    @property
    def _conditions(self) -> dict[str, Any]:
        # What _reasons tells of one, told of all by the database.
        has = NumberAssignment.objects.filter(organization=self.organization, member=OuterRef("pk"), until=None)
        return {
            NO_NUMBER: ~Exists(has),
            NO_ADDRESS: Exists(has.filter(emergency_address__retired_at__isnull=False)),
            ELSEWHERE: Exists(has.exclude(emergency_address__country=F("number__area__country"))),
            NOT_VALIDATED: Exists(has.filter(emergency_address__current=None)),
            NO_DISCLAIMER: Exists(has.filter(emergency_address__country__in=self._to_accept)),
            NO_PLACE: Exists(has.filter(place=None, number__area__country__in=self._with_places)),
        }

    @cached_property
    def _with_places(self) -> frozenset[str]:
        return countries_with_places()

    @cached_property
    def _to_accept(self) -> list[str]:
        """The countries whose disclaimer, as it counts now, the organization has not accepted."""
        begun = Disclaimer.objects.filter(begins_at__lte=DatabaseClock()).order_by("country", "-version")
        current = {row.pk: row.country for row in begun.distinct("country").only("country")}
        accepted = DisclaimerAcceptance.objects.filter(organization=self.organization, disclaimer__in=current)
        done = set(accepted.values_list("disclaimer_id", flat=True))
        return sorted(country for key, country in current.items() if key not in done)


def callers(organization: Organization) -> MemberQuerySet:
    """Everybody who can be given a number: active or invited, with an awake seat of Phone System."""
    of_product = Q(product__code=PHONE_SYSTEM) | Q(product__includes__code=PHONE_SYSTEM)
    seats: QuerySet[LicenseAssignment] = LicenseAssignment.objects.filter(
        of_product, organization=organization, member=OuterRef("pk")
    ).awake()
    return Member.objects.of(organization).filter(Exists(seats), state__in=WHO_MAY)


def readiness_of(organization: Organization, reason: str = "") -> Readiness:
    """The same without a page: for commands, files and the overview."""
    return Readiness(organization, QueryDict(), reason)
