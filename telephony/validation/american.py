"""The United States: the street in parts (USPS Publication 28), its ordinal, and ZIP, state and city together."""

import re
from collections.abc import Sequence

from .address import Check, Draft, KnownCity
from .cities import check_city
from .ordinals import with_ordinal

_ZIP = re.compile(r"^(\d{5})[\s-]?(\d{4})?$")
_DIRECTIONS = {
    **{word: letter for letter, word in [("N", "north"), ("S", "south"), ("E", "east"), ("W", "west")]},
    "northeast": "NE",
    "northwest": "NW",
    "southeast": "SE",
    "southwest": "SW",
    **{letters.lower(): letters for letters in ("N", "S", "E", "W", "NE", "NW", "SE", "SW")},
}
# The types of streets that are common, as they are shortened (Publication 28, C1).
_SUFFIXES = {
    **dict.fromkeys(["avenue", "ave", "av", "aven"], "AVE"),
    **dict.fromkeys(["street", "st", "str", "strt"], "ST"),
    **dict.fromkeys(["boulevard", "blvd", "boul"], "BLVD"),
    **dict.fromkeys(["road", "rd"], "RD"),
    **dict.fromkeys(["drive", "dr", "drv"], "DR"),
    **dict.fromkeys(["lane", "ln"], "LN"),
    **dict.fromkeys(["way", "wy"], "WAY"),
    **dict.fromkeys(["court", "ct"], "CT"),
    **dict.fromkeys(["place", "pl"], "PL"),
    **dict.fromkeys(["square", "sq"], "SQ"),
    **dict.fromkeys(["terrace", "ter", "terr"], "TER"),
    **dict.fromkeys(["circle", "cir", "circ"], "CIR"),
    **dict.fromkeys(["parkway", "pkwy", "pky"], "PKWY"),
    **dict.fromkeys(["highway", "hwy"], "HWY"),
    **dict.fromkeys(["freeway", "fwy"], "FWY"),
    **dict.fromkeys(["expressway", "expy"], "EXPY"),
    **dict.fromkeys(["trail", "trl"], "TRL"),
    **dict.fromkeys(["plaza", "plz"], "PLZ"),
    **dict.fromkeys(["alley", "aly"], "ALY"),
    **dict.fromkeys(["crossing", "xing"], "XING"),
    **dict.fromkeys(["center", "ctr", "centre"], "CTR"),
    **dict.fromkeys(["heights", "hts"], "HTS"),
    **dict.fromkeys(["loop"], "LOOP"),
    **dict.fromkeys(["path"], "PATH"),
    **dict.fromkeys(["pike"], "PIKE"),
    **dict.fromkeys(["row"], "ROW"),
    **dict.fromkeys(["run"], "RUN"),
    **dict.fromkeys(["turnpike", "tpke"], "TPKE"),
}
_UNIT = re.compile(
    r"[\s,]+((?:apt|apartment|ste|suite|unit|bldg|building|floor|fl|room|rm|dept|lot|ph|penthouse|bsmt|basement)\.?"
    r"\s*#?\s*[\w-]*|#\s*[\w-]+)$",
    re.IGNORECASE,
)


def tidy_zip(draft: Draft) -> None:
    """Five digits, or nine with a hyphen between."""
    if found := _ZIP.match(draft.now.postal_code):
        draft.set("postal_code", f"{found[1]}-{found[2]}" if found[2] else found[1])


def check_street(draft: Draft) -> None:
    """The ending of a numbered street, what belongs into a place, and the parts of the street."""
    street = draft.now.street
    if ending := with_ordinal(street):
        if ending != street and "street" in draft.keep:
            draft.warn("street", "kept", suggested=ending, suggestions=[ending])
        elif ending != street:
            draft.set("street", ending)
            draft.note("street", "ordinal", street=ending)
    name = draft.now.street
    if unit := _UNIT.search(name):
        draft.note("street", "unit", unit=unit[1])
        name = name[: unit.start()]
    draft.parts.update(parts_of(name))


def parts_of(street: str) -> dict[str, str]:
    """Direction, name, type and direction; only the last type counts, and a direction alone is a name."""
    words = street.replace(",", " ").split()
    parts = {"pre_directional": "", "street_suffix": "", "post_directional": ""}

    def known(word: str, table: dict[str, str]) -> str:
        return table.get(word.lower().rstrip("."), "")

    if len(words) > 2 and (after := known(words[-1], _DIRECTIONS)):
        parts["post_directional"] = after
        words = words[:-1]
    if len(words) > 1 and (suffix := known(words[-1], _SUFFIXES)):
        parts["street_suffix"] = suffix
        words = words[:-1]
    if len(words) > 1 and (before := known(words[0], _DIRECTIONS)):
        parts["pre_directional"] = before
        words = words[1:]
    return {**parts, "street_name": " ".join(words)}


def check_zip(draft: Draft, known: Sequence[KnownCity]) -> None:
    """A ZIP code that lies in another state is refused; the city is compared with those that it knows."""
    code, state = draft.now.postal_code, draft.now.region
    if draft.checks.get("postal_code") == Check.INVALID or not code:
        return
    if not known:
        return
    states = list(dict.fromkeys(city.region for city in known))
    if not state and len(states) == 1:
        draft.set("region", states[0])
    elif state and draft.checks.get("region") != Check.INVALID and state not in states:
        draft.refuse("postal_code", "postal_code_in", code=code, there=", ".join(states), region=state)
        return
    draft.ok("postal_code", "region")
    check_city(draft, known)
