"""What commands say of the rows of a file that are wrong."""

from typing import Any

MOST_SHOWN = 20


def tell_wrong_rows(errors: list[dict[str, Any]]) -> str:
    """Which rows are wrong and why, the first of them, in a line for each."""
    told = [f"row {error['row']}: {error['message']}" for error in errors[:MOST_SHOWN]]
    if len(errors) > MOST_SHOWN:
        told.append(f"and {len(errors) - MOST_SHOWN:,} more")
    return "\n".join([f"{len(errors):,} rows are wrong:", *told])
