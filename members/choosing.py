"""The people that a bulk action's pages are about, and sentences for how far it would reach."""

from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext

from members.batches import takes_long
from members.decorators import OrganizationRequest
from members.errors import SelectionChanged
from members.models import Member
from members.models.people import MemberQuerySet
from members.selectors.members import MembersQuery, for_list
from skypemgr.lists import Selection, read_number
from skypemgr.templatetags.look import count

SHOWN_NAMES = 5


def refuse_changed(query: QueryDict, number: int) -> None:
    """Raises SelectionChanged when the form that comes back was shown with another number than is chosen now."""
    shown = read_number(query, "count")
    if "count" in query and shown != number:
        raise SelectionChanged(expected=shown, number=number)


@dataclass(frozen=True)
class Chosen:
    """People chosen on the members list, and the list they were chosen on."""

    selection: Selection
    asked: MembersQuery

    @classmethod
    def read(cls, request: OrganizationRequest, query: QueryDict) -> Self:
        return cls(Selection.read(query, name="member"), MembersQuery.read(request.organization, query))

    @property
    def members(self) -> MemberQuerySet:
        everyone = Member.objects.of(self.asked.organization)
        return cast(MemberQuerySet, self.selection.of(everyone, self.asked.matching()))

    @cached_property
    def number(self) -> int:
        return self.asked.number() if self.selection.everything else self.members.order_by().count()

    @property
    def is_many(self) -> bool:
        """Whether it takes longer than a page may to change them."""
        return takes_long(self.number)

    def refuse_changed(self, query: QueryDict) -> None:
        """Raises SelectionChanged when the form that comes back was shown with another number of people."""
        refuse_changed(query, self.number)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The hidden inputs that choose the same people again, and remember their list."""
        return self.selection.fields([]) + self.asked.kept()

    @property
    def list_url(self) -> str:
        url = reverse("members:member_list", args=[self.asked.organization.slug])
        filters = self.asked.kept()
        return f"{url}?{urlencode(filters)}" if filters else url

    def names(self) -> list[Member]:
        """Some of them, to be named."""
        if self.selection.everything:
            return self.asked.first(SHOWN_NAMES)
        return list(for_list(self.members).order_by("sort_key", "pk")[:SHOWN_NAMES])

    def title(self) -> str:
        return ngettext("{number} person", "{number} people", self.number).format(number=count(self.number))

    def others(self) -> str:
        """How many more there are than are named, as a phrase; "" when there are none."""
        rest = self.number - SHOWN_NAMES
        if rest <= 0:
            return ""
        return ngettext("and {number} other", "and {number} others", rest).format(number=count(rest))


def nobody_chosen() -> str:
    return gettext("Nobody was chosen. Tick people in the list first.")
