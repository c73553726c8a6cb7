"""Which notices come by letter."""

from collections.abc import Collection, Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Member, NoticeChoice, Organization
from members.notices import notices_for, wanted_at_first, wanted_by
from members.registry import Notice, registry


@transaction.atomic(durable=True)
def choose_notices(*, actor: Actor, organization: Organization, wanted: Collection[str]) -> bool:
    """Send the actor those notices that are ``wanted``, by their keys, and no others; False when it was so.

    Keys of what their role is not told of do nothing. Who wants what everybody gets goes along when that changes.
    """
    require(actor, organization, Capability.OPEN_CONSOLE)
    if actor.member is None:
        raise PermissionDenied
    lock_organization(organization)
    first = wanted_at_first(organization)
    before = wanted_by(organization, [actor.member])[actor.member.pk]
    offered = [notice.key for notice in notices_for(actor.member.role)]
    choices = {key: key in wanted for key in offered}
    own = NoticeChoice.objects.filter(organization=organization, member=actor.member, notice__in=offered)
    own.delete()
    _keep(organization, {key: yes for key, yes in choices.items() if yes != first[key]}, actor.member)
    changed = {key: yes for key, yes in choices.items() if yes != (key in before)}
    if changed:
        record(
            organization=organization,
            actor=actor,
            action=Action.NOTICES_CHOSEN,
            subject=actor.member,
            after=_told(changed),
        )
    return bool(changed)


@transaction.atomic(durable=True)
def set_notices_at_first(*, actor: Actor, organization: Organization, wanted: Collection[str]) -> bool:
    """Send those who have not chosen otherwise the notices that are ``wanted``; False when it was so."""
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    lock_organization(organization)
    before = wanted_at_first(organization)
    choices = {notice.key: notice.key in wanted for notice in registry.all(Notice)}
    NoticeChoice.objects.filter(organization=organization, member=None).delete()
    _keep(organization, {key: yes for key, yes in choices.items() if not yes}, None)
    changed = {key: yes for key, yes in choices.items() if yes != before[key]}
    if changed:
        record(
            organization=organization,
            actor=actor,
            action=Action.NOTICES_SET,
            subject=organization,
            after=_told(changed),
        )
    return bool(changed)


def _keep(organization: Organization, choices: Mapping[str, bool], member: Member | None) -> None:
    NoticeChoice.objects.bulk_create(
        NoticeChoice(organization=organization, member=member, notice=key, wanted=yes) for key, yes in choices.items()
    )


def _told(changed: Mapping[str, bool]) -> dict[str, object]:
    parts = {name: [key for key, yes in changed.items() if yes == on] for name, on in (("on", True), ("off", False))}
    return {name: keys for name, keys in parts.items() if keys}
