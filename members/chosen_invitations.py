"""The invitations that a bulk action's pages are about, and the list they were chosen on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext, pgettext_lazy

from members.batches import takes_long
from members.choosing import SHOWN_NAMES, refuse_changed
from members.decorators import OrganizationRequest
from members.models import Invitation, Organization
from members.models.invitations import InvitationQuerySet
from members.registry import Text
from members.selectors.invitations import list_invitations
from skypemgr.lists import Ordering, Selection, read_choice, read_text
from skypemgr.templatetags.look import count

NEWEST = Ordering("newest", ("-id",))
STATES: Mapping[str, Text] = {
    "pending": pgettext_lazy("invitations", "Waiting"),
    "opened": pgettext_lazy("invitations", "Opened"),
    "bounced": pgettext_lazy("invitations", "Bounced"),
    "expired": pgettext_lazy("invitations", "Expired"),
    "replied": pgettext_lazy("invitations", "With a question"),
    "accepted": pgettext_lazy("invitations", "Accepted"),
    "declined": pgettext_lazy("invitations", "Declined"),
    "canceled": pgettext_lazy("invitations", "Canceled"),
}
# People act on these; how many there are of the others nobody needs to know.
UNANSWERED = ("pending", "opened", "bounced", "expired", "replied")


@dataclass(frozen=True)
class InvitationsQuery:
    """What the address of the list asks for: a tab and a search."""

    organization: Organization
    state: str
    search: str

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> Self:
        return cls(organization, read_choice(query, "state", list(STATES), "pending"), read_text(query))

    def matching(self) -> InvitationQuerySet:
        return list_invitations(self.organization, state=self.state, search=self.search)

    def kept(self) -> list[tuple[str, str]]:
        """The hidden inputs that ask for the same again."""
        asked = {"state": "" if self.state == "pending" else self.state, "q": self.search}
        return [(key, value) for key, value in asked.items() if value]


@dataclass(frozen=True)
class ChosenInvitations:
    """Invitations ticked on the list, or all that match, and the list they were chosen on."""

    selection: Selection
    asked: InvitationsQuery

    @classmethod
    def read(cls, request: OrganizationRequest, query: QueryDict) -> Self:
        return cls(Selection.read(query, name="invitation"), InvitationsQuery.read(request.organization, query))

    @property
    def invitations(self) -> InvitationQuerySet:
        everything = Invitation.objects.filter(organization=self.asked.organization)
        return cast(InvitationQuerySet, self.selection.of(everything, self.asked.matching()))

    @cached_property
    def number(self) -> int:
        return self.invitations.order_by().count()

    @property
    def is_many(self) -> bool:
        """Whether it takes longer than a page may to change them."""
        return takes_long(self.number)

    def refuse_changed(self, query: QueryDict) -> None:
        """Raises SelectionChanged when the form that comes back was shown with another number of invitations."""
        refuse_changed(query, self.number)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The hidden inputs that choose the same invitations again, and remember their list."""
        return self.selection.fields([]) + self.asked.kept()

    @property
    def list_url(self) -> str:
        url = reverse("members:invitation_list", args=[self.asked.organization.slug])
        filters = self.asked.kept()
        return f"{url}?{urlencode(filters)}" if filters else url

    def names(self) -> list[str]:
        """Some of them, to be named."""
        some = self.invitations.select_related("member__user", "user").order_by("-id")[:SHOWN_NAMES]
        return [called(invitation) for invitation in some]

    def title(self) -> str:
        return ngettext("{number} invitation", "{number} invitations", self.number).format(number=count(self.number))

    def others(self) -> str:
        """How many more there are than are named, as a phrase; "" when there are none."""
        rest = self.number - SHOWN_NAMES
        if rest <= 0:
            return ""
        return ngettext("and {number} other", "and {number} others", rest).format(number=count(rest))


def called(invitation: Invitation) -> str:
    """What somebody who was invited is called here: by the account of theirs that is known, or by the address."""
    if invitation.member is not None:
        return invitation.member_name
    return invitation.user.skype_name if invitation.user else invitation.email


def shown_address(invitation: Invitation) -> str:
    """The address it went to; "" of somebody who was asked by Skype Name, whose address is theirs to tell."""
    by_name = invitation.kind == "personal" and invitation.user and not invitation.member
    return "" if by_name else invitation.email


def nothing_chosen() -> str:
    return gettext("Nothing was chosen. Tick invitations in the list first.")
