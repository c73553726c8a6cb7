"""Somebody leaves their business account: all of what that means, in one step."""

from collections.abc import Mapping
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.errors import LeavingChanged
from members.leaving import NOT_ALLOWED, decide, list_left, require_all_allowed, require_leaver, seal_of
from members.leaving_steps import CANCEL, SENT, invited_with
from members.locks import lock_organization, take_time
from members.models import Leaving, Member, Organization
from members.operations import claim, settle
from members.registry import LeavingPart, registry
from skypemgr.kill_points import kill_point

_NAME = "process_leaver"


@transaction.atomic(durable=True)
def process_leaver(
    *,
    actor: Actor,
    organization: Organization,
    member: Member,
    key: UUID,
    choices: Mapping[str, str] | None = None,
    seen: str = "",
    reason: str = "",
) -> Leaving:
    """Block a business account and deal with all that its person leaves behind; all of it, or nothing.

    ``choices`` are those of the lines of ``list_left`` and of their days, by key; what is not chosen goes as it is
    proposed, and what the actor's role can't deal with stays and is noted. ``seen`` is the seal of what was shown. Can
    be repeated for what was kept; the same key gives the first leaving. Raises PersonalAccountLeaves, OwnLeaving,
    StateForbids when they have left, LastAdministrator, AdministratorNeeded, LeavingChanged, NotAChoice, KeyReused,
    and what the parts raise.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    chosen = dict(choices or {})
    facts: dict[str, object] = {"member": member.pk, "choices": chosen, "reason": reason}
    if earlier := claim(organization=organization, name=_NAME, key=key, facts=facts):
        return Leaving.objects.get(organization=organization, pk=earlier.result["leaving"])
    take_time()
    lock_organization(organization)
    locked = _lock(organization, member, sent=chosen.get(SENT) == CANCEL)
    require_leaver(actor, locked)
    left = list_left(actor, locked)
    require_all_allowed(locked, left)
    if seen and seen != seal_of(left):
        raise LeavingChanged
    decided = decide(left, chosen)
    lines: list[dict[str, object]] = []
    for part in registry.all(LeavingPart):
        mine = [one.line.key for one in left if one.part is part]
        if not actor.can(part.capability):
            lines += [{"part": part.key, "key": name, "outcome": NOT_ALLOWED} for name in mine]
        elif mine:
            done = part.apply(actor, organization, locked, decided, reason)
            lines += [{"part": part.key, **fact} for fact in done]
            kill_point("leaver.after_part")
    leaving = Leaving.objects.create(
        organization=organization, member=member, lines=lines, reason=reason, made_by=actor.member
    )
    record(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_LEAVER,
        subject=leaving,
        member=locked,
        reason=reason,
    )
    settle(organization=organization, name=_NAME, key=key, result={"leaving": leaving.pk})
    kill_point("leaver.before_commit")
    return leaving


def _lock(organization: Organization, member: Member, *, sent: bool) -> Member:
    """The member as they are now, locked in one go with those whose invitations go along, by key."""
    known = Member.objects.of(organization).select_related("user").filter(pk=member.pk).first()
    if known is None:
        raise PermissionDenied
    keys = [known.pk, *invited_with(known, sent=sent)]
    rows = Member.objects.of(organization).select_for_update(no_key=True, of=("self", "user"))
    people = rows.select_related("user", "organization", "department").filter(pk__in=keys).order_by("pk")
    return next(one for one in people if one.pk == known.pk)
