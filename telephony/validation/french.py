"""France: the type of the street, bis and ter, departments, the districts of its three largest cities."""

import re
from collections.abc import Sequence

from members.folding import fold

from .address import Check, Draft, KnownCity
from .cities import check_city
from .departments import DEPARTMENTS, REGIONS

_TYPES = {
    **dict.fromkeys(["av", "ave", "aven"], "avenue"),
    **dict.fromkeys(["bd", "bld", "blvd", "boul", "bvd"], "boulevard"),
    **dict.fromkeys(["r"], "rue"),
    **dict.fromkeys(["pl"], "place"),
    **dict.fromkeys(["all"], "allée"),
    **dict.fromkeys(["ch", "che", "chem"], "chemin"),
    **dict.fromkeys(["imp"], "impasse"),
    **dict.fromkeys(["rte"], "route"),
    **dict.fromkeys(["sq"], "square"),
    **dict.fromkeys(["fbg", "fg"], "faubourg"),
    **dict.fromkeys(["crs"], "cours"),
}
_KNOWN = frozenset(_TYPES.values()) | frozenset(
    {"quai", "esplanade", "passage", "villa", "cité", "rond-point", "sentier", "promenade", "voie", "zone", "lieu-dit"}
    | {"parvis", "résidence", "hameau", "chaussée", "mail", "ruelle", "venelle", "montée", "côte", "parc", "domaine"}
)
_FOLDED = {fold(name): name for name in _KNOWN}
_FIRST_WORD = re.compile(r"^([^\W\d_]+(?:-[^\W\d_]+)?)(\.?)(\s+)(?=\S)")
_ZIP = re.compile(r"^(?:f|fr)?[\s-]*(\d{2})\s?(\d{3})$", re.IGNORECASE)
_DISTRICT = re.compile(
    r"^(paris|lyon|marseille)[\s,(-]+(\d{1,2})\s*(?:er|ere|re|e|eme|ieme|nd|nde)?\s*(?:arr(?:ondissement|\.)?)?\)?$"
)
_DISTRICTS = {"750": ("paris", 20), "751": ("paris", 20), "690": ("lyon", 9), "130": ("marseille", 16)}


def tidy_postal_code(draft: Draft) -> None:
    if found := _ZIP.match(draft.now.postal_code):
        draft.set("postal_code", f"{found[1]}{found[2]}")


def check_street(draft: Draft) -> None:
    """A type that was shortened is written out; what it is stands apart from the name."""
    street = draft.now.street
    found = _FIRST_WORD.match(street)
    if not found:
        return
    word, rest = fold(found[1]), street[found.end() :]
    full = _TYPES.get(word, "")
    # "R" alone may begin a name, as "R Descartes"; with a point it is a street. Two letters are enough.
    if full and (found[2] or len(word) > 1):
        written = full.capitalize() if found[1][0].isupper() else full
        if "street" in draft.keep:
            draft.warn("street", "kept", suggested=f"{written} {rest}", suggestions=[f"{written} {rest}"])
        else:
            draft.set("street", f"{written} {rest}")
        draft.parts.update(street_prefix=full, street_name=rest)
    elif word in _FOLDED:
        draft.parts.update(street_prefix=_FOLDED[word], street_name=rest)


def department_of(code: str) -> str:
    """The number of the department that a postal code lies in, "" for none."""
    if code.startswith("20"):
        return "2A" if code[2] in "01" else "2B"
    return code[:3] if code[:2] in ("97", "98") else code[:2]


def check_postal_code(draft: Draft, known: Sequence[KnownCity]) -> None:
    """A postal code lies in a department, which the region must not contradict; the city is compared with it."""
    code = draft.now.postal_code
    if draft.checks.get("postal_code") == Check.INVALID or not code:
        return
    department = department_of(code)
    if department not in DEPARTMENTS:
        draft.refuse("postal_code", "postal_code_nowhere", code=code)
        return
    name, _region = DEPARTMENTS[department]
    if (wanted := _departments_in(draft.now.region)) is not None:
        if department not in wanted:
            draft.refuse("postal_code", "postal_code_in", code=code, there=name, region=draft.now.region)
            return
        draft.ok("region")
    district = _take_district(draft, code)
    if known:
        draft.ok("postal_code")
        check_city(draft, known)
    if district is not None:
        there, city = _district_of(code), draft.now.city
        if there and district != there:
            draft.warn("city", "district", code=code, there=there, city=city, typed=district)


def _departments_in(text: str) -> set[str] | None:
    """The departments that a department or a region names; None for anything else."""
    wanted = fold(text).replace("-", " ").replace("'", " ")
    if not wanted:
        return None
    found = {
        number
        for number, (name, region) in DEPARTMENTS.items()
        if wanted in (number.lower(), _plain(name), _plain(REGIONS[region]))
    }
    return found or None


def _plain(name: str) -> str:
    return fold(name).replace("-", " ").replace("'", " ")


def _take_district(draft: Draft, code: str) -> int | None:
    """Take "1er" from "Paris 1er", and say which district that is; None where none was typed."""
    found = _DISTRICT.match(fold(draft.now.city))
    if not found:
        return None
    draft.set("city", found[1].capitalize())
    return int(found[2])


def _district_of(code: str) -> int:
    """The district of Paris, Lyon or Marseille that a postal code is of; 0 for none."""
    _city, most = _DISTRICTS.get(code[:3], ("", 0))
    number = int(code[3:])
    return number if 1 <= number <= most else 0
