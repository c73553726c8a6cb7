"""What people wrote about themselves, as it may stand in a letter that goes to others."""

import re
import unicodedata

from django import template

register = template.Library()

WORD_JOINER = "\u2060"
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


@register.filter
def as_name(text: object) -> str:
    """A name that no mail program turns into a link, and whose direction of writing ends where it ends.

    Names are checked when they are given; this is for whatever a mail program of tomorrow takes for an address.
    """
    name = re.sub(r"([.:/@])(?=\S)", rf"\1{WORD_JOINER}", str(text))
    if any(unicodedata.bidirectional(character) in ("R", "AL", "RLE", "RLO", "RLI") for character in name):
        return f"{FIRST_STRONG_ISOLATE}{name}{POP_ISOLATE}"
    return name
