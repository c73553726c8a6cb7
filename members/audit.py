"""The log of what was changed: its vocabulary, and the one way to write it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.access import Actor
from members.models import AuditEntry, AuditOrigin, Member, Organization
from skypemgr import logs
from skypemgr.many_rows import insert_rows, insertion


class Action(models.TextChoices):
    ORGANIZATION_SET_UP = "organization.set_up", _("Set up the Skype Manager")
    ORGANIZATION_CHANGED = "organization.changed", _("Changed the settings")
    ORGANIZATION_CLOSING = "organization.closing", _("Asked to close the Skype Manager")
    ORGANIZATION_KEPT = "organization.kept", _("Called the closing off")
    ORGANIZATION_CLOSED = "organization.closed", _("Closed the Skype Manager")
    ORGANIZATION_VERIFIED = "organization.verified", _("Confirmed the founder’s address")
    NOTICES_CHOSEN = "notices.chosen", _("Chose which notices come by letter")
    NOTICES_SET = "notices.set", _("Set which notices come by letter at first")
    MEMBER_ADDED = "member.added", _("Added a member")
    MEMBER_JOINED = "member.joined", pgettext_lazy("action", "Joined")
    MEMBER_CHANGED = "member.changed", _("Changed a profile")
    MEMBER_MOVED = "member.moved", _("Moved to another department")
    MEMBER_ROLE_CHANGED = "member.role_changed", _("Changed a role")
    MEMBER_BLOCKED = "member.blocked", _("Blocked sign-in")
    MEMBER_UNBLOCKED = "member.unblocked", _("Allowed sign-in again")
    MEMBER_LEAVER = "member.leaver", _("Dealt with somebody’s leaving")
    MEMBER_HANDED_OVER = "member.handed_over", _("Handed the account over")
    PREDECESSOR_ERASED = "predecessor.erased", _("Erased who had the account before")
    PREDECESSOR_DATA_EXPORTED = "predecessor.data_exported", _("Exported data of who had the account before")
    MEMBER_LEFT = "member.left", pgettext_lazy("action", "Left")
    MEMBER_DATA_EXPORTED = "member.data_exported", _("Exported personal data")
    MEMBER_ERASED = "member.erased", _("Erased personal data")
    INVITATION_SENT = "invitation.sent", _("Sent an invitation")
    INVITATION_RESENT = "invitation.resent", _("Sent an invitation again")
    INVITATION_CANCELED = "invitation.canceled", _("Canceled an invitation")
    INVITATION_DECLINED = "invitation.declined", _("Declined an invitation")
    CONSENT_GIVEN = "consent.given", _("Agreed to show whom they call")
    CONSENT_WITHDRAWN = "consent.withdrawn", _("No longer agrees to show whom they call")
    DEPARTMENT_ADDED = "department.added", _("Added a department")
    DEPARTMENT_CHANGED = "department.changed", _("Changed a department")
    DEPARTMENT_MERGED = "department.merged", _("Merged a department into another")
    DEPARTMENT_DELETED = "department.deleted", _("Deleted a department")
    BATCH_STARTED = "batch.started", _("Started an import")
    BATCH_READ_AGAIN = "batch.read_again", _("Read the file of an import again")
    BATCH_FINISHED = "batch.finished", _("Finished an import")
    BATCH_CANCELED = "batch.canceled", _("Canceled an import")
    BATCH_GIVEN_UP = "batch.given_up", _("Gave up an import")
    BATCH_CONTINUED = "batch.continued", _("Continued an import")
    RUN_STARTED = "run.started", _("Started a change of many members")
    RUN_FINISHED = "run.finished", _("Finished a change of many members")
    RUN_CANCELED = "run.canceled", _("Stopped a change of many members")
    RUN_GIVEN_UP = "run.given_up", _("Gave up a change of many members")
    RUN_CONTINUED = "run.continued", _("Continued a change of many members")
    PASSWORD_CHANGED = "password.changed", _("Changed the password")
    PASSWORD_LETTER_SENT = "password.letter_sent", _("Sent a letter to choose a new password")
    FACTOR_ADDED = "factor.added", _("Set up a second factor")
    FACTOR_REMOVED = "factor.removed", _("Removed a second factor")
    FACTORS_RESET = "factors.reset", _("Reset the second factor of a member")
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed", _("Made new recovery codes")
    RECOVERY_CODE_USED = "recovery_code.used", _("Used a recovery code")
    SESSIONS_ENDED = "sessions.ended", _("Signed out elsewhere")
    ADDRESS_CHANGED = "address.changed", _("Changed the e-mail address")
    API_TOKEN_MADE = "api_token.made", _("Made an API token")
    API_TOKEN_REVOKED = "api_token.revoked", _("Revoked an API token")
    CREDIT_ALLOCATED = "credit.allocated", _("Allocated credit")
    ORDER_PLACED = "order.placed", _("Ordered credit")
    ORDER_CANCELED = "order.canceled", _("Canceled an order")
    ORDER_EXPIRED = "order.expired", _("Let an order expire")
    ORDER_PAID = "order.paid", _("Received a payment")
    ORDER_REFUNDED = "order.refunded", _("Refunded a payment")
    PAYMENT_DIFFERS = "payment.differs", _("Received another amount than was ordered")
    REFUND_FAILED = "refund.failed", _("Gave back the credit of a refund that failed")
    DISPUTE_OPENED = "dispute.opened", _("Heard of a disputed payment")
    DISPUTE_CLOSED = "dispute.closed", _("Heard how a dispute ended")
    CARD_SAVED = "card.saved", _("Saved a card")
    CARD_REMOVED = "card.removed", _("Removed the saved card")
    WALLET_RECHARGE_SAVED = "wallet_recharge.saved", _("Set the auto-recharge of the wallet")
    WALLET_RECHARGE_STOPPED = "wallet_recharge.stopped", _("Switched the auto-recharge of the wallet off")
    WALLET_RECHARGE_PAUSED = "wallet_recharge.paused", _("Paused the auto-recharge of the wallet")
    BILLING_CHANGED = "billing.changed", _("Changed the billing data")
    VAT_ID_CHECKED = "vat_id.checked", _("Recorded a check of the VAT id")
    RECHARGE_ACTIVATED = "recharge.activated", _("Turned on auto-recharge")
    ALERTS_CHANGED = "alerts.changed", _("Changed the alerts")
    RECHARGE_STOPPED = "recharge.stopped", _("Turned off auto-recharge")
    CREDIT_INACTIVE = "credit.inactive", _("Made unused credit inactive")
    CREDIT_REACTIVATED = "credit.reactivated", _("Reactivated credit")
    EMERGENCY_ADDRESS_ADDED = "emergency_address.added", _("Added an emergency address")
    EMERGENCY_ADDRESS_CHANGED = "emergency_address.changed", _("Changed an emergency address")
    EMERGENCY_ADDRESS_RETIRED = "emergency_address.retired", _("Retired an emergency address")
    PLACE_ADDED = "place.added", _("Added a place")
    PLACE_CHANGED = "place.changed", _("Changed a place")
    PLACE_REMOVED = "place.removed", _("Removed a place")
    DISCLAIMER_ACCEPTED = "disclaimer.accepted", _("Accepted a disclaimer")
    EMERGENCY_CALLS_READ = "emergency_calls.read", _("Has read how emergency calls work")
    LICENSE_BOUGHT = "license.bought", _("Bought a license")
    LICENSE_RENEWAL_CHANGED = "license.renewal_changed", _("Changed how a license is renewed")
    LICENSE_RENEWED = "license.renewed", _("Renewed a license")
    LICENSE_UNPAID = "license.unpaid", _("Could not pay a license")
    LICENSE_ASLEEP = "license.asleep", _("Put a license to sleep")
    LICENSE_ENDED = "license.ended", _("Let a license end")
    LICENSE_ASSIGNED = "license.assigned", _("Assigned a license")
    LICENSE_UNASSIGNED = "license.unassigned", _("Took a license away")
    FEATURE_SET = "feature.set", _("Changed the setting of a feature")
    NUMBERS_RESERVED = "numbers.reserved", _("Reserved phone numbers")
    RESERVATION_CANCELED = "reservation.canceled", _("Let reserved phone numbers go")
    NUMBER_ACQUIRED = "number.acquired", _("Acquired a phone number")
    NUMBER_RELEASED = "number.released", _("Released a phone number")
    NUMBER_ASSIGNED = "number.assigned", _("Assigned a phone number")
    NUMBER_UNASSIGNED = "number.unassigned", _("Took back a phone number")
    NUMBER_MOVED = "number.moved", _("Changed where somebody is found")
    NUMBER_TAGGED = "number.tagged", _("Tagged a phone number")
    NUMBER_UNTAGGED = "number.untagged", _("Removed a tag of a phone number")
    PORT_ORDERED = "port_order.added", _("Ordered to bring phone numbers along")
    PORT_CHANGED = "port_order.changed", _("Changed a port order")
    PORT_CANCELED = "port_order.canceled", _("Canceled a port order")
    PORT_MOVED = "port_order.moved", _("Chose another day for a port order")
    PORT_ADVANCED = "port_order.advanced", _("Brought a port order forward")
    NUMBER_PORTED = "number.ported", _("Brought a phone number in from another carrier")
    NUMBER_QUOTA_SET = "number_quota.set", _("Set how many phone numbers there may be")
    CALLS_IMPORTED = "calls.imported", _("Imported calls")
    CALLS_RERATED = "calls.rerated", _("Rated calls again")
    CALLS_VIEWED = "calls.viewed", _("Looked at single calls")
    REPORT_SAVED = "report.saved", _("Saved a report")
    REPORT_CHANGED = "report.changed", _("Changed a saved report")
    REPORT_DELETED = "report.deleted", _("Deleted a saved report")
    REPORT_STOPPED = "report.stopped", _("Wanted a report no more")
    CALLS_RESOLVED = "calls.resolved", _("Resolved calls that waited")
    ACCOUNT_CODE_GIVEN = "account_code.given", _("Gave an account code")
    USAGE_REBUILT = "usage.rebuilt", _("Added calls up anew")
    RATES_LOADED = "rates.loaded", _("Loaded what calls cost")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of the log. ``before`` and ``after`` name fields and values, never a person: people go by id."""

    action: Action
    subject: models.Model
    member: Member | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""


@transaction.atomic(savepoint=False)
def record_many(*, organization: Organization, actor: Actor, facts: Iterable[Fact]) -> None:
    """Write down who did what, in the transaction of the change itself."""
    origin = None
    if actor.user is not None and actor.address:
        origin, _created = AuditOrigin.objects.get_or_create(
            user=actor.user, address=actor.address, handed_over_at=actor.user.handed_over_at
        )
    insert_rows([_entry(organization, actor, origin, fact) for fact in facts])


def recording(*, organization: Organization, actor: Actor, fact: Fact, of: str) -> tuple[str, list[Any]] | None:
    """What writes a fact down as a part of the statement that makes it one, and its parameters.

    It is written for each row of ``of``, which that statement knows. None when it is the first that somebody does from
    where they are: that place is written down by ``record_many``, after everything else has been locked.
    """
    origin = None
    if actor.user is not None and actor.address:
        origins = AuditOrigin.objects.filter(user=actor.user, address=actor.address)
        origin = origins.filter(handed_over_at=actor.user.handed_over_at).first()
        if origin is None:
            return None
    return insertion(_entry(organization, actor, origin, fact), of)


def _entry(organization: Organization, actor: Actor, origin: AuditOrigin | None, fact: Fact) -> AuditEntry:
    return AuditEntry(
        organization_id=organization.pk,
        actor_kind=actor.kind,
        actor_user_id=actor.user.pk if actor.user else None,
        actor_member_id=actor.member.pk if actor.member else None,
        origin_id=origin.pk if origin else None,
        action=fact.action,
        subject_type=fact.subject._meta.model_name or "",
        subject_id=fact.subject.pk,
        subject_member_id=_member_of(fact),
        before=dict(fact.before),
        after=dict(fact.after),
        reason=fact.reason,
        **work_at_hand(),
    )


def work_at_hand() -> dict[str, str]:
    """The ids under which the log speaks of what is being done: ``request_id``, or ``task_id`` in a worker.

    A task carries on the work of many, so the request that happened to wake it has caused nothing of theirs.
    """
    task = str(logs.bound("task_id") or "")
    return {"request_id": "" if task else str(logs.bound("request_id") or ""), "task_id": task[:64]}


def _member_of(fact: Fact) -> int | None:
    member = fact.subject if isinstance(fact.subject, Member) else fact.member
    return member.pk if member else None


@transaction.atomic(savepoint=False)
def record(
    *,
    organization: Organization,
    actor: Actor,
    action: Action,
    subject: models.Model,
    member: Member | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """Write down one change, in the transaction of the change itself."""
    fact = Fact(action=action, subject=subject, member=member, before=before or {}, after=after or {}, reason=reason)
    record_many(organization=organization, actor=actor, facts=[fact])
