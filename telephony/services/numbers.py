"""What an organization does with the numbers it owns: it tags them, and gives them back to the stock."""

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, Fact, record_many
from members.locks import lock_organization
from members.models import Organization
from members.operations import claim, settle
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from skypemgr.many_rows import insert_rows
from telephony.errors import NumberAssigned, TooManyNumbers, TooManyTags
from telephony.models import NumberAssignment, NumberTag, PhoneNumber
from telephony.phone_numbers import shown_number
from telephony.releasing import give_back
from telephony.tags import MOST_TAGS, tag_key

# So many are given back at once.
MOST_RELEASED = 1_000
# So many are tagged at once.
MOST_TAGGED = 500


@transaction.atomic(durable=True)
def release_numbers(
    *, actor: Actor, organization: Organization, numbers: Collection[PhoneNumber], reason: str = ""
) -> int:
    """Give numbers back to the stock, all of them or none; gives how many.

    For 90 days nobody but this organization can reserve them. Raises NumberAssigned while somebody has one.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    locked = _lock(organization, numbers)
    now = database_now()
    keys = [number.pk for number in locked]
    held = NumberAssignment.objects.filter(number__in=keys, until=None).select_related("number", "member__user")
    if taken := held.order_by("number__number").first():
        raise NumberAssigned(number=shown_number(taken.number.number), name=taken.member.user.display_name)
    give_back(actor=actor, organization=organization, locked=locked, now=now, reason=reason)
    kill_point("release.before_commit")
    return len(locked)


def _lock(organization: Organization, numbers: Collection[PhoneNumber]) -> list[PhoneNumber]:
    """Numbers of an organization, locked by key. Raises PermissionDenied when one of them is not its own."""
    keys = {number.pk for number in numbers}
    own = PhoneNumber.objects.of(organization).filter(pk__in=keys).select_related("area")
    locked = list(own.select_for_update(of=("self",)).order_by("pk"))
    if not keys or len(locked) != len(keys):
        raise PermissionDenied
    return locked


@transaction.atomic(durable=True)
def tag_numbers(
    *, actor: Actor, organization: Organization, numbers: Collection[PhoneNumber], tag: str, key: UUID | None = None
) -> int:
    """Give numbers a tag of 50 characters at most, in whatever case they have it; gives how many had it not.

    The same ``key`` with the same numbers and tag gives the first answer. Raises TooManyTags when one of them has 50,
    TooManyNumbers for more than 500 of them, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    if (done := _claim_tags(organization, "tag_numbers", key, numbers, tag)) is not None:
        return done
    name = " ".join(tag.split())
    compared = tag_key(name)
    locked = _lock(organization, numbers)
    tagged: dict[int, set[str]] = {number.pk: set() for number in locked}
    for number, known in NumberTag.objects.filter(number__in=tagged).values_list("number", "key"):
        tagged[number].add(known)
    new = [number for number in locked if compared not in tagged[number.pk]]
    if any(len(tagged[number.pk]) >= MOST_TAGS for number in new):
        raise TooManyTags(most=MOST_TAGS)
    insert_rows([NumberTag(organization=organization, number=number, name=name, key=compared) for number in new])
    _record_tags(actor, organization, Action.NUMBER_TAGGED, new, name)
    return _settle_tags(organization, "tag_numbers", key, len(new))


@transaction.atomic(durable=True)
def untag_numbers(
    *, actor: Actor, organization: Organization, numbers: Collection[PhoneNumber], tag: str, key: UUID | None = None
) -> int:
    """Take a tag from numbers, in whatever case it is written; gives how many had it.

    The same ``key`` with the same numbers and tag gives the first answer. Raises TooManyNumbers, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    if (done := _claim_tags(organization, "untag_numbers", key, numbers, tag)) is not None:
        return done
    locked = _lock(organization, numbers)
    found = NumberTag.objects.filter(organization=organization, number__in=locked, key=tag_key(tag))
    had = set(found.values_list("number", flat=True))
    found.delete()
    _record_tags(actor, organization, Action.NUMBER_UNTAGGED, [one for one in locked if one.pk in had], tag)
    return _settle_tags(organization, "untag_numbers", key, len(had))


def _claim_tags(
    organization: Organization, name: str, key: UUID | None, numbers: Collection[PhoneNumber], tag: str
) -> int | None:
    """How many changed when ``key`` first came; None when it never did. Raises TooManyNumbers, KeyReused."""
    if len(numbers) > MOST_TAGGED:
        raise TooManyNumbers(most=MOST_TAGGED)
    if key is None:
        return None
    facts: dict[str, object] = {"numbers": sorted(number.pk for number in numbers), "tag": tag_key(tag)}
    earlier = claim(organization=organization, name=name, key=key, facts=facts)
    return int(earlier.result["changed"]) if earlier else None


def _settle_tags(organization: Organization, name: str, key: UUID | None, changed: int) -> int:
    if key is not None:
        settle(organization=organization, name=name, key=key, result={"changed": changed})
    return changed


def _record_tags(
    actor: Actor, organization: Organization, action: Action, numbers: Collection[PhoneNumber], tag: str
) -> None:
    record_many(
        organization=organization,
        actor=actor,
        facts=[Fact(action=action, subject=number, after={"number": number.number, "tag": tag}) for number in numbers],
    )
