"""The form of each field: characters, lengths, coordinates. What passes is stored as it stands."""

import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from skypemgr.characters import (
    CONTROL,
    DIRECTION,
    REPLACEMENT,
    code_point,
    count_graphemes,
    drop_unseen,
    trim,
)

from .address import FIELDS, Check, Draft

LONGEST = {"company_name": 100, "house_number": 20, "street": 100, "city": 60, "region": 60, "postal_code": 12}
# Of something huge the beginning is enough to refuse it.
MOST_READ = 2_000


def tidy_fields(draft: Draft) -> None:
    """Every field on one line, without white space around it and characters nobody sees; what can't be is refused."""
    for name in FIELDS:
        text = trim(getattr(draft.now, name)[:MOST_READ])
        for code, facts in _problems(name, text):
            draft.refuse(name, code, **facts)
            text = ""
            break
        draft.set(name, " ".join(drop_unseen(unicodedata.normalize("NFC", text)).split()))


def _problems(name: str, text: str) -> Iterator[tuple[str, dict[str, object]]]:
    if found := CONTROL.search(text):
        yield "control", {"code_point": code_point(found[0])}
    if found := DIRECTION.search(text):
        yield "direction", {"code_point": code_point(found[0])}
    if REPLACEMENT in text:
        yield "damaged", {}
    maximum = LONGEST.get(name, 40)
    if (length := count_graphemes(text)) > maximum or len(text) > 2 * maximum:
        yield "long", {"length": length, "maximum": maximum}
    if text and not any(character.isalnum() for character in drop_unseen(text)):
        yield "unseen", {}


def check_coordinates(draft: Draft) -> None:
    """Both or none, and on Earth."""
    latitude, longitude = draft.now.latitude, draft.now.longitude
    if not latitude and not longitude:
        return
    if not latitude or not longitude:
        draft.refuse("longitude" if latitude else "latitude", "coordinate_alone")
        return
    north, east = _decimal(latitude), _decimal(longitude)
    if north is None or east is None:
        draft.refuse("latitude" if north is None else "longitude", "coordinate")
    elif abs(north) > 90:
        draft.refuse("latitude", "coordinates_swapped" if abs(east) <= 90 and abs(north) <= 180 else "coordinate")
    elif abs(east) > 180:
        draft.refuse("longitude", "coordinate")
    else:
        draft.set("latitude", f"{north:f}")
        draft.set("longitude", f"{east:f}")


def _decimal(text: str) -> Decimal | None:
    """A number with six decimals at the most, with a point or a comma."""
    try:
        number = Decimal(text.replace(",", ".", 1))
    except InvalidOperation:
        return None
    return (round(number, 6) + 0).normalize() if number.is_finite() and abs(number) < 1000 else None


def require_street(draft: Draft) -> None:
    if not draft.now.street and draft.checks.get("street") != Check.INVALID:
        draft.refuse("street", "missing")
