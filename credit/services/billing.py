"""To whom invoices are made out, who makes them out, and the evidence for reverse charge."""

from collections.abc import Mapping
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from credit.models import BillingProfile, Seller, VatCheck
from credit.sellers import profile_of
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization

# What the log repeats; of the rest it says that it was changed.
LOGGED = {"name": "billing_name", "country": "country", "vat_id": "vat_id"}


@transaction.atomic(durable=True)
def change_billing(*, actor: Actor, organization: Organization, fields: Mapping[str, str]) -> BillingProfile:
    """Save to whom the invoices of an organization are made out: the fields of BillingProfile, checked before."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    lock_organization(organization)
    before = profile_of(organization)
    profile, _made = BillingProfile.objects.update_or_create(organization=organization, defaults=fields)
    changed = [name for name, value in fields.items() if before is None or getattr(before, name) != value]
    if changed:
        record(
            organization=organization,
            actor=actor,
            action=Action.BILLING_CHANGED,
            subject=profile,
            before={LOGGED[name]: getattr(before, name) for name in changed if name in LOGGED} if before else {},
            after={LOGGED[name]: fields[name] for name in changed if name in LOGGED},
        )
    return profile


@transaction.atomic(durable=True)
def record_vat_check(
    *, actor: Actor, organization: Organization, vat_id: str, valid: bool, checked_on: date, reference: str
) -> VatCheck:
    """Record what came of it when a VAT id was looked up; a valid one gives its organization reverse charge."""
    require(actor, organization, Capability.RUN_INSTALLATION)
    check = VatCheck.objects.create(
        organization=organization,
        vat_id=vat_id,
        valid=valid,
        checked_on=checked_on,
        reference=reference,
        checked_by=actor.user,
    )
    record(
        organization=organization,
        actor=actor,
        action=Action.VAT_ID_CHECKED,
        subject=check,
        after={"vat_id": vat_id, "valid": valid},
    )
    return check


@transaction.atomic(durable=True)
def change_seller(*, actor: Actor, fields: Mapping[str, object]) -> Seller:
    """Save who sells credit here: the fields of Seller, checked before. What was before stays on record."""
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    return Seller.objects.create(saved_by=actor.user, **fields)
