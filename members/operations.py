"""Requests that are carried out once, however often they arrive (a double click, a retry, a lost answer)."""

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from members.errors import KeyReused
from members.models import Operation, Organization


@transaction.atomic(savepoint=False)
def claim(*, organization: Organization | None, name: str, key: UUID, facts: Mapping[str, object]) -> Operation | None:
    """Claim ``key`` for this request, or give the operation that claimed it before.

    Returns None to whoever comes first (who then calls ``settle``). A second request waits until the first
    has committed, and gets its row. Raises KeyReused when the facts differ.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    operation, made = Operation.objects.get_or_create(
        organization=organization, name=name, key=key, defaults={"digest": digest}
    )
    if operation.digest != digest:
        raise KeyReused
    return None if made else operation


def is_claimed(*, organization: Organization | None, name: str, key: UUID) -> bool:
    """Whether a request with ``key`` has been carried out."""
    return Operation.objects.filter(organization=organization, name=name, key=key).exists()


@transaction.atomic(savepoint=False)
def settle(*, organization: Organization | None, name: str, key: UUID, result: dict[str, object]) -> None:
    """Remember what came of a claimed request; ``result`` holds ids, nothing personal."""
    Operation.objects.filter(organization=organization, name=name, key=key).update(result=result)
