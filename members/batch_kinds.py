"""The runs over many members that this app knows, registered when it starts."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members import acts
from members.access import Capability
from members.batches import BatchKind, Ending, Portion
from members.bulk import Exceptions, block_exceptions, move_exceptions, resend_exceptions, sort_out
from members.errors import DepartmentFilled, DepartmentGone, DepartmentNotEmpty
from members.locks import lock_organization
from members.models import Batch, Department, Invitation, Organization
from members.registry import registry
from members.renewals import record_renewals, renew_invitations

REASONS = {
    "there": _("Was there already"),
    "blocked": _("Was blocked already"),
    "invited": _("Has not joined"),
    "joined": _("Has joined already"),
    "left": _("Has left"),
    "elsewhere": _("Was in another department by then"),
    "above": _("Has a role above that of whoever started this"),
    "self": _("Started this"),
}


@transaction.atomic(savepoint=False)
def _move(portion: Portion) -> Mapping[int, str]:
    # So that the department stays while people are put into it.
    lock_organization(portion.organization)
    key = portion.facts["department"]
    department = None if key is None else _department(portion.organization, key)
    keys, reasons = _sorted_out(portion, move_exceptions(portion.actor, department))
    acts.move(organization=portion.organization, actor=portion.actor, keys=keys, department=department)
    return reasons


@transaction.atomic(savepoint=False)
def _block(portion: Portion) -> Mapping[int, str]:
    lock_organization(portion.organization)
    keys, reasons = _sorted_out(portion, block_exceptions(portion.actor))
    acts.block(
        organization=portion.organization,
        actor=portion.actor,
        keys=keys,
        reason=str(portion.facts.get("reason", "")),
    )
    return reasons


@transaction.atomic(savepoint=False)
def _resend(portion: Portion) -> Mapping[int, str]:
    keys, reasons = _sorted_out(portion, resend_exceptions())
    waiting = Invitation.objects.filter(
        organization=portion.organization, member__in=keys, state=Invitation.State.PENDING
    )
    renewed = renew_invitations(list(waiting.select_for_update(no_key=True, of=("self",)).order_by("pk")))
    record_renewals(organization=portion.organization, actor=portion.actor, invitations=renewed)
    reached = {invitation.member_id for invitation in renewed}
    return {**reasons, **{key: "joined" for key in keys if key not in reached}}


@transaction.atomic(savepoint=False)
def _leave(portion: Portion) -> Mapping[int, str]:
    """Take people out of a department that is to be deleted."""
    lock_organization(portion.organization)
    department = _department(portion.organization, portion.facts["department"])
    successor = _successor(portion.organization, portion.facts)
    keys, reasons = _sorted_out(portion, [("elsewhere", ~Q(department=department))])
    acts.move(organization=portion.organization, actor=portion.actor, keys=keys, department=successor)
    invitations = Invitation.objects.filter(organization=portion.organization, department=department)
    acts.move_invitations(invitations.filter(member__in=keys), successor)
    return reasons


@transaction.atomic(savepoint=False)
def _delete(ending: Ending) -> None:
    """Delete a department when its people are elsewhere; whoever came to it meanwhile goes there too."""
    lock_organization(ending.organization)
    try:
        acts.dissolve(
            organization=ending.organization,
            actor=ending.actor,
            department=_department(ending.organization, ending.facts["department"]),
            successor=_successor(ending.organization, ending.facts),
            moved=ending.changed,
        )
    except DepartmentNotEmpty as refusal:
        raise DepartmentFilled from refusal


@transaction.atomic(savepoint=False)
def _merge(portion: Portion) -> Mapping[int, str]:
    """Merge a department into another, with whoever is in it by now."""
    lock_organization(portion.organization)
    acts.merge(
        organization=portion.organization,
        actor=portion.actor,
        department=_department(portion.organization, portion.facts["department"]),
        into=_department(portion.organization, portion.facts["into"]),
    )
    return {}


def _department(organization: Organization, key: object) -> Department:
    department = Department.objects.filter(organization=organization, pk=str(key)).first()
    if department is None:
        raise DepartmentGone
    return department


def _successor(organization: Organization, facts: Mapping[str, object]) -> Department | None:
    return None if facts["successor"] is None else _department(organization, facts["successor"])


def _sorted_out(portion: Portion, exceptions: Exceptions) -> tuple[list[int], dict[int, str]]:
    """Whom an act concerns, locked, and why the others are left alone."""
    acts.lock_members(portion.members)
    return sort_out(portion.members, exceptions)


def _where(facts: Mapping[str, object]) -> str:
    path = str(facts.get("path", ""))
    return gettext("To {department}").format(department=path) if path else gettext("To no department")


def _whose_people_go(facts: Mapping[str, object]) -> str:
    if to := facts["to"]:
        return gettext("{department}; its people go to {successor}").format(department=facts["path"], successor=to)
    return gettext("{department}; its people go to no department").format(department=facts["path"])


def _which_become_one(facts: Mapping[str, object]) -> str:
    return gettext("{department} into {into}").format(department=facts["path"], into=facts["to"])


def register() -> None:
    """Called once at start-up."""
    registry.add(
        BatchKind(
            key=Batch.Kind.MOVE_MEMBERS,
            label=Batch.Kind.MOVE_MEMBERS.label,
            done=pgettext_lazy("members", "Moved"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_move,
            reasons=REASONS,
            describe=_where,
        ),
        BatchKind(
            key=Batch.Kind.BLOCK_MEMBERS,
            label=Batch.Kind.BLOCK_MEMBERS.label,
            done=pgettext_lazy("outcome", "Blocked"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_block,
            reasons=REASONS,
        ),
        BatchKind(
            key=Batch.Kind.RESEND_INVITATIONS,
            label=Batch.Kind.RESEND_INVITATIONS.label,
            done=pgettext_lazy("invitations", "Sent again"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_resend,
            reasons=REASONS,
        ),
        BatchKind(
            key=Batch.Kind.MERGE_DEPARTMENT,
            label=Batch.Kind.MERGE_DEPARTMENT.label,
            done=pgettext_lazy("members", "Moved"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_merge,
            together=True,
            describe=_which_become_one,
        ),
        BatchKind(
            key=Batch.Kind.DELETE_DEPARTMENT,
            label=Batch.Kind.DELETE_DEPARTMENT.label,
            done=pgettext_lazy("members", "Moved"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_leave,
            finish=_delete,
            reasons=REASONS,
            describe=_whose_people_go,
        ),
    )
