"""Seats given to people and taken away, to all of some or to nobody: building blocks, whoever asks for it.

Whoever changes seats holds the rows of their people first, and then those of the licenses, both by key. So what
somebody has stays as it is while it is looked at, and so do the free seats.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet

from members.access import Actor
from members.audit import Action
from members.audit_sets import record_for_members
from members.models import Member, Organization, User
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.many_rows import insert_rows
from telephony.assigning import take_back
from telephony.catalog import Catalog
from telephony.license_errors import (
    AboutPeople,
    AlreadyIncluded,
    HasLeftAlready,
    NoFreeSeat,
    NumberNeedsIt,
    OnlyBusiness,
    RequirementMissing,
    StillNeeded,
)
from telephony.models import License, LicenseAssignment, NumberAssignment, Product
from telephony.models.licenses import LicenseAssignmentQuerySet
from telephony.phone_numbers import shown_number
from telephony.selectors.licenses import PHONE_SYSTEM

Ending = LicenseAssignment.Ending
# Of members: themselves, or where the database finds them.
type Keys = Sequence[int] | QuerySet[Member, Any]


@dataclass(frozen=True)
class Plan:
    """Keys of members: who would get a seat, whose sleeping one would be replaced, and who has one and keeps it."""

    getting: Sequence[int]
    waking: Sequence[int]
    having: Sequence[int]


def lock_licenses(organization: Organization, products: Sequence[int]) -> list[License]:
    """The licenses of some products that have not ended, as they stay until the transaction ends."""
    found = License.objects.filter(organization=organization, product__in=products).owned()
    return list(found.select_for_update(no_key=True, of=("self",)).order_by("pk"))


def lock_all_licenses(organization: Organization) -> list[License]:
    """All licenses that have not ended, with their products, as they stay until the transaction ends."""
    found = License.objects.filter(organization=organization).owned().select_related("product", "organization")
    return list(found.select_for_update(no_key=True, of=("self",)).order_by("pk"))


def lock_license(organization: Organization, bought: License) -> License:
    """One license as it stays until the transaction ends, ended or not; that of another is nobody's to change."""
    found = License.objects.select_for_update(no_key=True, of=("self",)).select_related("product")
    locked = found.filter(organization=organization, pk=bought.pk).order_by("pk").first()
    if locked is None:
        raise PermissionDenied
    return locked


def seats_of(organization: Organization, keys: Keys) -> Mapping[int, set[str]]:
    """By member, the codes of the products they have open seats of, asleep or not."""
    found: dict[int, set[str]] = defaultdict(set)
    seats = LicenseAssignment.objects.filter(organization=organization, member__in=keys).open()
    for member, code in seats.values_list("member_id", "product__code"):
        found[member].add(code)
    return found


def plan_assignment(organization: Organization, product: Product, keys: Sequence[int]) -> Plan:
    """Who of ``keys`` would get a seat of a product.

    Raises HasLeftAlready, OnlyBusiness, AlreadyIncluded, RequirementMissing (004-05), NoFreeSeat.
    """
    catalog, code = Catalog.load(), product.code
    facts = list(Member.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "state", "account_kind"))
    _refuse(HasLeftAlready, [key for key, state, _kind in facts if state == Member.State.LEFT], product=product.name)
    if product.business_only:
        personal = [key for key, _state, kind in facts if kind == User.Kind.PERSONAL]
        _refuse(OnlyBusiness, personal, product=product.name)
    has = seats_of(organization, keys)
    getting = [key for key, _state, _kind in facts if code not in has[key]]
    by = {key: found for key in getting if (found := catalog.includers(code, has[key]))}
    first = next(iter(by.values()), [])
    _refuse(AlreadyIncluded, list(by), product=product.name, by=catalog.names(first[:1]))
    lacking = [key for key in getting if not catalog.meets(code, has[key])]
    required = (other for other in catalog.products if other in catalog.requires[code])
    _refuse(RequirementMissing, lacking, product=product.name, required=catalog.names(required))
    having = [key for key, _state, _kind in facts if code in has[key]]
    asleep = _seats(organization, product, having).filter(license__asleep_since__isnull=False)
    waking = sorted(asleep.values_list("member_id", flat=True))
    awake = License.objects.filter(organization=organization, product=product).awake()
    free = sum(awake.values_list(F("quantity") - F("assigned"), flat=True))
    if len(getting) + len(waking) > free:
        raise NoFreeSeat(product=product.name, wanted=len(getting) + len(waking), free=free)
    return Plan(getting, waking, sorted(set(having) - set(waking)))


def plan_taking_away(
    organization: Organization, product: Product, keys: Keys, *, with_dependents: bool
) -> Mapping[str, list[int]]:
    """By product, whose seats would end: those of ``product``, and of what requires it.

    Raises StillNeeded when there are such others and NumberNeedsIt when numbers need it, unless they may go along.
    """
    catalog, has = Catalog.load(), seats_of(organization, keys)
    having = [key for key in sorted(has) if product.code in has[key]]
    ending: dict[str, list[int]] = {product.code: having}
    for key in having:
        for code in catalog.dependents(has[key], product.code):
            ending.setdefault(code, []).append(key)
    others = [code for code in ending if code != product.code]
    if others and not with_dependents:
        people = sorted({key for code in others for key in ending[code]})
        _refuse(StillNeeded, people, product=product.name, dependents=catalog.names(others))
    if not with_dependents and (held := numbers_ending_with(organization, ending)):
        people = [assignment.member_id for assignment in held]
        _refuse(NumberNeedsIt, people, product=product.name, number=shown_number(held[0].number.number))
    return ending


def carrying_numbers() -> set[str]:
    """The codes of the products with which somebody can have a number."""
    catalog = Catalog.load()
    return {code for code in catalog.products if PHONE_SYSTEM in catalog.had_with([code])}


def numbers_ending_with(organization: Organization, ending: Mapping[str, Sequence[int]]) -> list[NumberAssignment]:
    """The numbers of those who can't have one once their seats end, by product; seats they keep may carry them."""
    carrying = carrying_numbers()
    keys = sorted({key for code in carrying & ending.keys() for key in ending[code]})
    if not keys:
        return []
    has, ends = seats_of(organization, keys), {code: set(some) for code, some in ending.items()}
    losing = [key for key in keys if not any(key not in ends.get(code, ()) for code in carrying & has[key])]
    held = NumberAssignment.objects.filter(organization=organization, member__in=losing, until=None)
    return list(held.select_related("number").order_by("member"))


@transaction.atomic(savepoint=False)
def give_seats(organization: Organization, actor: Actor, product: Product, keys: Sequence[int]) -> Plan:
    """Give a seat to each of some members, who are locked already; who has one keeps it. Raises as plan_assignment."""
    licenses = [one for one in lock_licenses(organization, [product.pk]) if one.asleep_since is None]
    plan = plan_assignment(organization, product, keys)
    places = _free_places(licenses)
    for one, some in _grouped(places, plan.waking):
        _seats(organization, product, some).update(license=one)
    now = database_now()
    insert_rows(
        [
            LicenseAssignment(
                organization_id=organization.pk,
                license_id=one,
                product_id=product.pk,
                member_id=member,
                assigned_at=now,
                assigned_by_id=actor.member.pk if actor.member else None,
            )
            for member, one in zip(plan.getting, places, strict=False)
        ]
    )
    _record(organization, actor, Action.LICENSE_ASSIGNED, product, plan.getting)
    return plan


@transaction.atomic(savepoint=False)
def take_seats(
    organization: Organization, actor: Actor, product: Product, keys: Sequence[int], *, with_dependents: bool
) -> Mapping[str, list[int]]:
    """Take seats away from some members, who are locked already, and the numbers that need them.

    Raises what plan_taking_away raises.
    """
    ending = plan_taking_away(organization, product, keys, with_dependents=with_dependents)
    if held := numbers_ending_with(organization, ending):
        losing = [assignment.member_id for assignment in held]
        take_back(actor=actor, organization=organization, members=losing, now=database_now(), cooling_days=0)
    end_seats(organization, actor, ending, {product.code: Ending.UNASSIGNED})
    return ending


@transaction.atomic(savepoint=False)
def end_seats(
    organization: Organization, actor: Actor, ending: Mapping[str, Sequence[int]], why: Mapping[str, str]
) -> None:
    """End the seats of members by product, in the order in which they depend on each other; ``why`` by product."""
    products = {product.code: product for product in Product.objects.filter(code__in=ending)}
    lock_licenses(organization, sorted(product.pk for product in products.values()))
    for code, keys in ending.items():
        seats = LicenseAssignment.objects.filter(organization=organization, product=products[code], member__in=keys)
        seats.open().update(
            ended_at=DatabaseClock(),
            ending=why.get(code, Ending.REQUIREMENT),
            ended_by_id=actor.member.pk if actor.member else None,
        )
        _record(organization, actor, Action.LICENSE_UNASSIGNED, products[code], keys)


@transaction.atomic(savepoint=False)
def end_all_seats(organization: Organization, actor: Actor, keys: Sequence[int]) -> None:
    """End every seat of members who have left, and who are locked."""
    ending: dict[str, list[int]] = {}
    seats = LicenseAssignment.objects.filter(organization=organization, member__in=keys).open()
    for member, code in seats.order_by("pk").values_list("member_id", "product__code"):
        ending.setdefault(code, []).append(member)
    if ending:
        end_seats(organization, actor, ending, dict.fromkeys(ending, Ending.LEFT))


@transaction.atomic(savepoint=False)
def vacate(organization: Organization, actor: Actor, left: License, *, keep: int, ends: bool = True) -> None:
    """Let all but ``keep`` of the people of a license go on with free awake seats of the same product.

    Those for whom there is none lose theirs, with what requires it, unless it only sleeps (``ends`` is False); who
    came last first. People and all licenses are locked already.
    """
    product = left.product
    others = License.objects.filter(organization=organization, product=product).awake().exclude(pk=left.pk)
    seats = LicenseAssignment.objects.filter(organization=organization, license=left).open()
    leaving = list(seats.order_by("assigned_at", "pk").values_list("member_id", flat=True))[keep:]
    places = _free_places(list(others.order_by("pk")))
    moved = leaving[: sum(one.free for one in others)]
    for one, some in _grouped(places, moved):
        _seats(organization, product, some).update(license=one)
    losing = leaving[len(moved) :]
    if ends and losing:
        ending = plan_taking_away(organization, product, losing, with_dependents=True)
        end_seats(organization, actor, ending, {product.code: Ending.EXPIRED})


def _seats(organization: Organization, product: Product, keys: Sequence[int]) -> LicenseAssignmentQuerySet:
    return LicenseAssignment.objects.filter(organization=organization, product=product, member__in=keys).open()


def _free_places(licenses: Sequence[License]) -> Iterator[int]:
    """The key of a license for each of its free seats; first those that go on longest."""
    for one in sorted(
        licenses, key=lambda one: (one.renewed_quantity == 0, one.grace_since is not None, -one.renews_on.toordinal())
    ):
        yield from repeat(one.pk, one.free)


def _grouped(places: Iterator[int], members: Sequence[int]) -> list[tuple[int, list[int]]]:
    """So many places as there are members, by license."""
    found: dict[int, list[int]] = {}
    for member, one in zip(members, places, strict=False):
        found.setdefault(one, []).append(member)
    return list(found.items())


def _record(organization: Organization, actor: Actor, action: Action, product: Product, keys: Sequence[int]) -> None:
    facts = {"product": product.code}
    before, after = ({}, facts) if action is Action.LICENSE_ASSIGNED else (facts, {})
    record_for_members(
        organization=organization, actor=actor, action=action, keys=list(keys), before=before, after=after
    )


def _refuse(error: type[AboutPeople], people: Sequence[int], **facts: object) -> None:
    if people:
        first = Member.objects.select_related("user").get(pk=people[0])
        raise error(people=len(people), name=first.user.display_name, **facts)
