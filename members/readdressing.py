"""Sending many invitations to other addresses, as a batch: all of them in one transaction, or none."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import pgettext_lazy

from members.access import Actor, Capability
from members.address_file import AddressRow
from members.address_rows import check_addresses
from members.audit import Action, Fact, record_many
from members.batches import BatchKind, Portion
from members.errors import InvitationsChanged
from members.invitation_acts import lock_invitations, lock_people
from members.locks import lock_organization
from members.models import Batch, BatchRow, Invitation, Member
from members.newcomers import sorting_of
from members.registry import registry
from members.renewals import renew_invitations
from members.runs import note_outcome
from skypemgr.clock import DatabaseClock
from skypemgr.many_rows import update_rows

Outcome = BatchRow.Outcome


def rows_to_change(batch: Batch) -> list[BatchRow]:
    """The rows of a reviewed file that name a new address, in its order."""
    return list(batch.rows.exclude(outcome=Outcome.SKIPPED).order_by("number"))


def checked_again(actor: Actor, batch: Batch, rows: Sequence[BatchRow]) -> list[BatchRow]:
    """What the rows of a review would be if the file were read now; not saved."""
    asked = [AddressRow(row.number, row.data.get("old", ""), row.data.get("new", "")) for row in rows]
    return check_addresses(batch.organization, actor, batch, asked)


def is_as_reviewed(rows: Sequence[BatchRow], now: Sequence[BatchRow]) -> bool:
    """Whether all of ``rows`` are still about the same invitations, and nothing stands in the way of any ``now``."""
    return all(
        new.outcome == Outcome.READY and new.invitation_id == row.invitation_id
        for row, new in zip(rows, now, strict=True)
    )


@transaction.atomic(savepoint=False)
def change(portion: Portion) -> Mapping[int, str]:
    """Send every invitation of a batch to the address that its row says. Links that were sent before die.

    Raises InvitationsChanged when one of them was answered or moved since it was reviewed, or an address was taken.
    """
    batch, organization = portion.batch, portion.organization
    # One at a time: two files could each wait for an address that the other one gives away.
    lock_organization(organization)
    people = lock_people(portion.invitations)
    waiting = lock_invitations(organization, portion.invitations)
    rows = rows_to_change(batch)
    if not is_as_reviewed(rows, checked_again(portion.actor, batch, rows)):
        raise InvitationsChanged
    addresses = {row.invitation_id: row.data["new"] for row in rows}
    try:
        _write(people, waiting, addresses)
        renew_invitations(waiting)
    except IntegrityError:
        raise InvitationsChanged from None
    of_members = {member.pk: member for member in people}
    record_many(
        organization=organization,
        actor=portion.actor,
        facts=[
            # Of somebody with an account here it is told as on their page.
            Fact(action=Action.ADDRESS_CHANGED, subject=of_members.get(invitation.member_id or 0, invitation))
            for invitation in waiting
        ],
    )
    return {}


def _write(people: Sequence[Member], waiting: Sequence[Invitation], addresses: Mapping[int | None, str]) -> None:
    of_members = {invitation.member_id: addresses[invitation.pk] for invitation in waiting}
    for member in people:
        member.email = member.user.email = of_members[member.pk]
        member.user.email_verified_at = None
        for column, value in sorting_of(member.user, member.organization, member.email).items():
            setattr(member, column, value)
    for invitation in waiting:
        invitation.email = addresses[invitation.pk]
    update_rows(people, ["email", "sort_key", "search_text"])
    update_rows([member.user for member in people], ["email", "email_verified_at"])
    update_rows(waiting, ["email"])


@transaction.atomic(savepoint=False)
def change_at_once(actor: Actor, batch: Batch) -> None:
    """Carry a batch that has begun out, and end it. Raises what ``change`` does."""
    parts = list(batch.slices.order_by("number"))
    everything = [key for part in parts for key in part.members]
    untouched = change(Portion(organization=batch.organization, actor=actor, batch=batch, keys=everything))
    note_outcome(batch, parts, untouched=untouched, failed={})
    batch.state = Batch.State.DONE
    Batch.objects.filter(pk=batch.pk).update(state=batch.state, finished_at=DatabaseClock())


def _where_to(row: BatchRow, facts: Mapping[str, Any]) -> str:
    return f"{row.data['old']} → {row.data['new']}" if "new" in row.data else ""


def _why_not(facts: Mapping[str, Any]) -> str:
    return str(InvitationsChanged()) if facts.get("stopped") == InvitationsChanged.__name__ else ""


def register() -> None:
    """Called once at start-up."""
    registry.add(
        BatchKind(
            key=Batch.Kind.CHANGE_ADDRESSES,
            label=Batch.Kind.CHANGE_ADDRESSES.label,
            done=pgettext_lazy("invitations", "Sent to another address"),
            capability=Capability.MANAGE_MEMBERS,
            apply=change,
            together=True,
            explain=_why_not,
            tell=_where_to,
            of_invitations=True,
        )
    )
