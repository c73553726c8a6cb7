"""Disclaimers of countries: published by operators, accepted by organizations."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.locks import lock_organization
from members.models import Organization
from skypemgr.clock import DatabaseClock
from telephony.accepting import accept
from telephony.address_errors import DisclaimerReplaced, NoDisclaimer
from telephony.countries import acceptance_of, current_disclaimer
from telephony.models import CountryRule, Disclaimer, DisclaimerAcceptance


@transaction.atomic(durable=True)
def accept_disclaimer(
    *, actor: Actor, organization: Organization, country: str, version: int | None = None
) -> DisclaimerAcceptance:
    """Accept what using numbers and emergency addresses of a country means, once for the whole organization.

    ``version`` is the one that was read, if that is known. Raises NoDisclaimer, and DisclaimerReplaced when another
    counts by now.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    # Two clicks are one acceptance.
    lock_organization(organization)
    disclaimer = current_disclaimer(country)
    if disclaimer is None:
        raise NoDisclaimer(country=country)
    if version is not None and version != disclaimer.version:
        raise DisclaimerReplaced
    if accepted := acceptance_of(organization, disclaimer):
        return accepted
    return accept(actor=actor, organization=organization, disclaimer=disclaimer)


@transaction.atomic(durable=True)
def publish_disclaimer(
    *, actor: Actor, country: str, text_en: str, text_fr: str, text_sv: str, begins_at: datetime | None = None
) -> Disclaimer:
    """Publish the next version of a country's disclaimer, which counts at once or from ``begins_at`` on.

    Every organization has to accept it anew then. What was before stays on record.
    """
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    # Whoever comes second waits here, and gets the number after this one.
    rules = CountryRule.objects.select_for_update(of=("self",)).filter(country=country)
    if rules.order_by("pk").first() is None:
        raise NoDisclaimer(country=country)
    last = Disclaimer.objects.filter(country=country).order_by("-version").first()
    return Disclaimer.objects.create(
        country=country,
        version=last.version + 1 if last else 1,
        text_en=text_en,
        text_fr=text_fr,
        text_sv=text_sv,
        begins_at=begins_at or DatabaseClock(),
        published_by=actor.user,
    )


@transaction.atomic(durable=True)
def change_country_rule(
    *, actor: Actor, country: str, address_first: bool, area_match: str, place_needed: bool, emergency_numbers: str
) -> CountryRule:
    """Save what a country asks of numbers and emergency addresses."""
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    rule, _made = CountryRule.objects.update_or_create(
        country=country,
        defaults={
            "address_first": address_first,
            "area_match": area_match,
            "place_needed": place_needed,
            "emergency_numbers": emergency_numbers,
            "changed_by": actor.user,
            "changed_at": DatabaseClock(),
        },
    )
    return rule
