"""The log as people read it: what its fields and values are called, and who a line is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.audit import Action
from members.models import AuditEntry, Batch, Member, User
from members.models.organizations import LANGUAGES
from members.registry import Notice, registry

type Text = str | Promise

FIELDS: dict[str, Text] = {
    "account": _("Account code"),
    "address": _("Address"),
    "building": _("Building"),
    "allow_personal_accounts": _("Personal accounts allowed"),
    "amount": _("Amount"),
    "below": _("Below"),
    "brand": _("Card"),
    "billing_name": _("Billed to"),
    "closes": _("Closes"),
    "calls": _("Calls"),
    "carrier": _("Present carrier"),
    "country": _("Country"),
    "differences": _("Differences"),
    "created": _("Accounts created"),
    "currency": _("Currency"),
    "department": _("Department"),
    "emergency_address": _("Emergency address"),
    "encoding": _("Encoding"),
    "expires": _("Ends"),
    "failed": _("Failed"),
    "fields": _("Changed"),
    "file": _("From a file"),
    "floor": _("Floor"),
    "first_day": _("First day"),
    "first_name": _("First name"),
    "job_title": _("Job title"),
    "kind": _("Kind of account"),
    "language": _("Language"),
    "last_day": _("Last day"),
    "last4": _("Last digits"),
    "last_name": _("Last name"),
    "month": _("Month"),
    "monthly_limit": _("Monthly limit"),
    "moved_to": _("Moved to"),
    "name": _("Name"),
    "sent": pgettext_lazy("report", "Sent"),
    "format": _("File"),
    "readers": _("Readers"),
    "number": _("Phone number"),
    "numbers": _("Phone numbers"),
    "payment": _("Payment"),
    "port_state": _("State"),
    "transfer_on": _("Day of the transfer"),
    "off": pgettext_lazy("notices", "Not"),
    "on": pgettext_lazy("notices", "By letter"),
    "order": pgettext_lazy("purchase", "Order"),
    "people": _("People"),
    "place": _("Place"),
    "source": _("Source"),
    "recharge_amount": _("Recharge by"),
    "low_wallet": _("Alert below"),
    "recharge_below": _("When the balance falls below"),
    "recharge_limit": _("Monthly recharge limit"),
    "require_second_factor": _("Administrators need a second factor"),
    "role": _("Role"),
    "room": _("Room"),
    "rows": _("Rows"),
    "run": pgettext_lazy("of many members", "Change"),
    "scopes": pgettext_lazy("of a token", "May"),
    "show_colleagues": _("Members see their colleagues"),
    "skipped": _("Skipped"),
    "product": _("Product"),
    "quantity": _("Seats"),
    "rates": _("Rates"),
    "months": _("Months"),
    "renews_on": _("Renewed on"),
    "state": _("State"),
    "sum": _("Sum"),
    "tag": _("Tag"),
    "time_zone": _("Time zone"),
    "valid": _("Valid"),
    "vat_id": _("VAT id"),
    "version": _("Version"),
}
VALUES: dict[str, Mapping[str, Text]] = {
    "role": dict(Member.Role.choices),
    "state": {**dict(Member.State.choices), **dict(Batch.State.choices)},
    "kind": dict(User.Kind.choices),
    "language": dict(LANGUAGES),
    "run": dict(Batch.Kind.choices),
    "port_state": {
        "processing": pgettext_lazy("port order", "Processing"),
        "contacting": pgettext_lazy("port order", "Contacting the carrier"),
        "approved": pgettext_lazy("port order", "Transfer approved"),
        "rejected": pgettext_lazy("port order", "Rejected by the carrier"),
        "completed": pgettext_lazy("port order", "Completed"),
    },
}
ACTIONS: dict[str, Text] = dict(Action.choices)
# Alone on a line, these say enough without their name.
PLAIN = frozenset({"department", "role", "state", "kind", "port_state"})


@dataclass(frozen=True)
class Change:
    """One field of a line: its name ("" where the value says enough), what it was and what it became."""

    label: str
    before: str
    after: str


def action_text(entry: AuditEntry) -> str:
    return str(ACTIONS.get(entry.action, entry.action))


class Acted(Protocol):
    """What somebody did, as the log and the ledger keep it."""

    actor_kind: Any
    actor_user: Any
    actor_member: Any


def actor_text(entry: Acted, at: datetime) -> str:
    """Who did it, which was ``at`` a moment. Somebody who was erased is shown by the name that was left of them."""
    if entry.actor_member is not None:
        return entry.actor_member.name_at(at)
    if entry.actor_kind == AuditEntry.ActorKind.OPERATOR and entry.actor_user is not None:
        return gettext("{name}, operator").format(name=entry.actor_user.display_name)
    if entry.actor_user is not None:
        return entry.actor_user.display_name
    return gettext("Skype Manager")


def origin_text(entry: AuditEntry) -> str:
    """The IP address it was done from, while that is known."""
    if entry.origin is None:
        return ""
    # A membership may have forgotten whose it was.
    acted = entry.actor_member
    return entry.origin.address if acted is None or acted.user_id == entry.actor_user_id else ""


def subject_text(entry: AuditEntry) -> str:
    return entry.subject_member.name_at(entry.at) if entry.subject_member is not None else ""


def changes_of(entry: AuditEntry) -> list[Change]:
    """What was different afterwards, field by field."""
    names = [*entry.before, *(name for name in entry.after if name not in entry.before)]
    alone = len(names) == 1
    return [
        Change(
            label="" if alone and name in PLAIN else str(FIELDS.get(name, name)),
            before=_value_text(name, entry.before.get(name)),
            after=_value_text(name, entry.after.get(name)) or _nothing(name, entry),
        )
        for name in names
    ]


def _nothing(name: str, entry: AuditEntry) -> str:
    return gettext("none") if entry.before.get(name) else ""


def _value_text(name: str, value: Any) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return gettext("yes") if value else gettext("no")
        case list():
            return get_text_list([_part(part) for part in value], gettext("and"))
        case _:
            return str(VALUES.get(name, {}).get(str(value), value))


def _part(part: str) -> str:
    notices = {notice.key: notice.label for notice in registry.all(Notice)}
    return str(FIELDS.get(part) or notices.get(part) or part)


def changes_text(changes: Sequence[Change], *, after: bool) -> str:
    """The changes of a line in one cell of a file: "Role: Member; State: Active"."""
    told = [(change.label, change.after if after else change.before) for change in changes]
    # Translators: one field of a line of the log, "Role: Member"; some languages space the colon.
    pair = pgettext("field of the log", "{label}: {value}")
    parts = [pair.format(label=label, value=value) if label else value for label, value in told if value]
    # Translators: between the fields of a line of the log, "Role: Member; State: Active".
    return pgettext("between fields of the log", "; ").join(parts)
