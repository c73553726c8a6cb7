"""The runs over many invitations: sent again, and taken back."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.access import Capability
from members.batches import BatchKind, Portion
from members.bulk import Exceptions, sort_out
from members.invitation_acts import cancel_exceptions, lock_invitations, lock_people, renewal_exceptions, take_back
from members.locks import lock_organization
from members.models import Batch, Invitation
from members.registry import registry
from members.renewals import record_renewals, renew_invitations

REASONS = {
    "answered": _("Was answered or taken back already"),
    "above": _("Has a role above that of whoever started this"),
}


@transaction.atomic(savepoint=False)
def _renew(portion: Portion) -> Mapping[int, str]:
    lock_people(portion.invitations)
    concerned, reasons = _sorted_out(portion, renewal_exceptions())
    renewed = renew_invitations(concerned)
    record_renewals(organization=portion.organization, actor=portion.actor, invitations=renewed)
    return reasons


@transaction.atomic(savepoint=False)
def _cancel(portion: Portion) -> Mapping[int, str]:
    # What goes back with an account is given to nobody else meanwhile.
    lock_organization(portion.organization)
    people = lock_people(portion.invitations)
    concerned, reasons = _sorted_out(portion, cancel_exceptions(portion.actor))
    take_back(organization=portion.organization, actor=portion.actor, people=people, pending=concerned)
    return reasons


def _sorted_out(portion: Portion, exceptions: Exceptions) -> tuple[list[Invitation], Mapping[int, str]]:
    """Which invitations an act concerns, locked, and why the others are left alone."""
    locked = lock_invitations(portion.organization, portion.invitations)
    keys, reasons = sort_out(portion.invitations, exceptions)
    concerned = set(keys)
    return [entry for entry in locked if entry.pk in concerned], reasons


def register() -> None:
    """Called once at start-up."""
    registry.add(
        BatchKind(
            key=Batch.Kind.RENEW_INVITATIONS,
            label=Batch.Kind.RENEW_INVITATIONS.label,
            done=pgettext_lazy("invitations", "Sent again"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_renew,
            reasons=REASONS,
            of_invitations=True,
        ),
        BatchKind(
            key=Batch.Kind.CANCEL_INVITATIONS,
            label=Batch.Kind.CANCEL_INVITATIONS.label,
            done=pgettext_lazy("invitations", "Taken back"),
            capability=Capability.MANAGE_MEMBERS,
            apply=_cancel,
            reasons=REASONS,
            of_invitations=True,
        ),
    )
