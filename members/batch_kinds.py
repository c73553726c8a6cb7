"""The runs over many members that this app knows, registered when it starts."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members import acts
from members.access import Capability
from members.batches import BatchKind, Portion
from members.bulk import Exceptions, block_exceptions, move_exceptions, reasons_of, resend_exceptions
from members.errors import DepartmentGone
from members.locks import lock_organization
from members.models import Batch, Department, Invitation
from members.registry import registry
from members.renewals import record_renewals, renew_invitations

REASONS = {
    "there": _("Was there already"),
    "blocked": _("Was blocked already"),
    "invited": _("Has not joined"),
    "joined": _("Has joined already"),
    "left": _("Has left"),
    "above": _("Has a role above that of whoever started this"),
    "self": _("Started this"),
}


@transaction.atomic(savepoint=False)
def _move(portion: Portion) -> Mapping[int, str]:
    # So that the department stays while people are put into it.
    lock_organization(portion.organization)
    department = None
    if (key := portion.facts["department"]) is not None:
        department = Department.objects.filter(organization=portion.organization, pk=str(key)).first()
        if department is None:
            raise DepartmentGone
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


def _sorted_out(portion: Portion, exceptions: Exceptions) -> tuple[Sequence[int], Mapping[int, str]]:
    """Whom an act concerns, locked, and why the others are left alone."""
    locked = acts.lock_members(portion.members)
    reasons = reasons_of(portion.members, exceptions)
    return [key for key in locked if not reasons[key]], {key: reason for key, reason in reasons.items() if reason}


def _where(facts: Mapping[str, object]) -> str:
    path = str(facts.get("path", ""))
    return gettext("To {department}").format(department=path) if path else gettext("To no department")


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
    )
