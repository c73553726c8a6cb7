from decimal import Decimal

from django.db import transaction

from credit.models import AlertSettings
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from skypemgr.background import wake
from skypemgr.money import places_of


@transaction.atomic(durable=True)
def change_alerts(*, actor: Actor, organization: Organization, low_wallet: Decimal | None) -> AlertSettings:
    """Be told when the wallet holds less than ``low_wallet``, a positive amount; None: not any more."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    lock_organization(organization)
    settings, _made = AlertSettings.objects.get_or_create(organization=organization)
    before = settings.low_wallet
    if before != low_wallet:
        # The watch looks anew: of another amount nobody was told yet.
        settings.low_wallet, settings.low_since = low_wallet, None
        settings.save(update_fields=["low_wallet", "low_since"])
        record(
            organization=organization,
            actor=actor,
            action=Action.ALERTS_CHANGED,
            subject=settings,
            before={"low_wallet": _shown(before, organization)},
            after={"low_wallet": _shown(low_wallet, organization)},
        )
        wake("credit.watch_wallets")
    return settings


def _shown(amount: Decimal | None, organization: Organization) -> str:
    if amount is None:
        return ""
    return f"{amount:.{places_of(organization.currency)}f} {organization.currency}"
