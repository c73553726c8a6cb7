"""Where somebody belongs: the organizations of a person, and those they administer."""

from members.access import ROLES, Capability
from members.models import Member, Organization, User

_CONSOLE_ROLES = [role for role, capabilities in ROLES.items() if Capability.OPEN_CONSOLE in capabilities]


def list_memberships(user: User) -> list[Member]:
    """The organizations ``user`` is in, blocked or not, by name."""
    memberships = Member.objects.filter(user=user).present().select_related("organization", "department", "user")
    return list(memberships.order_by("organization__name", "pk"))


def list_left(user: User) -> list[Member]:
    """The organizations ``user`` has left with a personal account, by name."""
    left = Member.objects.filter(user=user, state=Member.State.LEFT, account_kind=User.Kind.PERSONAL)
    return list(left.select_related("organization", "user").order_by("organization__name", "pk"))


def list_consoles(user: User) -> list[Member]:
    """The memberships of ``user`` that open a console, by the name of the organization."""
    memberships = Member.objects.filter(
        user=user, state=Member.State.ACTIVE, role__in=_CONSOLE_ROLES, organization__closed_at=None
    )
    return list(memberships.select_related("organization").order_by("organization__name", "pk"))


def is_member(user: User, organization: Organization) -> bool:
    """Whether ``user`` is in ``organization`` now, blocked or not."""
    return Member.objects.of(organization).present().filter(user=user).exists()


def is_new_installation() -> bool:
    """Whether nobody has set up a Skype Manager here yet."""
    return not Organization.objects.exists()
