"""Seats of licenses: assigned to people, and taken away."""

from django.db import transaction

from members.access import Actor, Capability, require
from members.acts import lock_members
from members.errors import SelectionChanged
from members.locks import take_time
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from telephony.models import Product
from telephony.seating import give_seats, take_seats


@transaction.atomic(durable=True)
def assign_licenses(
    *,
    actor: Actor,
    organization: Organization,
    product: Product,
    members: MemberQuerySet,
    expected: int | None = None,
) -> int:
    """Give each of ``members`` a seat of a product: all of them, or nobody; who has one keeps it.

    Gives how many got one, or one in place of one that sleeps; ``expected`` is how many were shown. Raises
    NoFreeSeat, RequirementMissing, AlreadyIncluded, OnlyBusiness, HasLeftAlready, SelectionChanged.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    take_time()
    keys = _lock(organization, members, expected)
    plan = give_seats(organization, actor, product, keys)
    return len(plan.getting) + len(plan.waking)


@transaction.atomic(durable=True)
def unassign_licenses(
    *,
    actor: Actor,
    organization: Organization,
    product: Product,
    members: MemberQuerySet,
    with_dependents: bool = False,
    expected: int | None = None,
) -> int:
    """Take seats of a product away from ``members``; who has none is left alone. Gives how many lost one.

    Seats of what requires it go along ``with_dependents``, else StillNeeded is raised. Raises SelectionChanged.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    take_time()
    keys = _lock(organization, members, expected)
    ended = take_seats(organization, actor, product, keys, with_dependents=with_dependents)
    return len(ended[product.code])


def _lock(organization: Organization, members: MemberQuerySet, expected: int | None) -> list[int]:
    # Of this organization, whoever put the choice together.
    own = Member.objects.of(organization).filter(pk__in=members.order_by().values("pk"))
    keys = lock_members(own)
    if expected not in (None, len(keys)):
        raise SelectionChanged(expected=expected, number=len(keys))
    return keys
