"""What somebody with a business account leaves behind, as a page shows it and a service deals with it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from members.access import Actor, Capability, require_over
from members.errors import (
    AdministratorNeeded,
    LeavingChanged,
    NotAChoice,
    OwnLeaving,
    PersonalAccountLeaves,
    StateForbids,
)
from members.models import Leaving, Member, Organization
from members.registry import LeavingLine, LeavingPart, Text, registry

NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True)
class Left:
    """A line of a part; ``allowed`` says whether whoever asks may deal with it."""

    part: LeavingPart
    line: LeavingLine
    allowed: bool

    @property
    def choosable(self) -> bool:
        return self.allowed and bool(self.line.choices)


def ends_with_invitation(member: Member) -> bool:
    """Whether the account goes when its invitation does: nobody has ever joined with it."""
    return member.state == Member.State.INVITED and member.user.handed_over_at is None


def require_leaver(actor: Actor, member: Member) -> None:
    """Raise unless ``actor`` can deal with the leaving of ``member``.

    Raises PermissionDenied for a role above, PersonalAccountLeaves, OwnLeaving, StateForbids when they have left.
    """
    require_over(actor, member)
    if member.user.owner_id != member.organization_id:
        raise PersonalAccountLeaves
    if actor.member == member:
        raise OwnLeaving
    if member.state == Member.State.LEFT:
        raise StateForbids(state=member.get_state_display())


def list_left(actor: Actor, member: Member) -> list[Left]:
    """Everything that a member would leave behind now, in the order in which it is dealt with."""
    parts = registry.all(LeavingPart)
    return [Left(part, line, actor.can(part.capability)) for part in parts for line in part.lines(member)]


def require_all_allowed(member: Member, left: Sequence[Left]) -> None:
    """Raise AdministratorNeeded when the account would end, but not what it holds."""
    if ends_with_invitation(member) and not all(one.allowed for one in left):
        raise AdministratorNeeded


def seal_of(left: Sequence[Left]) -> str:
    """What stands for what was shown, to be compared with what is there when it is confirmed."""
    shown = [
        # What some have by now, as credit, may change meanwhile: it goes the same way.
        (one.line.key, one.line.value if one.line.choices else one.line.note, [key for key, _ in one.line.choices])
        for one in left
    ]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def decide(left: Sequence[Left], choices: Mapping[str, str]) -> dict[str, str]:
    """Each choice and number of days that counts, those not given as they are proposed.

    Raises LeavingChanged for something that is not there (any more), NotAChoice.
    """
    decided: dict[str, str] = {}
    for one in left:
        if not one.choosable:
            continue
        line = one.line
        decided[line.key] = choices.get(line.key, line.choices[0][0])
        if decided[line.key] not in [choice for choice, _label in line.choices]:
            raise NotAChoice(choice=decided[line.key])
        if line.days is not None:
            days = choices.get(line.days.key, str(line.days.initial))
            if not days.isdecimal() or int(days) > line.days.most:
                raise NotAChoice(choice=days)
            decided[line.days.key] = days
    if not choices.keys() <= decided.keys():
        raise LeavingChanged
    return decided


def tell_leaving(organization: Organization, leaving: Leaving) -> list[tuple[Text, str]]:
    """What was done, line by line: what each is called, and what became of it."""
    parts = {part.key: part for part in registry.all(LeavingPart)}
    told = []
    for fact in leaving.lines:
        label, text = parts[fact["part"]].tell(organization, fact)
        if fact["outcome"] == NOT_ALLOWED:
            text = gettext("Not changed: whoever did this has a role that can’t. Somebody else still has to.")
        told.append((label, text))
    return told


def list_leavings(member: Member) -> list[Leaving]:
    """The last few of a member, whoever had the account then; the newest first."""
    return list(Leaving.objects.filter(organization=member.organization_id, member=member).order_by("-pk")[:5])


def may_deal_with(actor: Actor, member: Member) -> bool:
    """Whether the pages offer it."""
    return (
        actor.can(Capability.MANAGE_MEMBERS)
        and member.user.owner_id == member.organization_id
        and actor.member != member
        and member.state != Member.State.LEFT
    )
