"""Which of our languages is meant by what a directory says of a person's."""

import re

from members.folding import fold

_NAMES = {
    "en": """
        en | eng | english | anglais | engelska | englisch | engelsk | engels | englanti | inglés | inglês | inglese
        angielski
        """,
    "fr": """
        fr | fra | fre | french | français | française | franska | französisch | fransk | frans | ranska | francés
        francês | francese | francuski
        """,
    "sv": """
        sv | swe | swedish | suédois | suédoise | svenska | schwedisch | svensk | zweeds | ruotsi | sueco | svedese
        szwedzki
        """,
}
_TABLE = {fold(name.strip()): code for code, names in _NAMES.items() for name in re.split(r"[|\n]", names.strip())}
# A locale goes on with its region, script or encoding, a list with the next best, a name with its country.
_FIRST_WORD = re.compile(r"[^\W\d_]+")


def read_language(text: str) -> str | None:
    """The code of the language that ``text`` names first: "fr-FR", "French (France)", "Svenska"; None for others."""
    word = _FIRST_WORD.match(fold(text[:200]))
    return _TABLE.get(word.group()) if word else None
