"""How answers to programs, of commands and of the API, write what JSON has no word for."""

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
