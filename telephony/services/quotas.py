from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from telephony.models import NumberQuota
from telephony.quotas import Quota, quota_of


@transaction.atomic(durable=True)
def set_number_quota(*, actor: Actor, organization: Organization, numbers: int | None, reason: str) -> Quota:
    """Let an organization have so many numbers, whatever its licenses; None: as its licenses say again.

    For those who run the installation. What it has beyond a lower one stays its own.
    """
    require(actor, organization, Capability.RUN_INSTALLATION)
    lock_organization(organization)
    before = quota_of(organization)
    if numbers is None:
        NumberQuota.objects.filter(organization=organization).delete()
    else:
        NumberQuota.objects.update_or_create(
            organization=organization, defaults={"numbers": numbers, "reason": reason, "set_by": actor.user}
        )
    after = quota_of(organization)
    if before.set != after.set:
        record(
            organization=organization,
            actor=actor,
            action=Action.NUMBER_QUOTA_SET,
            subject=organization,
            before={"numbers": before.allowed},
            after={"numbers": after.allowed},
            reason=reason,
        )
    return after
