"""Calls are staged by COPY, those that are known are left out, and the others rated and kept, by a statement each."""

from collections.abc import Sequence

from django.db import connection, transaction

from members.models import Organization
from telephony.call_rating import rating_of

from .reading import StagedCall

STAGE = "call_stage"
_STAGE = f"""
    DROP TABLE IF EXISTS {STAGE};
    CREATE TEMPORARY TABLE {STAGE} (
        row bigint DEFAULT nextval(pg_get_serial_sequence('telephony_callkey', 'id')),
        number integer, external_id text, leg text, at timestamptz, answered_at timestamptz, ended_at timestamptz,
        duration integer, seconds integer, direction text, account text, caller text, called text,
        digits text COLLATE "C", country text, free_by text, plan text, member_id bigint, department_id bigint
    ) ON COMMIT DROP
"""
_COLUMNS = (
    "number, external_id, leg, at, answered_at, ended_at, duration, seconds, direction, account, caller, called,"
    " digits, country, free_by, plan, member_id, department_id"
)
# A call that comes again, even with another start, has its key already; one that stands twice in a chunk counts once.
_NEW = f"""
    WITH made AS (
        INSERT INTO telephony_callkey (id, organization_id, source, external_id, leg, at)
        SELECT row, %(organization)s, %(source)s, external_id, leg, at FROM {STAGE} ORDER BY row
        ON CONFLICT (organization_id, source, external_id, leg) DO NOTHING RETURNING id
    )
    DELETE FROM {STAGE} WHERE NOT EXISTS (SELECT FROM made WHERE made.id = {STAGE}.row)
"""  # noqa: S608
_TO_RATE = f"""(
    SELECT row, answered_at, seconds, digits, free_by, %(organization)s::bigint AS organization_id,
        %(currency)s::text AS currency
    FROM {STAGE}
)"""  # noqa: S608
# What a plan may cover is taken to be covered until its minutes are counted.
_OUTCOME = """
    CROSS JOIN LATERAL (
        SELECT CASE WHEN known.member_id IS NULL THEN 'unassigned'
            WHEN known.plan <> '' AND rated.outcome IN ('rated', 'unrated') THEN 'covered'
            ELSE rated.outcome END AS name
    ) AS outcome
"""
_KEEP = f"""
    INSERT INTO telephony_call (
        organization_id, at, id, member_id, department_id, imported_id, answered_at, ended_at, day, duration, seconds,
        direction, country, digits, plan, account, caller, called, rate_id, destination, billed_seconds, price,
        outcome, charge, postings
    )
    SELECT %(organization)s, known.at, known.row, known.member_id, known.department_id, %(imported)s, known.answered_at,
        known.ended_at, (known.at AT TIME ZONE %(zone)s)::date, known.duration, known.seconds, known.direction,
        known.country, known.digits, known.plan, known.account, known.caller, known.called, rated.rate_id,
        coalesce(rate.destination, ''), rated.billed_seconds, CASE WHEN rated.rate_id IS NOT NULL THEN rated.cost END,
        outcome.name, CASE WHEN outcome.name = 'rated' THEN rated.cost ELSE 0 END,
        (outcome.name = 'rated' AND rated.cost > 0)::integer
    FROM ({{rating}}) AS rated
    JOIN {STAGE} known USING (row)
    LEFT JOIN telephony_prefixrate rate ON rate.id = rated.rate_id
    {{outcome}}
"""  # noqa: S608

# Of what waited: it is known by its key, and nothing was posted for it.
_MEND = f"""
    UPDATE telephony_call call SET
        member_id = known.member_id, department_id = known.department_id, direction = known.direction,
        country = known.country, digits = known.digits, plan = known.plan, rate_id = rated.rate_id,
        destination = coalesce(rate.destination, ''), billed_seconds = rated.billed_seconds,
        price = CASE WHEN rated.rate_id IS NOT NULL THEN rated.cost END, outcome = outcome.name,
        charge = CASE WHEN outcome.name = 'rated' THEN rated.cost ELSE 0 END,
        postings = call.postings + (outcome.name = 'rated' AND rated.cost > 0)::integer
    FROM ({{rating}}) AS rated
    JOIN {STAGE} known USING (row)
    LEFT JOIN telephony_prefixrate rate ON rate.id = rated.rate_id
    {{outcome}}
    WHERE call.organization_id = %(organization)s AND call.at = known.at AND call.id = known.row
"""  # noqa: S608


@transaction.atomic(savepoint=False)
def lock_calls(organization: Organization) -> None:
    """Let one transaction at a time write calls of an organization; the first lock, before any other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"calls {organization.pk}"])


@transaction.atomic(savepoint=False)
def stage(calls: Sequence[StagedCall], *, keys: Sequence[int] | None = None) -> None:
    """Stage calls, once in a transaction; ``keys`` are those of calls that are kept already."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        if keys is None:
            with cursor.copy(f"COPY {STAGE} ({_COLUMNS}) FROM STDIN") as copy:
                for call in calls:
                    copy.write_row(call)
            return
        with cursor.copy(f"COPY {STAGE} (row, {_COLUMNS}) FROM STDIN") as copy:
            for key, call in zip(keys, calls, strict=True):
                copy.write_row((key, *call))


@transaction.atomic(savepoint=False)
def forget_known(organization: Organization, source: str) -> int:
    """Leave out of what is staged the calls of a source that are kept already; how many these are."""
    with connection.cursor() as cursor:
        cursor.execute(_NEW, {"organization": organization.pk, "source": source})
        return cursor.rowcount


@transaction.atomic(savepoint=False)
def mend_staged(organization: Organization) -> int:
    """Rate again what is staged, of calls that waited and are kept already; how many these are."""
    with connection.cursor() as cursor:
        cursor.execute(
            _MEND.format(rating=rating_of(_TO_RATE), outcome=_OUTCOME),
            {"organization": organization.pk, "currency": organization.currency},
        )
        return cursor.rowcount


@transaction.atomic(savepoint=False)
def keep_staged(organization: Organization, imported: int) -> int:
    """Rate what is staged and keep it; how many calls these are. There is room for them."""
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP.format(rating=rating_of(_TO_RATE), outcome=_OUTCOME),
            {
                "organization": organization.pk,
                "currency": organization.currency,
                "imported": imported,
                "zone": organization.time_zone,
            },
        )
        return cursor.rowcount


def count_waiting(organization: Organization) -> tuple[int, int]:
    """How many of the calls that were just kept are nobody's, and how many have no rate."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FILTER (WHERE call.outcome = 'unassigned'), count(*) FILTER (WHERE call.outcome = 'unrated')
            FROM {STAGE} known JOIN telephony_call call
                ON call.organization_id = %s AND call.at = known.at AND call.id = known.row
            """,  # noqa: S608
            [organization.pk],
        )
        unassigned, unrated = cursor.fetchone()
        return unassigned, unrated
