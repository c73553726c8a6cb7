"""Seats of licenses: assigned to people, and taken away; of one, of many at once, or behind the pages."""

from uuid import UUID

from django.db import transaction

from members.access import Actor, Capability, require
from members.acts import lock_members
from members.errors import SelectionChanged
from members.locks import take_time
from members.models import Batch, Member, Organization
from members.models.people import MemberQuerySet
from members.runs import begin_run_once
from telephony.models import Product
from telephony.seat_runs import ASSIGN, TAKE, give_to_able
from telephony.seating import give_seats, take_seats


@transaction.atomic(durable=True)
def assign_licenses(
    *,
    actor: Actor,
    organization: Organization,
    product: Product,
    members: MemberQuerySet,
    expected: int | None = None,
    leave_out: bool = False,
) -> int:
    """Give each of ``members`` a seat of a product: all of them, or nobody; who has one keeps it.

    Who can't have one is left alone with ``leave_out``, and else refuses it for all: NoFreeSeat, RequirementMissing,
    AlreadyIncluded, OnlyBusiness, HasLeftAlready. Gives how many got one, or one in place of one that sleeps;
    ``expected`` is how many were shown. Raises NoFreeSeat either way, SelectionChanged.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    take_time()
    keys = _lock(organization, members, expected)
    if leave_out:
        number, _reasons = give_to_able(organization, actor, product, Member.objects.filter(pk__in=keys))
        return number
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

    Seats of what requires it, and numbers, go along ``with_dependents``, else StillNeeded or NumberNeedsIt is raised.
    Raises SelectionChanged.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    take_time()
    keys = _lock(organization, members, expected)
    ended = take_seats(organization, actor, product, keys, with_dependents=with_dependents)
    return len(ended[product.code])


@transaction.atomic(durable=True)
def start_assigning(
    *,
    actor: Actor,
    organization: Organization,
    product: Product,
    members: MemberQuerySet,
    expected: int,
    key: UUID,
) -> Batch:
    """Begin to do what ``assign_licenses`` does behind the pages, leaving out who can't have one.

    The same key gives the same run. Raises SelectionChanged, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    return begin_run_once(
        actor=actor,
        organization=organization,
        kind=ASSIGN,
        members=members,
        expected=expected,
        facts={"product": product.code},
        key=key,
    )


@transaction.atomic(durable=True)
def start_unassigning(
    *,
    actor: Actor,
    organization: Organization,
    product: Product,
    members: MemberQuerySet,
    with_dependents: bool,
    expected: int,
    key: UUID,
) -> Batch:
    """Begin to do what ``unassign_licenses`` does behind the pages. The same key gives the same run.

    Raises SelectionChanged, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    return begin_run_once(
        actor=actor,
        organization=organization,
        kind=TAKE,
        members=members,
        expected=expected,
        facts={"product": product.code, "together": with_dependents},
        key=key,
    )


def _lock(organization: Organization, members: MemberQuerySet, expected: int | None) -> list[int]:
    # Of this organization, whoever put the choice together.
    own = Member.objects.of(organization).filter(pk__in=members.order_by().values("pk"))
    keys = lock_members(own)
    if expected not in (None, len(keys)):
        raise SelectionChanged(expected=expected, number=len(keys))
    return keys
