"""How a verb is asked for: what it needs, and which of its arguments belong to a company."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from members.access import Capability
from members.models import Member

type Value = str | int | bool | bytes | Decimal | Callable[[Any], object] | None


@dataclass(frozen=True)
class Verb:
    """A verb of an organization: the capability it needs, how it is called, and which arguments are objects."""

    needs: Capability
    given: Mapping[str, Value] = field(default_factory=dict)
    objects: Mapping[str, Value] = field(default_factory=dict)
    # What has to be so before it can be done.
    when: Callable[[Any], object] = lambda side: None


def members_of(name: str) -> Callable[[Any], object]:
    return lambda side: Member.objects.filter(pk=getattr(side, name).pk)


def key(side: object) -> object:
    return uuid4()
