"""Words of an organization for its numbers."""

MOST_TAGS = 50
LONGEST_TAG = 50


def tag_key(tag: str) -> str:
    """A tag as it is compared: in no case, and with one space between words."""
    return " ".join(tag.split()).casefold()
