"""Where in the past of an account an instant lies.

The transfers of an account are numbered without gaps in the order in which they were recorded, so an instant is found
among a million of them by halving, a look at an index each time. Nothing has to be kept for it.
"""

from datetime import datetime
from decimal import Decimal

from django.db import connection

from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount, Transfer

_LAST = """
    WITH RECURSIVE search (low, high) AS (
        SELECT 0::bigint, version FROM credit_ledgeraccount
        WHERE organization_id = %(organization)s AND id = %(account)s
        UNION ALL
        SELECT CASE WHEN found.counts THEN middle ELSE low END, CASE WHEN found.counts THEN high ELSE middle - 1 END
        FROM search
        CROSS JOIN LATERAL (SELECT (low + high + 1) / 2 AS middle) half
        CROSS JOIN LATERAL (
            SELECT recorded_at {until} %(instant)s AS counts FROM credit_transfer
            WHERE source_id = %(account)s AND source_version = middle
            UNION ALL
            SELECT recorded_at {until} %(instant)s FROM credit_transfer
            WHERE target_id = %(account)s AND target_version = middle
        ) found
        WHERE low < high
    )
    SELECT coalesce(max(low), 0) FROM search
"""


def last_before(account: LedgerAccount, instant: datetime) -> int:
    """The number of the last transfer of ``account`` recorded before ``instant``, 0 when there is none."""
    return _find(_LAST.format(until="<"), account, instant)


def last_until(account: LedgerAccount, instant: datetime) -> int:
    """The number of the last transfer of ``account`` recorded at ``instant`` or before, 0 when there is none."""
    return _find(_LAST.format(until="<="), account, instant)


def balance_after(account: LedgerAccount, version: int) -> Decimal:
    """What ``account`` held after its transfer of this number, with four places."""
    given = Transfer.objects.filter(source=account, source_version=version).values_list("source_after", flat=True)
    taken = Transfer.objects.filter(target=account, target_version=version).values_list("target_after", flat=True)
    # A balance of nothing is one too.
    found = [*given, *taken]
    return (found[0] if found else None) or NO_CREDIT


def recorded_at(account: LedgerAccount, version: int) -> datetime | None:
    """When the transfer of this number of ``account`` was recorded, None when there is no such."""
    given = Transfer.objects.filter(source=account, source_version=version).values_list("recorded_at", flat=True)
    taken = Transfer.objects.filter(target=account, target_version=version).values_list("recorded_at", flat=True)
    # In an order of its own it would walk through all transfers.
    found = [*given, *taken]
    return found[0] if found else None


def balance_at(account: LedgerAccount, instant: datetime) -> Decimal:
    """What ``account`` held at ``instant``, with four places: all that was recorded until then."""
    return balance_after(account, last_until(account, instant))


def _find(statement: str, account: LedgerAccount, instant: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"organization": account.organization_id, "account": account.pk, "instant": instant})
        [version] = cursor.fetchone()
        return int(version)
