"""That somebody with a number has read how emergency calls work; they say so themselves, and nobody for them."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor
from members.audit import Action, record
from members.errors import OrganizationClosed
from members.models import Member, Organization, Tenure
from skypemgr.clock import database_now
from telephony.assignment_errors import NotWhatWasRead, WithoutNumber
from telephony.models import EmergencyAcknowledgment
from telephony.selectors.acknowledgments import Standing, standings_of


@transaction.atomic(durable=True)
def acknowledge_emergency_calls(*, actor: Actor, organization: Organization, stamp: str) -> Standing:
    """Note that the actor has read how emergency calls work with their number, where they are found now.

    ``stamp`` is that of the Standing they read. Once more changes nothing. Raises WithoutNumber, NotWhatWasRead when
    the address, the place or the text is another by now, OrganizationClosed.
    """
    # Whoever gives them another address, or takes the number away, holds them too.
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "user")
        .filter(organization=organization, user=actor.user, state=Member.State.ACTIVE)
        .order_by("pk")
        .first()
    )
    if actor.user is None or member is None:
        raise PermissionDenied
    if member.organization.closed_at is not None:
        raise OrganizationClosed(name=member.organization.name)
    found = standings_of(organization, [member])
    if not found:
        raise WithoutNumber(name=member.user.display_name)
    [standing] = found
    if standing.stamp != stamp:
        raise NotWhatWasRead
    if standing.read_at is not None:
        return standing
    assignment, version = standing.assignment, standing.assignment.emergency_address.current
    assert version is not None
    said = EmergencyAcknowledgment.objects.create(
        organization=organization,
        member=member,
        tenure=Tenure.objects.get(member=member, ended_at=None),
        assignment=assignment,
        version=version,
        place=standing.place,
        disclaimer_id=standing.disclaimer,
        at=database_now(),
    )
    record(
        organization=organization,
        actor=Actor.of_member(member, address=actor.address),
        action=Action.EMERGENCY_CALLS_READ,
        subject=said,
        member=member,
        after={
            "number": assignment.number.number,
            "emergency_address": assignment.emergency_address.name,
            **({"place": standing.place} if standing.place else {}),
        },
    )
    return Standing(assignment, standing.disclaimer, said.at)
