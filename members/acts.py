"""What is done to many members at once, by a service in one transaction or by a batch slice by slice."""

from collections.abc import Sequence
from itertools import batched

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, JSONObject

from members.access import Actor
from members.api_tokens import end_tokens
from members.audit import Action, Fact, record, record_many
from members.audit_sets import record_for_members
from members.departments import find_department, list_tree, merger
from members.errors import DepartmentNotEmpty, LastAdministrator
from members.factors import drop_sessions
from members.models import Department, Invitation, Member, Organization, User
from members.models.people import MemberQuerySet

AT_ONCE = 5_000


def lock_members(members: MemberQuerySet) -> list[int]:
    """The keys of those of ``members`` who are among them still, now that nobody else can change them."""
    return list(members.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True))


def lock_member(organization: Organization, member: Member) -> Member:
    """The member as they are now, with their account; one of another organization is nobody's to change."""
    locked = (
        Member.objects.of(organization)
        .select_for_update(no_key=True, of=("self", "user"))
        .select_related("user", "organization", "department")
        .filter(pk=member.pk)
        .order_by("pk")
        .first()
    )
    if locked is None:
        raise PermissionDenied
    return locked


@transaction.atomic(savepoint=False)
def move(*, organization: Organization, actor: Actor, keys: Sequence[int], department: Department | None) -> None:
    """Put members, locked already, into ``department`` (None: into none), and write it down for each."""
    record_for_members(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_MOVED,
        keys=keys,
        before=JSONObject(department=Coalesce("department__path", Value(""))),
        after={"department": department.path if department else ""},
    )
    for some in batched(keys, AT_ONCE, strict=False):
        Member.objects.filter(pk__in=some).update(department=department)


@transaction.atomic(savepoint=False)
def dissolve(
    *,
    organization: Organization,
    actor: Actor,
    department: Department,
    successor: Department | None,
    moved: int = 0,
    action: Action = Action.DEPARTMENT_DELETED,
) -> int:
    """Delete a department of an organization that is locked; whoever is in it goes to ``successor``, or to none.

    Gives how many went; ``moved`` had gone before. Raises DepartmentNotEmpty while others lie under it.
    """
    if Department.objects.filter(organization=organization, parent=department).exists():
        raise DepartmentNotEmpty
    # An import puts people into departments without holding the organization: whoever was quicker has committed
    # now, and whoever comes later finds the department gone.
    Department.objects.select_for_update().get(pk=department.pk)
    keys = lock_members(Member.objects.of(organization).filter(department=department))
    move(organization=organization, actor=actor, keys=keys, department=successor)
    move_invitations(Invitation.objects.filter(organization=organization, department=department), successor)
    record(
        organization=organization,
        actor=actor,
        action=action,
        subject=department,
        before={"department": department.path},
        after={"people": moved + len(keys), "moved_to": successor.path if successor else ""},
    )
    department.delete()
    return len(keys)


@transaction.atomic(savepoint=False)
def merge(*, organization: Organization, actor: Actor, department: Department, into: Department) -> int:
    """Merge a department of an organization that is locked into another; gives how many people went.

    Raises DepartmentInsideItself, DepartmentTooDeep, DepartmentGone.
    """
    tree = list_tree(organization)
    department, into = find_department(tree, department), find_department(tree, into)
    plan = merger(tree, department, into, organization.language)
    # By their keys, as an import holds those it puts people into.
    joined = Department.objects.filter(pk__in=[entry.pk for entry, _staying in plan.joined])
    list(joined.select_for_update().order_by("pk").values("pk"))
    paths = [entry.path for entry in plan.kept]
    for entry in plan.kept:
        # No name holds a slash: out of the way of those that go, one of which may have the path that it gets.
        entry.path = f"/{entry.pk}"
    Department.objects.bulk_update(plan.kept, ["parent", "path"], batch_size=1_000)
    number = 0
    # From the leaves up: none goes before those under it.
    for going, staying in reversed(plan.joined):
        number += dissolve(
            organization=organization,
            actor=actor,
            department=going,
            successor=staying,
            action=Action.DEPARTMENT_MERGED,
        )
    for entry, path in zip(plan.kept, paths, strict=True):
        entry.path = path
    Department.objects.bulk_update(plan.kept, ["path", "sort_key"], batch_size=1_000)
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.DEPARTMENT_CHANGED,
                subject=entry,
                before={"department": before},
                after={"department": entry.path},
            )
            for entry, before in zip(plan.kept, plan.had, strict=True)
        ],
    )
    return number


@transaction.atomic(savepoint=False)
def move_invitations(invitations: QuerySet[Invitation], department: Department | None) -> None:
    """Have those who accept ``invitations`` join ``department`` (None: none)."""
    list(invitations.select_for_update(no_key=True).order_by("pk").values("pk"))
    invitations.update(department=department)


@transaction.atomic(savepoint=False)
def block(*, organization: Organization, actor: Actor, keys: Sequence[int], reason: str) -> None:
    """Stop active members, locked already with their organization, from signing in; end their sessions and tokens.

    Raises LastAdministrator.
    """
    keep_an_administrator(organization, leaving=keys)
    shut(organization=organization, actor=actor, keys=keys, reason=reason)


@transaction.atomic(savepoint=False)
def shut(*, organization: Organization, actor: Actor, keys: Sequence[int], reason: str) -> None:
    """Block members as ``block`` does, whoever they are."""
    record_for_members(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_BLOCKED,
        keys=keys,
        before={"state": Member.State.ACTIVE},
        after={"state": Member.State.BLOCKED},
        reason=reason,
    )
    for some in batched(keys, AT_ONCE, strict=False):
        Member.objects.filter(pk__in=some).update(state=Member.State.BLOCKED)
        end_tokens(some)
        accounts = User.objects.filter(memberships__in=some, owner=organization)
        locked = accounts.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)
        # A session that outlived the block would be good again after it.
        shut = list(locked)
        User.objects.filter(pk__in=shut).update(is_active=False, session_version=F("session_version") + 1)
        drop_sessions(shut)


def keep_an_administrator(organization: Organization, *, leaving: Sequence[int]) -> None:
    """Refuse when everybody who administers ``organization`` is among ``leaving``."""
    # Every change of who administers an organization queues at its lock, so that the last one is counted right.
    administrators = set(Member.objects.of(organization).administrators().values_list("pk", flat=True))
    if administrators and administrators <= set(leaving):
        raise LastAdministrator
