from dataclasses import dataclass

from django.utils.translation import get_language

from members.models import Organization
from members.places import country_choices
from skypemgr.clock import DatabaseClock
from telephony.models import CountryRule, Disclaimer, DisclaimerAcceptance


@dataclass(frozen=True)
class DisclaimerRow:
    """A country with the text that counts there, how an organization accepted it, and the rule of the country."""

    country: str
    name: str
    disclaimer: Disclaimer
    acceptance: DisclaimerAcceptance | None = None
    rule: CountryRule | None = None


def list_disclaimers(organization: Organization | None = None) -> list[DisclaimerRow]:
    """The countries that have something to accept, by name; with ``organization`` also what it has accepted."""
    begun = Disclaimer.objects.filter(begins_at__lte=DatabaseClock()).order_by("country", "-version")
    current = {entry.country: entry for entry in begun.distinct("country")}
    accepted = {}
    if organization is not None:
        own = DisclaimerAcceptance.objects.filter(organization=organization, disclaimer__in=current.values())
        accepted = {entry.disclaimer_id: entry for entry in own.select_related("accepted_by__user")}
    rules = {rule.country: rule for rule in CountryRule.objects.all()}
    return [
        DisclaimerRow(code, name, current[code], accepted.get(current[code].pk), rules.get(code))
        for code, name in country_choices(get_language() or "en")
        if code in current
    ]
