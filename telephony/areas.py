"""Whether an emergency address lies in the area of a number; some countries want it there (domain §3.5)."""

import re
from collections.abc import Collection, Iterable

from members.folding import fold
from telephony.models import CountryRule, EmergencyAddress, NumberArea

Match = CountryRule.AreaMatch


def lies_outside(area: NumberArea, address: EmergencyAddress) -> bool:
    """Whether both are known to be in different cities; one of the same region lies in the area.

    A city of one word is found in a longer name of it: Lyon in "Lyon 2e Arrondissement".
    """
    version = address.current
    if version is None or not area.city or not version.city:
        return False
    if area.region and _words(area.region) == _words(version.region):
        return False
    ours, theirs = _words(area.city), _words(version.city)
    shorter = min(len(ours), len(theirs))
    return ours[:shorter] != theirs[:shorter]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def countries_that(match: str, countries: Collection[str]) -> frozenset[str]:
    """Those of some countries whose rule warns of, or refuses, an address outside the area of its number."""
    rules = CountryRule.objects.filter(country__in=countries, area_match=match)
    return frozenset(rules.values_list("country", flat=True))


def warned_of(pairs: Iterable[tuple[NumberArea, EmergencyAddress]]) -> list[tuple[NumberArea, EmergencyAddress]]:
    """The areas and addresses that a rule warns of: each pair once, where the address lies outside."""
    outside = {(area.pk, address.pk): (area, address) for area, address in pairs if lies_outside(area, address)}
    warns = countries_that(Match.WARN, {area.country for area, _address in outside.values()}) if outside else ()
    return [(area, address) for area, address in outside.values() if area.country in warns]
