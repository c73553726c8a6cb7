"""The organizations of an installation, for those who run it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import ngettext_lazy

from members.models import Letter, Member, Organization
from skypemgr.lists import Ordering, Page, count_up_to, keyset_page, read_text

BY_ADDRESS = Ordering("address", ("slug", "id"))


@dataclass(frozen=True)
class OrganizationRow:
    organization: Organization
    members: int
    letters_waiting: int


def page_of_organizations(query: QueryDict) -> tuple[Page[Organization], list[OrganizationRow]]:
    """A page of all organizations by their address, with how many are present and how many letters wait."""
    organizations = Organization.objects.all()
    if search := read_text(query):
        organizations = organizations.filter(Q(name__icontains=search) | Q(slug__icontains=search))
    total = count_up_to(organizations)
    text = ngettext_lazy("{shown} of {total} organization, by address", "{shown} of {total} organizations, by address")
    page = keyset_page(organizations, order=BY_ADDRESS, query=query, text=text % total.number, total=total)
    keys = [organization.pk for organization in page.rows]
    members = _count(Member.objects.present().filter(organization__in=keys))
    letters = _count(Letter.objects.filter(organization__in=keys, state=Letter.State.WAITING))
    rows = [
        OrganizationRow(organization, members.get(organization.pk, 0), letters.get(organization.pk, 0))
        for organization in page.rows
    ]
    return page, rows


def count_held_letters() -> int:
    """How many letters are held since the data were restored."""
    return Letter.objects.filter(state=Letter.State.WAITING, held_at__isnull=False).count()


def _count(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("organization").annotate(Count("pk")))
