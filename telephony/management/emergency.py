"""Emergency addresses as commands name them and tell of them."""

from typing import Any

from members.management.base import Refused
from members.models import Organization
from skypemgr.characters import storable
from telephony.models import EmergencyAddress
from telephony.validation import Level, Result, tell_message

# What comes out of an address that was refused before it could be looked at.
NOTHING: dict[str, object] = {"status": "rejected", "address": None, "changes": [], "fields": {}, "messages": []}


def find_address(organization: Organization, name: str) -> EmergencyAddress:
    """The live emergency address of a name. Raises Refused when there is no such one."""
    addresses = EmergencyAddress.objects.filter(organization=organization).named(storable(name))
    found = addresses.select_related("current").first()
    if found is None:
        raise Refused(f"There is no emergency address “{name}” in {organization.name}.")
    return found


def told(name: str, result: Result) -> dict[str, Any]:
    """What ``--json`` prints of an address that was validated."""
    return {
        "status": str(result.status),
        "address": {"name": name, **result.normalized.as_dict()},
        "changes": result.changes,
        "fields": result.fields,
        "messages": [
            {"field": message.field, "level": str(message.level), "text": tell_message(message)}
            for message in result.messages
        ],
    }


def why_rejected(result: Result) -> str:
    """Which fields are wrong, and why, in a line for each."""
    errors = [message for message in result.messages if message.level == Level.ERROR]
    return "\n".join(f"{message.field}: {tell_message(message)}" for message in errors)


def lines_of(result: dict[str, Any]) -> list[str]:
    """The same for people."""
    lines = [f"{change['field']}: {change['old'] or '–'} → {change['new']}" for change in result["changes"]]
    return lines + [f"{message['field']}: {message['text']}" for message in result["messages"]]
