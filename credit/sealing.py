"""Seals of the ledger: a chain of hashes for each organization, in which every transfer has its place.

A constraint keeps the application from changing a transfer, a seal shows it when a superuser of the database did.
The newest hash goes into the log, which is kept elsewhere, so that the chain can't be made anew either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db import connection

from credit.models import LedgerSeal
from members.models import Organization

HASH = "SELECT seal, transfers, last FROM credit_seal(%s, %s, %s, %s, %s) WHERE transfers > 0"


@dataclass(frozen=True)
class BrokenSeal:
    """A seal that the transfers under it contradict."""

    organization: int
    number: int


def broken_seals(organization: Organization | None = None) -> Iterator[BrokenSeal]:
    """Every seal that is wrong, of one organization or all; what comes after a wrong one is judged by what it says."""
    seals = LedgerSeal.objects.order_by("organization_id", "number")
    if organization is not None:
        seals = seals.filter(organization=organization)
    for _organization, chain in groupby(seals.iterator(), key=attrgetter("organization_id")):
        before, after, number = "", 0, 0
        for seal in chain:
            found = seal_of(seal.organization_id, before, after, seal.through)
            if seal.number != number + 1 or found != (seal.hash, seal.transfers, seal.through):
                yield BrokenSeal(seal.organization_id, seal.number)
            before, after, number = seal.hash, seal.through, seal.number


def seal_of(
    organization: int, before: str, after: int, through: int, most: int | None = None
) -> tuple[str, int, int] | None:
    """What seals the transfers of an organization after one key and through another, ``most`` of them at most.

    Gives the hash, how many they are, and the key of the last; None when there are none.
    """
    with connection.cursor() as cursor:
        cursor.execute(HASH, [organization, before, after, through, most])
        return cursor.fetchone()
