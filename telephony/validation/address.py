"""An address on its way through validation, and what comes out of it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from dataclasses import field as made
from enum import StrEnum
from typing import Any, Self

# What somebody types, in the order in which forms ask for it. Results speak of these.
FIELDS = (
    "country",
    "company_name",
    "house_number",
    "street",
    "postal_code",
    "city",
    "region",
    "latitude",
    "longitude",
)


class Status(StrEnum):
    VALIDATED = "validated"
    CORRECTED = "corrected"
    WARNING = "warning"
    REJECTED = "rejected"


class Check(StrEnum):
    """What is known of one field, as NG9-1-1 tells it (RFC 5222)."""

    VALID = "valid"
    INVALID = "invalid"
    UNCHECKED = "unchecked"


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Civic:
    """The fields of an address as texts; coordinates are decimals written out, "" for none."""

    country: str = ""
    company_name: str = ""
    house_number: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    latitude: str = ""
    longitude: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The address that ``fields`` hold; others among them are left out, and what is None is empty."""
        return cls(**{name: str(value) for name in FIELDS if (value := fields.get(name)) is not None})

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class KnownCity:
    """A city that a postal code belongs to: by its main name, by another, or by an alias of the main one."""

    name: str
    region: str = ""
    use: str = "main"


# The cities of a country's postal code, which is in capitals and without spaces. Nothing: there is no such code. None:
# the codes of the country aren't known.
type Lookup = Callable[[str, str], Sequence[KnownCity] | None]


@dataclass(frozen=True)
class Message:
    """Something to tell about a field; ``texts`` has the sentence of its code. ``suggestions`` can be used instead."""

    field: str
    code: str
    level: Level
    facts: dict[str, Any] = made(default_factory=dict)
    suggestions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "suggestions": list(self.suggestions)}


def content_hash(civic: Civic, version: str) -> str:
    """What names exactly this content, checked by this version of the validator."""
    return hashlib.sha256(json.dumps([version, civic.as_dict()], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Result:
    """What came of validating an address: what it is now (``normalized``), and how it differs from ``typed``.

    ``changes`` are [{"field", "old", "new"}], ``fields`` say valid, invalid or unchecked. ``parts`` are what the
    street and the house number consist of. ``content_hash`` is that of ``normalized``: nothing else can be saved.
    """

    status: Status
    typed: Civic
    normalized: Civic
    changes: list[dict[str, str]]
    fields: dict[str, str]
    messages: list[Message]
    parts: dict[str, str]
    content_hash: str
    validator_version: str

    @property
    def accepted(self) -> bool:
        return self.status != Status.REJECTED

    def as_json(self) -> dict[str, Any]:
        """All of it in plain values; ``from_json`` reads it back."""
        return {
            **{name: getattr(self, name) for name in ("changes", "fields", "parts", "content_hash")},
            "validator_version": self.validator_version,
            "status": str(self.status),
            "typed": self.typed.as_dict(),
            "normalized": self.normalized.as_dict(),
            "messages": [message.as_json() for message in self.messages],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        messages = [
            Message(**{**entry, "level": Level(entry["level"]), "suggestions": tuple(entry["suggestions"])})
            for entry in data["messages"]
        ]
        return cls(
            **{
                **data,
                "status": Status(data["status"]),
                "typed": Civic(**data["typed"]),
                "normalized": Civic(**data["normalized"]),
                "messages": messages,
            }
        )


@dataclass
class Draft:
    """An address while it is validated: the rules of countries read it, correct it and say what they think."""

    typed: Civic
    now: Civic
    # Fields whose typed text was chosen over a correction.
    keep: frozenset[str] = frozenset()
    checks: dict[str, Check] = made(default_factory=dict)
    messages: list[Message] = made(default_factory=list)
    parts: dict[str, str] = made(default_factory=dict)

    def set(self, name: str, value: str) -> None:
        """Correct a field."""
        self.now = replace(self.now, **{name: value})

    def ok(self, *names: str) -> None:
        """Say that fields are right, unless something was wrong with them."""
        for name in names:
            if self.checks.get(name) != Check.INVALID:
                self.checks[name] = Check.VALID

    def refuse(self, name: str, code: str, /, **facts: Any) -> None:
        self.checks[name] = Check.INVALID
        self.messages.append(Message(name, code, Level.ERROR, facts))

    def warn(self, name: str, code: str, /, *, suggestions: Sequence[str] = (), **facts: Any) -> None:
        self.messages.append(Message(name, code, Level.WARNING, facts, tuple(suggestions)))

    def note(self, name: str, code: str, /, **facts: Any) -> None:
        self.messages.append(Message(name, code, Level.NOTE, facts))

    @property
    def refused(self) -> bool:
        return Check.INVALID in self.checks.values()
