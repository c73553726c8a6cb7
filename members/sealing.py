"""Seals of logs: a chain of hashes for each organization, in which every row of a log has its place.

A constraint keeps the application from changing a row, a seal shows it when a superuser of the database did. The
newest hash goes into the log of the server, which is kept elsewhere, so that the chain can't be made anew either.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from textwrap import wrap

from django.db import connection, transaction

from members.locks import take_time, take_turn
from members.models import AuditEntry, AuditSeal, Organization
from members.models.seals import Seal

logger = logging.getLogger(__name__)

# At most so many rows lie under one seal, so that memory is bounded.
AT_MOST = 50_000


@dataclass(frozen=True)
class Chain:
    """The seals of a log: their model, the table of the log, and the function of the database that hashes its rows.

    The function takes an organization, the seal before, the keys after which and through which, and how many at most;
    it gives the hash, how many they are, and the key of the last.
    """

    name: str
    seals: type[Seal]
    table: str
    function: str


@dataclass(frozen=True)
class BrokenSeal:
    """A seal that the rows under it contradict."""

    organization: int
    number: int


AUDIT_LOG = Chain("audit log", AuditSeal, AuditEntry._meta.db_table, "members_audit_seal")


def unsealed(chain: Chain) -> list[int]:
    """The organizations (keys) that have rows without a seal."""
    seals = chain.seals._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"""
            SELECT organization.id FROM members_organization organization
            CROSS JOIN LATERAL (
                SELECT max(through) AS through FROM {seals} WHERE organization_id = organization.id
            ) seal
            WHERE EXISTS (
                SELECT FROM {chain.table} WHERE organization_id = organization.id AND id > coalesce(seal.through, 0)
            )
            ORDER BY organization.id
        """)  # noqa: S608
        return [key for (key,) in cursor.fetchall()]


@transaction.atomic(savepoint=False)
def last_row(chain: Chain) -> int:
    """The key below which no row of a log will ever come: those under way are waited for.

    Keys are drawn by whoever holds the table for writing, and is waited for here. Raises OperationalError when somebody
    has been writing for longer than half a second; whoever writes meanwhile waits as long.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '500ms'")
        cursor.execute(f"LOCK TABLE {chain.table} IN SHARE MODE")
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {chain.table}")  # noqa: S608
        return int(cursor.fetchone()[0])


@transaction.atomic(savepoint=False)
def seal_some(chain: Chain, organization: int, last: int) -> bool:
    """Seal rows of an organization after those that are sealed, through the key ``last``; False when there are none.

    Below ``last`` no row may come any more: who calls has seen to it.
    """
    if not take_turn(f"seal {chain.name}", organization):
        return False
    take_time()
    before = chain.seals._base_manager.filter(organization=organization).order_by("-number").first()
    found = seal_of(chain, organization, before.hash if before else "", before.through if before else 0, last, AT_MOST)
    if found is None:
        return False
    hash_, rows, through = found
    number = before.number + 1 if before else 1
    chain.seals._base_manager.create(
        organization_id=organization, number=number, through=through, rows=rows, hash=hash_
    )
    logger.info(
        "A log was sealed.",
        # In groups, since a long word might be a secret, and is left out of the log.
        extra={"sealed": chain.name, "organization": organization, "seal": number, "hash": " ".join(wrap(hash_, 16))},
    )
    return True


def broken_seals(chain: Chain, organization: Organization | None = None, *, since: int = 1) -> Iterator[BrokenSeal]:
    """Every seal that is wrong, of one organization or all; what comes after a wrong one is judged by what it says.

    ``since`` leaves out those with a smaller number.
    """
    seals = chain.seals._base_manager.filter(number__gte=since - 1).order_by("organization_id", "number")
    if organization is not None:
        seals = seals.filter(organization=organization)
    for _organization, line in groupby(seals.iterator(), key=attrgetter("organization_id")):
        before, after, number = "", 0, 0
        for seal in line:
            if seal.number >= since:
                found = seal_of(chain, seal.organization_id, before, after, seal.through)
                if seal.number != number + 1 or found != (seal.hash, seal.rows, seal.through):
                    yield BrokenSeal(seal.organization_id, seal.number)
            before, after, number = seal.hash, seal.through, seal.number


def seal_of(
    chain: Chain, organization: int, before: str, after: int, through: int, most: int | None = None
) -> tuple[str, int, int] | None:
    """What seals the rows of an organization after one key and through another, ``most`` of them at most.

    Gives the hash, how many they are, and the key of the last; None when there are none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM {chain.function}(%s, %s, %s, %s, %s)",  # noqa: S608
            [organization, before, after, through, most],
        )
        hash_, rows, last = cursor.fetchone()
    return (hash_, rows, last) if rows else None
