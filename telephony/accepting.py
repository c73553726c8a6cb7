"""What an organization accepts of the disclaimers of countries, and who did."""

from collections.abc import Collection, Mapping

from django.db import transaction

from members.access import Actor
from members.audit import Action, record
from members.models import Organization
from telephony.address_errors import DisclaimerMissing
from telephony.countries import missing_disclaimer
from telephony.models import Disclaimer, DisclaimerAcceptance


@transaction.atomic(savepoint=False)
def accept(*, actor: Actor, organization: Organization, disclaimer: Disclaimer) -> DisclaimerAcceptance:
    """Write down that an organization, locked already, accepts a disclaimer that it has not accepted yet."""
    acceptance = DisclaimerAcceptance.objects.create(
        organization=organization, disclaimer=disclaimer, accepted_by=actor.member
    )
    record(
        organization=organization,
        actor=actor,
        action=Action.DISCLAIMER_ACCEPTED,
        subject=acceptance,
        after={"country": disclaimer.country, "version": disclaimer.version},
    )
    return acceptance


@transaction.atomic(savepoint=False)
def accept_for(
    *, actor: Actor, organization: Organization, countries: Collection[str], read: Mapping[str, int]
) -> None:
    """Accept what some countries still ask an organization, locked already, to accept.

    ``read`` are the versions that somebody says they have read, by country; others of them are left alone. Raises
    DisclaimerMissing where the one that counts was not read.
    """
    for country in sorted(countries):
        disclaimer = missing_disclaimer(organization, country)
        if disclaimer is None:
            continue
        if read.get(country) != disclaimer.version:
            raise DisclaimerMissing(country=country)
        accept(actor=actor, organization=organization, disclaimer=disclaimer)
