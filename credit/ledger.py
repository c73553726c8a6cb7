"""The only door to the ledger: accounts are opened here, and credit moves by ``post`` alone.

Everything is one statement, whether it is one transfer or ten thousand. The rules themselves are in the database:
`credit/models/ledger.py` and the function `credit_post` of the migrations.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection

from credit.errors import InsufficientCredit
from credit.models import LedgerAccount
from members.access import Actor
from members.audit import Fact, recording
from members.errors import KeyReused, OrganizationClosed
from members.models import Batch, Member, Organization
from skypemgr.database.prepared import prepared_cursor

Kind = LedgerAccount.Kind
NO_CREDIT = Decimal("0.0000")
# What keeps a balance begins with none.
KEEPING = {Kind.WALLET, Kind.MEMBER}
SHORT_OF_CREDIT = "SK001"
KEY_REUSED = "SK002"
CLOSED = "SK003"
POST = "SELECT * FROM credit_post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
# Whom it goes to is locked first, so that they stay until the transaction ends. What is new is written into the log.
POST_TO_PRESENT = """
    WITH present AS MATERIALIZED (
        SELECT wallet.id AS wallet, account.id AS account
        FROM members_member member
        JOIN credit_ledgeraccount account ON account.member_id = member.id
        JOIN credit_ledgeraccount wallet ON wallet.organization_id = member.organization_id
            AND wallet.kind = 'wallet' AND wallet.member_id IS NULL
        WHERE member.organization_id = %s AND member.id = %s AND member.state <> 'left' FOR NO KEY UPDATE OF "member"
    )
    , done AS MATERIALIZED (
        SELECT posted.* FROM present,
            credit_post(%s, %s, %s, %s, %s, %s, %s, wallet, account, %s, %s, NULL, true) AS posted
    ), recorded AS ({recording})
    SELECT * FROM done
"""
NEW = "done WHERE done.posted = 1"
POST_MANY = "SELECT * FROM credit_post_many(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer that is asked for: from account to account, by key, a positive amount with four places at the most.

    ``key`` names it among those of its operation to ``target``; ``happened_at`` is when it happened, if not now.
    """

    source: int
    target: int
    amount: Decimal
    key: UUID
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """How many transfers are new, and how many were posted before and left alone.

    Of a single one also what it left in its source, where that keeps a balance; and if it was posted before, why and
    as part of which batch; and whether it stands in the log already.
    """

    new: int
    repeated: int
    left: Decimal | None = None
    known_reason: str | None = None
    known_batch: int | None = None
    recorded: bool = False


def account_of(organization: Organization, kind: str) -> int:
    """The key of an organization's account of a kind other than that of members; it is opened by whoever asks first."""
    accounts = LedgerAccount.objects.filter(organization=organization, kind=kind, member=None)
    key = accounts.values_list("pk", flat=True).first()
    if key is None:
        start = {"balance": NO_CREDIT, "version": 0, "band": 1} if kind in KEEPING else {}
        LedgerAccount.objects.bulk_create(
            [LedgerAccount(organization=organization, kind=kind, **start)], ignore_conflicts=True
        )
        key = accounts.values_list("pk", flat=True).get()
    return key


def accounts_of(organization: Organization, members: Iterable[Member | int]) -> dict[int, int]:
    """The keys of members' accounts, by member; those who have none yet get one, all in one statement."""
    keys = [member.pk if isinstance(member, Member) else member for member in members]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH asked AS (
                SELECT id FROM members_member WHERE organization_id = %(organization)s AND id = ANY (%(members)s)
            ), opened AS (
                INSERT INTO credit_ledgeraccount (organization_id, kind, member_id, balance, version, band)
                SELECT %(organization)s, 'member', id, 0, 0, 1 FROM asked ORDER BY id
                ON CONFLICT (member_id) DO NOTHING RETURNING member_id, id
            )
            SELECT member_id, id FROM opened
            UNION ALL SELECT member_id, id FROM credit_ledgeraccount WHERE member_id = ANY (%(members)s)
                AND organization_id = %(organization)s
            """,
            {"organization": organization.pk, "members": keys},
        )
        found = dict(cursor.fetchall())
    if len(found) < len(set(keys)):
        # What somebody else opens at this moment, a statement sees that has begun after it.
        theirs = LedgerAccount.objects.filter(organization=organization, member__in=keys)
        found |= dict(theirs.values_list("member_id", "pk"))
    return found


def post(
    *,
    organization: Organization,
    operation: str,
    moves: Sequence[Move],
    actor: Actor,
    batch: Batch | None = None,
    reason: str = "",
    alone: bool = False,
) -> Posted:
    """Move credit, all of it or none, in the transaction of the caller; it is one statement.

    Moves that were posted before, by operation, key and target, move nothing again. Accounts that keep a balance are
    locked until the transaction ends, the wallet after all others: post once, or what locks the wallet last.
    Raises InsufficientCredit when a source other than a call's holds less than is taken from it, KeyReused when a
    key was used for another source or amount, or that of a single move that stands ``alone`` for another target, and
    OrganizationClosed of a closed one.
    """
    facts = _facts(organization, operation, actor, batch, reason)
    with prepared_cursor() as cursor, _told(organization):
        if len(moves) == 1:
            [move] = moves
            cursor.execute(POST, [*facts, move.source, move.target, move.amount, move.key, move.happened_at, alone])
            return _posted(*cursor.fetchone())
        columns = [
            [move.source for move in moves],
            [move.target for move in moves],
            [move.amount for move in moves],
            [move.key for move in moves],
            [move.happened_at for move in moves],
        ]
        cursor.execute(POST_MANY, [*facts, *columns])
        return Posted(*cursor.fetchone())


def post_to_present(
    *,
    organization: Organization,
    operation: str,
    member: Member,
    amount: Decimal,
    key: UUID,
    actor: Actor,
    reason: str = "",
    fact: Fact,
) -> Posted | None:
    """Move credit from the wallet to a member, as ``post`` does with a move that stands alone.

    ``fact`` is recorded by the same statement, if the answer says so; else it is for the caller to record.

    They can't leave before the transaction ends. Nothing is moved, and None is the answer, when they have left, are of
    another organization or have no account yet.
    """
    facts = _facts(organization, operation, actor, None, reason)
    entry = recording(organization=organization, actor=actor, fact=fact, of=NEW)
    statement, values = entry or ("SELECT", [])
    with prepared_cursor() as cursor, _told(organization):
        cursor.execute(
            POST_TO_PRESENT.format(recording=statement), [organization.pk, member.pk, *facts, amount, key, *values]
        )
        found = cursor.fetchone()
    return found and _posted(*found, recorded=entry is not None)


def hold_open(organization: Organization) -> bool:
    """Whether an organization is open. If so it is until the transaction ends: whoever closes it waits for us.

    For those who have to write down what happens to money that can't be posted. Everybody else posts, and is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(74150, %s)", [organization.pk])
    return Organization.objects.filter(pk=organization.pk, closed_at=None).exists()


def _facts(
    organization: Organization, operation: str, actor: Actor, batch: Batch | None, reason: str
) -> tuple[object, ...]:
    return (
        organization.pk,
        # Plain: what the driver makes of a choice takes as long as all else that it is given.
        str(operation),
        str(actor.kind),
        actor.user.pk if actor.user else None,
        actor.member.pk if actor.member else None,
        batch.pk if batch else None,
        reason,
    )


def _posted(
    new: int, left: Decimal | None, known_reason: str | None, known_batch: int | None, *, recorded: bool = False
) -> Posted:
    return Posted(new, 1 - new, left, known_reason, known_batch, recorded)


@contextmanager
def _told(organization: Organization) -> Iterator[None]:
    """What the functions of the database refuse, in words."""
    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and cause.sqlstate == KEY_REUSED:
            raise KeyReused from error
        if isinstance(cause, psycopg.Error) and cause.sqlstate == CLOSED:
            raise OrganizationClosed(name=organization.name) from error
        if isinstance(cause, psycopg.Error) and cause.sqlstate == SHORT_OF_CREDIT:
            account, balance, wanted = (cause.diag.message_detail or "").split()
            raise InsufficientCredit(
                account=int(account), balance=Decimal(balance), wanted=Decimal(wanted), currency=organization.currency
            ) from error
        raise
