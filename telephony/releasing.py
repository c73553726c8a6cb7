"""Numbers go back to the stock, of one organization and at one moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.models import Organization
from telephony.gateways.numbers import provider_of
from telephony.models import FeatureSetting, NumberOwnership, NumberTag, PhoneNumber

# So long a number that was given back is kept for its former owner, who can reserve it before others can.
KEPT = timedelta(days=90)


@transaction.atomic(savepoint=False)
def give_back(
    *, actor: Actor, organization: Organization, locked: Sequence[PhoneNumber], now: datetime, reason: str = ""
) -> None:
    """Give numbers of an organization back to the stock, which are locked and which nobody has."""
    keys = [number.pk for number in locked]
    # What an organization says of a number doesn't outlive owning it, nor do its people call by it any more.
    NumberTag.objects.filter(organization=organization, number__in=keys).delete()
    FeatureSetting.objects.filter(
        organization=organization,
        kind=FeatureSetting.Kind.CALLER_ID,
        number__in=[number.number for number in locked],
    ).delete()
    NumberOwnership.objects.filter(organization=organization, number__in=keys, until=None).update(
        until=now, released_by=actor.member
    )
    PhoneNumber.objects.of(organization).filter(pk__in=keys).update(
        organization=None,
        acquired_at=None,
        renews_on=None,
        anchored_on=None,
        emergency_address=None,
        assignable_from=None,
        former_owner=organization,
        kept_until=now + KEPT,
        # Nobody passes them by before that, who looks for free ones.
        reserved_until=now + KEPT,
    )
    for number in locked:
        provider_of(number).release([number])
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.NUMBER_RELEASED,
                subject=number,
                before={"number": number.number, "place": str(number.area)},
                reason=reason,
            )
            for number in locked
        ],
    )
