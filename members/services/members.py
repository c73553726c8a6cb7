"""What is done to members by those who manage them."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import ROLES, Actor, Capability, require, require_over
from members.acts import block, keep_an_administrator, lock_members, move
from members.audit import Action, Fact, record, record_many
from members.bulk import blockable, movable
from members.departments import check_department
from members.errors import StateForbids
from members.locks import lock_organization, take_time
from members.models import Department, Member, Organization, User
from members.models.people import MemberQuerySet
from members.newcomers import sorting_of


@transaction.atomic(durable=True)
def change_member(
    *,
    actor: Actor,
    organization: Organization,
    member: Member,
    first_name: str,
    last_name: str,
    department: Department | None,
) -> Member:
    """Change the names of a business account, and the department of anybody.

    A personal account's names are its owner's to change: other ones than they have raise PermissionDenied.
    Raises DepartmentGone.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    lock_organization(organization)
    check_department(organization, department)
    member = _lock_member(organization, member)
    require_over(actor, member)
    _refuse_state(member, Member.State.LEFT)
    user = member.user
    new = {"first_name": first_name, "last_name": last_name}
    renamed = [name for name, value in new.items() if getattr(user, name) != value]
    if renamed:
        if user.owner_id != organization.pk:
            raise PermissionDenied
        user.first_name, user.last_name = first_name, last_name
        user.save(update_fields=["first_name", "last_name"])
        Member.objects.filter(pk=member.pk).update(**sorting_of(user, member.organization, member.email))
        # The log copies nothing personal: it names the fields, not what stands in them.
        record(
            organization=organization,
            actor=actor,
            action=Action.MEMBER_CHANGED,
            subject=member,
            after={"fields": renamed},
        )
    if member.department != department:
        record_many(organization=organization, actor=actor, facts=[_moved(member, department)])
        member.department = department
        member.save(update_fields=["department"])
    return member


@transaction.atomic(durable=True)
def assign_role(*, actor: Actor, organization: Organization, member: Member, role: str) -> Member:
    """Give a member another role, which can do no more than the actor.

    Raises LastAdministrator, StateForbids when they have left.
    """
    require(actor, organization, Capability.ASSIGN_ROLES)
    if not ROLES[role] <= actor.capabilities:
        raise PermissionDenied
    lock_organization(organization)
    member = _lock_member(organization, member)
    require_over(actor, member)
    _refuse_state(member, Member.State.LEFT)
    before = member.role
    if role == before:
        return member
    if before == Member.Role.ADMINISTRATOR:
        keep_an_administrator(organization, leaving=[member.pk])
    member.role = Member.Role(role)
    member.save(update_fields=["role"])
    record(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_ROLE_CHANGED,
        subject=member,
        before={"role": before},
        after={"role": member.role},
    )
    return member


@transaction.atomic(durable=True)
def move_members(
    *, actor: Actor, organization: Organization, members: MemberQuerySet, department: Department | None
) -> int:
    """Move those of ``members`` who are elsewhere to ``department`` (None: to none); gives how many.

    Who has left, or has a role whose powers the actor lacks, stays where they are. Raises DepartmentGone.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    lock_organization(organization)
    check_department(organization, department)
    moving = lock_members(movable(members.of(organization), actor, department))
    move(organization=organization, actor=actor, keys=moving, department=department)
    return len(moving)


@transaction.atomic(durable=True)
def block_members(*, actor: Actor, organization: Organization, members: MemberQuerySet, reason: str = "") -> int:
    """Stop those of ``members`` who are active from signing in, and end their sessions; gives how many.

    A business account is shut everywhere, a personal one only out of this organization. The actor themselves,
    and who has a role whose powers the actor lacks, stay. Raises LastAdministrator, and then blocks nobody.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    lock_organization(organization)
    blocking = lock_members(blockable(members.of(organization), actor))
    block(organization=organization, actor=actor, keys=blocking, reason=reason)
    return len(blocking)


@transaction.atomic(durable=True)
def unblock_member(*, actor: Actor, organization: Organization, member: Member) -> Member:
    """Let a blocked member sign in again. Raises StateForbids when they are not blocked."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    member = _lock_member(organization, member)
    require_over(actor, member)
    if member.state != Member.State.BLOCKED:
        raise StateForbids(state=member.get_state_display())
    member.state = Member.State.ACTIVE
    member.save(update_fields=["state"])
    User.objects.filter(pk=member.user_id, owner=organization).update(is_active=True)
    record(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_UNBLOCKED,
        subject=member,
        before={"state": Member.State.BLOCKED},
        after={"state": Member.State.ACTIVE},
    )
    return member


def _lock_member(organization: Organization, member: Member) -> Member:
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


def _refuse_state(member: Member, *states: Member.State) -> None:
    if member.state in states:
        raise StateForbids(state=member.get_state_display())


def _moved(member: Member, department: Department | None) -> Fact:
    return Fact(
        action=Action.MEMBER_MOVED,
        subject=member,
        before={"department": member.department.path if member.department else ""},
        after={"department": department.path if department else ""},
    )
