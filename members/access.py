"""Who may do what: roles are sets of capabilities, and every view and service names the one it needs."""

from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import PermissionDenied

from members.errors import OrganizationClosed
from members.models import AuditEntry, Member, Organization, User


class Capability(StrEnum):
    OPEN_CONSOLE = "open_console"
    VIEW_MEMBERS = "view_members"
    MANAGE_MEMBERS = "manage_members"
    ASSIGN_ROLES = "assign_roles"
    MANAGE_ORGANIZATION = "manage_organization"
    VIEW_AUDIT = "view_audit"
    MANAGE_CREDIT = "manage_credit"
    MANAGE_VOICE = "manage_voice"
    VIEW_REPORTS = "view_reports"
    RUN_INSTALLATION = "run_installation"


_VIEWER = frozenset({Capability.OPEN_CONSOLE, Capability.VIEW_MEMBERS})
ORGANIZATION_CAPABILITIES = frozenset(Capability) - {Capability.RUN_INSTALLATION}
ROLES: dict[str, frozenset[Capability]] = {
    Member.Role.ADMINISTRATOR: ORGANIZATION_CAPABILITIES,
    Member.Role.MEMBERS_MANAGER: _VIEWER | {Capability.MANAGE_MEMBERS},
    Member.Role.CREDIT_MANAGER: _VIEWER | {Capability.MANAGE_CREDIT, Capability.VIEW_REPORTS},
    Member.Role.VOICE_MANAGER: _VIEWER | {Capability.MANAGE_VOICE},
    Member.Role.REPORTS_VIEWER: _VIEWER | {Capability.VIEW_REPORTS},
    Member.Role.MEMBER: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks a service to do something: a member, an operator or the system, with their capabilities.

    ``address`` is the IP address the person acted from, ``session`` the key of the session that they act in, ""
    when there is none.
    """

    kind: AuditEntry.ActorKind
    capabilities: frozenset[Capability]
    user: User | None = None
    member: Member | None = None
    address: str = ""
    session: str = ""

    @classmethod
    def of_member(cls, member: Member, *, address: str = "") -> "Actor":
        return cls(
            kind=AuditEntry.ActorKind.MEMBER,
            capabilities=ROLES[member.role] if member.state == Member.State.ACTIVE else frozenset(),
            user=member.user,
            member=member,
            address=address,
        )

    @classmethod
    def of_person(cls, user: User, *, address: str = "", session: str = "") -> "Actor":
        """Somebody who acts on their own account only, as a member of no organization in particular."""
        return cls(
            kind=AuditEntry.ActorKind.MEMBER, capabilities=frozenset(), user=user, address=address, session=session
        )

    @classmethod
    def visitor(cls, *, address: str = "") -> "Actor":
        """Somebody who isn't signed in."""
        return cls(kind=AuditEntry.ActorKind.MEMBER, capabilities=frozenset(), address=address)

    @classmethod
    def operator(cls, user: User, *, address: str = "") -> "Actor":
        return cls(kind=AuditEntry.ActorKind.OPERATOR, capabilities=frozenset(Capability), user=user, address=address)

    @classmethod
    def system(cls) -> "Actor":
        return cls(kind=AuditEntry.ActorKind.SYSTEM, capabilities=frozenset(Capability))

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities

    def belongs_to(self, organization: Organization) -> bool:
        """True for members of ``organization``, and for operators and the system, who belong to none."""
        if self.kind == AuditEntry.ActorKind.MEMBER:
            return self.member is not None and self.member.organization_id == organization.pk
        return True


def require(actor: Actor, organization: Organization, capability: Capability) -> None:
    """Raise PermissionDenied unless ``actor`` holds ``capability`` in ``organization``.

    Raises OrganizationClosed when it is closed.
    """
    if not (actor.belongs_to(organization) and actor.can(capability)):
        raise PermissionDenied
    if organization.closed_at is not None:
        raise OrganizationClosed(name=organization.name)


def require_even_closed(actor: Actor, organization: Organization, capability: Capability) -> None:
    """As ``require``, but what the law goes on to ask of a closed organization is done there by operators.

    Raises OrganizationClosed for its members.
    """
    if organization.closed_at is None or not actor.can(Capability.RUN_INSTALLATION):
        require(actor, organization, capability)


def require_over(actor: Actor, member: Member) -> None:
    """Raise PermissionDenied when ``member`` can do what ``actor`` can't: nobody rules over a higher role."""
    if not ROLES[member.role] <= actor.capabilities:
        raise PermissionDenied
