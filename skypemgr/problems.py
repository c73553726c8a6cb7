"""Refusals and remarks that outlive the moment: stored as a code and facts, told later in the reader's language."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.utils.functional import Promise

from skypemgr.errors import DomainError

type Texts = Mapping[str, str | Promise]
type Facts = Mapping[str, Any]


def tell(texts: Texts, code: str, facts: Facts) -> str:
    """The sentence for ``code`` in the active language, with ``facts`` filled in. Raises KeyError when unknown."""
    # Not turned into a str before: a text with a plural chooses its form by the facts.
    return str(cast(str, texts[code]) % dict(facts)) if facts else str(texts[code])


class Problem(DomainError):
    """A DomainError with a stable ``code`` and JSON-able ``facts``; subclasses say which ``texts`` tell it."""

    texts: ClassVar[Texts] = {}

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return tell(self.texts, self.code, self.facts)

    def as_json(self) -> dict[str, Any]:
        """``{"code", "facts"}``, as rows of batches store it."""
        return {"code": self.code, "facts": self.facts}
