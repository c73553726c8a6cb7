"""How answers to programs, of commands and of the API, write what JSON has no word for."""

import json
from datetime import UTC, datetime
from decimal import Decimal


def plain(value: object) -> str:
    """Money with four places, time as ISO 8601 in UTC, texts."""
    match value:
        case Decimal():
            return f"{value:.4f}"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return str(value)


def as_json(facts: object, *, indent: int | None = None) -> str:
    """``facts`` as one JSON value: dicts, lists, texts, numbers, and whatever ``plain`` can write."""
    return json.dumps(facts, ensure_ascii=False, default=plain, indent=indent)
