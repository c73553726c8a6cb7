"""Whether administrators may see whom a member calls and when: for a personal account, as its owner says."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from members.access import Actor
from members.audit import Action, record
from members.models import CallDetailConsent, Member


def latest_consents(members: Collection[int], *, at: datetime | None = None) -> dict[int, CallDetailConsent]:
    """What each of ``members`` decided last, by their keys; at a moment, what they had decided by then."""
    decided = CallDetailConsent.objects.filter(member__in=members)
    if at is not None:
        decided = decided.filter(at__lte=at)
    return {entry.member_id: entry for entry in decided.order_by("member", "-at", "-id").distinct("member")}


@transaction.atomic(savepoint=False)
def note_consent(*, actor: Actor, member: Member, given: bool) -> bool:
    """Keep what the owner of a personal account, a locked or new member, decided; False when it was so before."""
    latest = latest_consents([member.pk]).get(member.pk)
    if given == (latest is not None and latest.given):
        return False
    consent = CallDetailConsent.objects.create(organization_id=member.organization_id, member=member, given=given)
    record(
        organization=member.organization,
        actor=Actor.of_member(member, address=actor.address),
        action=Action.CONSENT_GIVEN if given else Action.CONSENT_WITHDRAWN,
        subject=consent,
        member=member,
    )
    return True
