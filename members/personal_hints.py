"""Whether a text that should name nobody looks as if it did."""

import re
import unicodedata

_ADDRESS = re.compile(r"[^\s@]@[^\s@]")
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
# A phone number, an account, a card: seven digits or more, however they are grouped.
_NUMBER = re.compile(r"\d(?:[\s./()‐-―-]{0,3}\d){6}")


def names_somebody(text: str) -> bool:
    """Whether ``text`` seems to hold an e-mail address, a phone number or another long number."""
    plain = unicodedata.normalize("NFKC", text)
    return bool(_ADDRESS.search(plain) or _NUMBER.search(_DAY.sub(" ", plain)))
