"""Who else is a member, for members themselves: those who have joined, by name and never by address."""

from collections.abc import Sequence

from django.db.models import F, Func, Q, Value
from django.http import QueryDict

from members.models import Member, Organization
from members.models.people import MemberQuerySet
from members.selectors.member_pages import Words, find_by_words
from skypemgr.lists import Ordering, Page, keyset_page

BY_NAME = Ordering("name", ("sort_key", "id"))
# What a member is searched by, without its last word, which is the address.
_NAMES = Func(F("search_text"), Value(" [^ ]*$"), Value(""), function="regexp_replace")


def colleagues_page(organization: Organization, query: QueryDict, *, search: str, text: str) -> Page[Member]:
    """A page of the active members of ``organization``, all of them or those whose name has every word typed."""
    active = Member.objects.of(organization).filter(state=Member.State.ACTIVE)
    if not search:
        return keyset_page(active.with_people(), order=BY_NAME, query=query, text=text)
    words = Words(search)
    # Found by the index of what everybody is searched by; an address that matches alone doesn't count.
    named = active.alias(names=_NAMES).filter(words.condition_on("names"))

    def take(beyond: Q, fields: Sequence[str], number: int) -> list[Member]:
        return _in_order(find_by_words(named, words, beyond, fields, number, common=False))

    return keyset_page(active, order=BY_NAME, query=query, text=text, take=take)


def _in_order(keys: Sequence[int]) -> list[Member]:
    people: MemberQuerySet = Member.objects.filter(pk__in=keys).with_people()
    found = {member.pk: member for member in people}
    return [found[key] for key in keys if key in found]
