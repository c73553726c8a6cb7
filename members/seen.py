"""What a company sees of its members and what it never does, made from the roles that can do it.

The page at which somebody joins and the one they have afterward tell the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from members.access import ROLES
from members.audit import Action
from members.models import AuditEntry, Member, Organization, User
from members.registry import Text, VisibleFact, registry
from members.tallies import present, tally
from members.tenures import present_stint

# What is logged when somebody looks at data of one person in particular.
LOOKED_AT = (Action.MEMBER_DATA_EXPORTED, Action.CALLS_VIEWED)
MOST = 50


@dataclass(frozen=True)
class Seen:
    """Something that is seen: by which roles, each with how many people have it, and whether by every member."""

    text: Text
    note: Text
    roles: Sequence[tuple[str, int]]
    by_everybody: bool


@dataclass(frozen=True)
class Sight:
    """What a company sees of somebody, and what it doesn't."""

    seen: Sequence[Seen]
    unseen: Sequence[Seen]


def sight_of(organization: Organization, kind: str, *, agreed: bool = False) -> Sight:
    """What ``organization`` sees of a member whose account is of ``kind``.

    ``agreed`` says whether the owner of a personal account lets it see what it sees only then.
    """
    people = tally(organization, "role", present())
    seen, unseen = [], []
    for fact in registry.all(VisibleFact):
        if fact.kind not in ("", kind):
            continue
        asks = fact.consent and kind == User.Kind.PERSONAL
        if fact.capability is None or (asks and not agreed):
            unseen.append(Seen(fact.text, fact.consent_note if asks else "", (), by_everybody=False))
        else:
            everybody = fact.colleagues and organization.show_colleagues
            note = fact.consent_note if asks else ""
            seen.append(Seen(fact.text, note, _roles_with(fact, people), by_everybody=everybody))
    return Sight(seen, unseen)


def list_looks(member: Member) -> list[AuditEntry]:
    """When somebody looked at data of ``member`` in particular, the latest first: fifty times at most."""
    entries = AuditEntry.objects.filter(organization=member.organization_id, subject_member=member)
    mine = entries.filter(present_stint(member).covers("at"), action__in=LOOKED_AT)
    return list(mine.order_by("-at", "-id")[:MOST])


def _roles_with(fact: VisibleFact, people: Mapping[str, int]) -> list[tuple[str, int]]:
    return [
        (str(label), people[value])
        for value, label in Member.Role.choices
        if fact.capability in ROLES[value] and people.get(value)
    ]
