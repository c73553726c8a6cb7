"""What is done to members by those who manage them."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from members.access import ROLES, Actor, Capability, require, require_over
from members.acts import block, keep_an_administrator, lock_member, lock_members, move
from members.audit import Action, Fact, record, record_many
from members.bulk import blockable, movable
from members.credentials import fold_login
from members.departments import AnyDepartment, settle_department
from members.errors import AddressTaken, NobodyHasIt, OwnAddress, StateForbids, TheirOwnPassword, TooManyTries
from members.letter_texts import BY_ADMINISTRATOR
from members.locks import lock_organization, take_time
from members.mail import personal_letter, write_letters
from members.models import Department, Letter, Member, Organization, User
from members.models.people import MemberQuerySet
from members.newcomers import sorting_of
from members.throttle import RESET_LETTERS, count_try


@transaction.atomic(durable=True)
def change_member(
    *,
    actor: Actor,
    organization: Organization,
    member: Member,
    department: AnyDepartment,
    first_name: str | None = None,
    last_name: str | None = None,
    job_title: str | None = None,
    language: str | None = None,
    email: str | None = None,
) -> Member:
    """Change the profile of somebody who has not left; None leaves a value as it is, except for the department.

    Names and language of a personal account are its owner's to change: other ones than they have raise
    PermissionDenied. An address is changed by ``_change_address``. Raises DepartmentGone, DepartmentExists,
    DepartmentTooDeep, AddressTaken, OwnAddress, and StateForbids when they have left, or for the address of somebody
    whose invitation waits.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    lock_organization(organization)
    department = settle_department(organization=organization, actor=actor, department=department)
    member = lock_member(organization, member)
    require_over(actor, member)
    _refuse_state(member, Member.State.LEFT)
    user = member.user
    names = {"first_name": first_name, "last_name": last_name, "language": language}
    theirs = _set_new(user, names)
    if theirs and user.owner_id != organization.pk:
        raise PermissionDenied
    ours = _set_new(member, {"job_title": job_title})
    if email is not None and email != member.email:
        _change_address(organization, actor, member, email)
    if theirs or ours:
        for column, value in sorting_of(user, member.organization, member.email).items():
            setattr(member, column, value)
        user.save(update_fields=theirs)
        member.save(update_fields=[*ours, "sort_key", "search_text"])
        # The log copies nothing personal: it names the fields, not what stands in them.
        record(
            organization=organization,
            actor=actor,
            action=Action.MEMBER_CHANGED,
            subject=member,
            after={"fields": [*theirs, *ours]},
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
    member = lock_member(organization, member)
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
    *, actor: Actor, organization: Organization, members: MemberQuerySet, department: AnyDepartment
) -> int:
    """Move those of ``members`` who are elsewhere to ``department`` (None: to none); gives how many.

    Who has left, or has a role whose powers the actor lacks, stays where they are. Raises DepartmentGone,
    DepartmentExists, DepartmentTooDeep.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    lock_organization(organization)
    department = settle_department(organization=organization, actor=actor, department=department)
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
    """Let a blocked member sign in again.

    Raises StateForbids when they are not blocked, NobodyHasIt for an account that was handed over to nobody.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    member = lock_member(organization, member)
    require_over(actor, member)
    if member.state != Member.State.BLOCKED:
        raise StateForbids(state=member.get_state_display())
    if member.waits_for_somebody:
        raise NobodyHasIt
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


def _set_new(row: User | Member, values: Mapping[str, str | None]) -> list[str]:
    """Put values into a row in memory, None for as it is; gives the names of those that are other ones."""
    changed = {name: value for name, value in values.items() if value is not None and getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return list(changed)


def _change_address(organization: Organization, actor: Actor, member: Member, email: str) -> None:
    """Have the organization know a locked member at another address.

    That of a business account is the account's as well, from now on; it has to be confirmed anew, and the old one is
    told. A personal account keeps its own. Raises AddressTaken, OwnAddress, StateForbids.
    """
    if actor.member == member:
        # There it takes the password.
        raise OwnAddress
    _refuse_state(member, Member.State.INVITED)
    user = member.user
    member.email = email
    for column, value in sorting_of(user, organization, email).items():
        setattr(member, column, value)
    try:
        member.save(update_fields=["email", "sort_key", "search_text"])
    except IntegrityError:
        raise AddressTaken(email=email) from None
    if user.owner_id == organization.pk:
        farewell = personal_letter(Letter.Kind.ADDRESS_CHANGED, user, member=member)
        farewell.facts = {"by": BY_ADMINISTRATOR}
        user.email, user.email_verified_at = email, None
        user.save(update_fields=["email", "email_verified_at"])
        write_letters([farewell, personal_letter(Letter.Kind.ADDRESS_VERIFICATION, user, member=member)])
    record(organization=organization, actor=actor, action=Action.ADDRESS_CHANGED, subject=member)


@transaction.atomic(durable=True)
def send_password_letter(*, actor: Actor, organization: Organization, member: Member) -> None:
    """Write to somebody with a business account, with a link at which they choose a new password.

    The present one goes on working until then. While such a letter waits to leave, there is no second one. Raises
    TheirOwnPassword, StateForbids unless they are active, and TooManyTries as if they had asked themselves.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    member = lock_member(organization, member)
    require_over(actor, member)
    user = member.user
    if user.owner_id != organization.pk:
        raise TheirOwnPassword
    if member.state != Member.State.ACTIVE:
        raise StateForbids(state=member.get_state_display())
    letters = Letter.objects.filter(organization=organization, member=member, kind=Letter.Kind.PASSWORD_RESET)
    if letters.filter(state=Letter.State.WAITING, email=user.email).exists():
        return
    if not count_try(RESET_LETTERS, fold_login(user.email)):
        raise TooManyTries(seconds=RESET_LETTERS.minutes * 60)
    letter = personal_letter(Letter.Kind.PASSWORD_RESET, user, member=member)
    letter.facts = {"users": [user.pk], "by": BY_ADMINISTRATOR}
    write_letters([letter])
    record(organization=organization, actor=actor, action=Action.PASSWORD_LETTER_SENT, subject=member)


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
