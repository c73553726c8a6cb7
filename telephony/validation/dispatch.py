"""Addresses where nobody is found: boxes, letters for companies, military post. They are refused in plain words."""

import re

from members.folding import fold

from .address import Civic, Draft

_BOX = re.compile(
    r"\b(?:p\.?\s?o\.?\s?(?:b\.?|box)|post\s?office\s?box|p\.?\s?o\.?\s?drawer|post\s?box|lock\s?box|postbox)\s*"
    r"(?:no\.?\s*|n[o°]\s*|#\s*)?[a-z]?\d|"
    r"\b(?:p\.?\s?o\.?\s?box|pobox|post\s?office\s?box|postfach|postbus|postlada|casella postale|"
    r"apartado de correos|apartado postal|boite postale|poste restante)\b"
)
# Short forms mean a box in their own country alone: a street elsewhere may be called so.
_SHORT = {
    "FR": re.compile(r"^(?:b\.?\s?p\.?|c\.?\s?s\.?|t\.?\s?s\.?\s?a\.?)\s*\d{1,5}\b|\b(?:bp|cs|tsa)\s*\d{1,5}$"),
    "SE": re.compile(r"^(?:box|fack)\s*\d+|^fack$"),
    "US": re.compile(r"^(?:box|pob|drawer)\s*#?\s*\d+"),
    "CA": re.compile(r"^(?:box|pob|c\.?p\.?|case postale)\s*#?\s*\d+"),
    "ES": re.compile(r"^(?:apartado|apdo\.?)\s*\d+"),
    "PT": re.compile(r"^apartado\s*\d+"),
    "CH": re.compile(r"^case postale\b"),
    "BE": re.compile(r"^(?:bp|pb)\s*\d+"),
    "DK": re.compile(r"^(?:postboks|boks)\s*\d+"),
    "NO": re.compile(r"^(?:postboks|boks)\s*\d+"),
    "FI": re.compile(r"^(?:pl|pb)\s*\d+"),
    "IT": re.compile(r"^c\.?p\.?\s*\d+"),
}
_CEDEX = re.compile(r"\bcedex\b")
_MILITARY = re.compile(r"\b(?:apo|fpo|dpo|bfpo)\b")
_MILITARY_LINE = re.compile(r"^(?:psc|cmr)\s+\d+.*\bbox\b")
_MILITARY_STATES = {"aa", "ae", "ap", "armed forces americas", "armed forces europe", "armed forces pacific"}
_GENERAL = re.compile(r"^general delivery\b")
_RURAL = re.compile(r"\b(?:r\.?\s?r\.?|rural route|rfd|h\.?\s?c\.?|highway contract(?: route)?|star route)\s*#?\s*\d+")
_ROAD = r"(?:st|street|ave|avenue|av|rd|road|blvd|boulevard|dr|drive|ln|lane|way|pkwy|parkway|hwy|highway)\.?"
_CORNER = re.compile(rf"\b{_ROAD}\s*(?:&|and|at|@|/)\s*.+\b{_ROAD}$|^(?:corner|intersection) of\b")


def check_dispatchable(draft: Draft) -> None:
    """Refuse what is for letters alone; warn of what rescuers may not find."""
    civic = draft.now
    lines = {name: fold(getattr(civic, name)) for name in ("house_number", "street", "city", "postal_code")}
    short = _SHORT.get(civic.country)
    for name in ("street", "house_number", "city"):
        if _BOX.search(lines[name]) or (short and short.search(lines[name])):
            draft.refuse(name, "po_box")
            return
        if _CEDEX.search(lines[name]):
            draft.refuse(name, "cedex")
            return
    if _is_military(civic, lines):
        draft.refuse("city" if civic.country != "GB" else "postal_code", "military")
    elif _GENERAL.search(lines["street"]):
        draft.refuse("street", "general_delivery")
    elif civic.country in ("US", "CA"):
        _warn(draft, lines["street"])


def _is_military(civic: Civic, lines: dict[str, str]) -> bool:
    if civic.country == "GB":
        return lines["postal_code"].startswith("bfpo") or lines["street"].startswith("bfpo")
    return civic.country == "US" and (
        bool(_MILITARY.fullmatch(lines["city"]) or _MILITARY_LINE.search(lines["street"]))
        or fold(civic.region) in _MILITARY_STATES
    )


def _warn(draft: Draft, street: str) -> None:
    if _RURAL.search(street):
        draft.warn("street", "rural")
    elif _CORNER.search(street):
        draft.warn("street", "corner")
