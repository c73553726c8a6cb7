"""What a country asks of numbers and emergency addresses, and what is to be accepted before they are used."""

from members.models import Organization
from skypemgr.clock import DatabaseClock
from telephony.models import CountryRule, Disclaimer, DisclaimerAcceptance

# Where a number comes without an emergency address, which is given with the person.
ADDRESS_LATER = frozenset({"US", "CA"})


def rule_of(country: str) -> CountryRule:
    """The rule of a country; where there is none, a number comes with its address and nothing is compared."""
    found = CountryRule.objects.filter(country=country).first()
    return found or CountryRule(country=country, address_first=country not in ADDRESS_LATER)


def countries_with_places() -> frozenset[str]:
    """The countries in which whoever has a number is at a place of their emergency address."""
    return frozenset(CountryRule.objects.filter(place_needed=True).values_list("country", flat=True))


def current_disclaimer(country: str) -> Disclaimer | None:
    """The disclaimer of a country that counts now, by the database's clock; None where there is none."""
    begun = Disclaimer.objects.filter(country=country, begins_at__lte=DatabaseClock())
    return begun.order_by("-version").first()


def acceptance_of(organization: Organization, disclaimer: Disclaimer) -> DisclaimerAcceptance | None:
    """How an organization accepted a disclaimer, if it has."""
    return (
        DisclaimerAcceptance.objects.select_related("accepted_by__user")
        .filter(organization=organization, disclaimer=disclaimer)
        .first()
    )


def missing_disclaimer(organization: Organization, country: str) -> Disclaimer | None:
    """What an organization has yet to accept before addresses and numbers of a country are used; None for nothing."""
    disclaimer = current_disclaimer(country)
    if disclaimer is None or acceptance_of(organization, disclaimer) is not None:
        return None
    return disclaimer
