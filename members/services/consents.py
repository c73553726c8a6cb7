"""Consent to call detail, by the owners of personal accounts and nobody else."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor
from members.consents import note_consent
from members.errors import NoConsentNeeded, StateForbids
from members.models import Member, Organization, User


@transaction.atomic(durable=True)
def decide_call_detail(*, actor: Actor, organization: Organization, given: bool) -> bool:
    """Let the administrators of ``organization`` see whom the actor calls and when, or no longer; False when it was so.

    Raises NoConsentNeeded for a business account. Somebody who is blocked can take it back, and not give it
    (StateForbids).
    """
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "user")
        .filter(organization=organization, user=actor.user)
        .first()
    )
    if actor.user is None or member is None:
        raise PermissionDenied
    if member.account_kind == User.Kind.BUSINESS:
        raise NoConsentNeeded
    if given and member.state != Member.State.ACTIVE:
        raise StateForbids(state=member.get_state_display())
    return note_consent(actor=actor, member=member, given=given)
