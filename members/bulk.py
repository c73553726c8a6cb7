"""Which of many chosen members an action concerns, and why the others are left alone.

The confirmation page counts by these, and the service acts by the same ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Value, When

from members.access import ROLES, Actor
from members.departments import AnyDepartment, DepartmentToBe
from members.models import Department, Member
from members.models.people import MemberQuerySet

State = Member.State


@dataclass(frozen=True)
class Reach:
    """How far an action reaches among ``chosen`` members: how many it changes, and how many are left, by reason.

    The reasons are "there" and "blocked" (nothing would change), "invited" (have not joined), "joined", "left",
    "answered" (of invitations), "above" (have a role whose powers the actor lacks) and "self".
    """

    chosen: int
    changed: int
    untouched: tuple[tuple[str, int], ...]


def roles_above(actor: Actor) -> list[str]:
    """The roles that can do what ``actor`` can't; who has one is not theirs to change."""
    return [role for role, capabilities in ROLES.items() if not capabilities <= actor.capabilities]


def movable(chosen: MemberQuerySet, actor: Actor, department: Department | None) -> MemberQuerySet:
    """Those of ``chosen`` who would go to ``department`` (None: to none)."""
    return _without(chosen, move_exceptions(actor, department))


def reach_of_move(chosen: MemberQuerySet, actor: Actor, department: AnyDepartment) -> Reach:
    return reach_of(chosen, move_exceptions(actor, department))


def blockable(chosen: MemberQuerySet, actor: Actor) -> MemberQuerySet:
    """Those of ``chosen`` who can sign in now and may be stopped by ``actor``, who can't stop themselves."""
    return _without(chosen, block_exceptions(actor))


def reach_of_block(chosen: MemberQuerySet, actor: Actor) -> Reach:
    return reach_of(chosen, block_exceptions(actor))


def invitable(chosen: MemberQuerySet) -> MemberQuerySet:
    """Those of ``chosen`` whose invitation still waits."""
    return _without(chosen, resend_exceptions())


def reach_of_resend(chosen: MemberQuerySet) -> Reach:
    return reach_of(chosen, resend_exceptions())


def reasons_of(chosen: QuerySet[Any], exceptions: "Exceptions") -> dict[int, str]:
    """Why each of ``chosen`` is left alone, by key; "" for those who are not."""
    return dict(chosen.order_by().annotate(reason=_reason(exceptions)).values_list("pk", "reason"))


def left_alone(chosen: MemberQuerySet, exceptions: "Exceptions", why: str) -> MemberQuerySet:
    """Those of ``chosen`` who are left alone for one reason."""
    return chosen.annotate(reason=_reason(exceptions)).filter(reason=why)


def sort_out(chosen: QuerySet[Any], exceptions: "Exceptions") -> tuple[list[int], dict[int, str]]:
    """The keys of those of ``chosen`` that an act concerns, and why each of the others is left alone."""
    reasons = reasons_of(chosen, exceptions)
    return [key for key, why in reasons.items() if not why], {key: why for key, why in reasons.items() if why}


type Exceptions = Sequence[tuple[str, Q]]


# Who is left alone for two reasons is counted once, for the first.
def move_exceptions(actor: Actor, department: AnyDepartment) -> Exceptions:
    return [
        ("left", Q(state=State.LEFT)),
        # Nobody is in one that is still to be made.
        ("there", Q(pk__in=[]) if isinstance(department, DepartmentToBe) else Q(department=department)),
        ("above", Q(role__in=roles_above(actor))),
    ]


def block_exceptions(actor: Actor) -> Exceptions:
    return [
        ("left", Q(state=State.LEFT)),
        ("blocked", Q(state=State.BLOCKED)),
        ("invited", Q(state=State.INVITED)),
        ("self", Q(pk=actor.member.pk) if actor.member else Q(pk__in=[])),
        ("above", Q(role__in=roles_above(actor))),
    ]


def resend_exceptions() -> Exceptions:
    return [
        ("left", Q(state=State.LEFT)),
        ("joined", Q(state__in=[State.ACTIVE, State.BLOCKED])),
    ]


def _without(chosen: MemberQuerySet, exceptions: Exceptions) -> MemberQuerySet:
    for _reason, condition in exceptions:
        chosen = chosen.exclude(condition)
    return chosen


def reach_of(chosen: QuerySet[Any], exceptions: Exceptions) -> Reach:
    """How far an action with these exceptions reaches among ``chosen``."""
    # One look at them, since there may be a million.
    reasons = chosen.order_by().annotate(reason=_reason(exceptions)).values_list("reason")
    numbers = dict(reasons.annotate(number=Count("pk")))
    return Reach(
        chosen=sum(numbers.values()),
        changed=numbers.get("", 0),
        untouched=tuple((reason, numbers[reason]) for reason, _condition in exceptions if numbers.get(reason)),
    )


def _reason(exceptions: Exceptions) -> Case:
    return Case(*(When(condition, then=Value(reason)) for reason, condition in exceptions), default=Value(""))
