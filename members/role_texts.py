"""What the roles may do, in words: made from the roles themselves, so that it can't say anything else."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from members.access import ORGANIZATION_CAPABILITIES, ROLES, Capability
from members.models import Member, Organization
from members.registry import Text
from members.tallies import present, tally

CAPABILITIES: Mapping[Capability, Text] = {
    Capability.OPEN_CONSOLE: _("Open the console and its overview"),
    Capability.VIEW_MEMBERS: _("See members and departments"),
    Capability.MANAGE_MEMBERS: _("Add, change, invite and block people; manage departments"),
    Capability.ASSIGN_ROLES: _("Give roles, and reset second factors"),
    Capability.MANAGE_CREDIT: _("Buy and allocate credit, set auto-recharge"),
    Capability.MANAGE_VOICE: _("Manage licenses, numbers and emergency addresses"),
    Capability.VIEW_REPORTS: _("See reports"),
    Capability.VIEW_AUDIT: _("See the audit log"),
    Capability.MANAGE_ORGANIZATION: _("Change the settings"),
}


@dataclass(frozen=True)
class RoleColumn:
    """A role, and how many people have it."""

    value: str
    label: str
    people: int


@dataclass(frozen=True)
class CapabilityRow:
    """Something that can be done, with whether each role may, in the order of the roles."""

    text: Text
    allowed: list[tuple[str, bool]]


def list_roles(organization: Organization) -> list[RoleColumn]:
    """The roles, mightiest first, each with how many of ``organization`` have it."""
    people = tally(organization, "role", present())
    return [RoleColumn(value, str(label), people.get(value, 0)) for value, label in Member.Role.choices]


def list_capabilities() -> list[CapabilityRow]:
    """Everything that a role may do, or not."""
    return [
        CapabilityRow(text, [(str(label), capability in ROLES[value]) for value, label in Member.Role.choices])
        for capability, text in CAPABILITIES.items()
        if capability in ORGANIZATION_CAPABILITIES
    ]


def abilities_of(role: str) -> list[Text]:
    """What somebody with ``role`` may do, sentence by sentence; nothing for a plain member."""
    return [text for capability, text in CAPABILITIES.items() if capability in ROLES[role]]
