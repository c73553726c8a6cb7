"""Who may do something in the console, and who else could."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from members.models import AuthenticatorApp, Member, Organization, Passkey
from members.selectors.member_pages import Words, find_by_words
from skypemgr.lists import Ordering, Page, keyset_page

# By their names, administrators come first.
BY_ROLE = Ordering("role", ("role", "sort_key", "id"))
POWERFUL = [role for role in Member.Role.values if role != Member.Role.MEMBER]
MOST_FOUND = 10


def role_holders_page(organization: Organization, query: QueryDict) -> Page[Member]:
    """A page of those with a role above "member" who have not left: administrators first, then the managers.

    Each is ``protected`` when they have a second factor.
    """
    holders = Member.objects.of(organization).present().filter(role__in=POWERFUL).with_people()
    return keyset_page(
        holders.annotate(
            protected=Q(Exists(AuthenticatorApp.objects.filter(user=OuterRef("user"))))
            | Q(Exists(Passkey.objects.filter(user=OuterRef("user"))))
        ),
        order=BY_ROLE,
        query=query,
    )


def find_plain_members(organization: Organization, search: str) -> Sequence[Member]:
    """The first ten members without a role, by name, in whom every word typed is found; nobody for no words."""
    if not search:
        return []
    plain = Member.objects.of(organization).present().filter(role=Member.Role.MEMBER)
    keys = find_by_words(plain, Words(search), Q(), BY_ROLE.fields[1:], MOST_FOUND, common=False)
    return list(Member.objects.filter(pk__in=keys).with_people().order_by("sort_key", "id"))


def lone_administrator(organization: Organization) -> int | None:
    """The key of the member without whom nobody would administer ``organization``; None while there are others."""
    administrators = list(Member.objects.of(organization).administrators().values_list("pk", flat=True)[:2])
    return administrators[0] if len(administrators) == 1 else None
