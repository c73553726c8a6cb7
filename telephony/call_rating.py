"""What many calls cost, by one statement: what ``telephony.rating.rate_call`` says of each of them.

An organization's own deck is asked first, then the installation's, each in its version of the moment at which the call
was answered. A number is found among the ranges of a version by one step down an index.
"""

from django.db import connection, transaction

# Of versions that begin before each other, that of the higher number counts from its beginning on.
_PERIODS = """
    SELECT version.id, deck.organization_id, deck.currency, version.valid_from,
        coalesce(min(version.valid_from) OVER (
            PARTITION BY deck.id ORDER BY version.number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 'infinity') AS valid_until,
        (ARRAY[1, 0.1, 0.01, 0.001, 0.0001])[version.decimals + 1] AS unit
    FROM telephony_ratedeckversion version JOIN telephony_ratedeck deck ON deck.id = version.deck_id
"""
# Ranges of one number that begin at several moments are few: their moments are compared behind the index, which would
# otherwise compare those of all that come before on its page. So the comparison is one that no index knows.
FIND = """
    SELECT ranges.rate_id, {period}.unit, ranges.connection_fee, ranges.per_minute, ranges.first_increment,
        ranges.next_increment, ranges.grace_seconds, ranges.minimum_charge
    FROM telephony_raterange ranges
    WHERE ranges.version_id = {period}.id AND ranges.low <= call.digits
        AND ranges.valid_from + interval '0' <= call.answered_at
    ORDER BY ranges.low DESC, ranges.valid_from DESC LIMIT 1
"""
# The division by 60 is left to the end, where whole units are counted: div() cuts off, and nothing is rounded before.
_RATED = """
    WITH period AS MATERIALIZED ({periods})
    SELECT call.row,
        CASE WHEN call.answered_at IS NULL THEN 'unanswered' WHEN call.free_by <> '' THEN call.free_by
            WHEN rate.rate_id IS NULL THEN 'unrated' ELSE 'rated' END AS outcome,
        CASE WHEN call.answered_at IS NULL OR call.free_by <> '' OR billed.seconds = 0 THEN 0.0000
            ELSE (div(exact.sixtieths, 60 * rate.unit) + (mod(exact.sixtieths, 60 * rate.unit) > 0)::integer)
                * rate.unit END AS cost,
        coalesce(billed.seconds, 0) AS billed_seconds,
        rate.rate_id
    FROM {calls} call
    LEFT JOIN period own ON own.organization_id = call.organization_id AND own.currency = call.currency
        AND own.valid_from <= call.answered_at AND call.answered_at < own.valid_until AND call.free_by = ''
    LEFT JOIN period general ON general.organization_id IS NULL AND general.currency = call.currency
        AND general.valid_from <= call.answered_at AND call.answered_at < general.valid_until AND call.free_by = ''
    LEFT JOIN LATERAL (
        SELECT * FROM (({find_own}) UNION ALL ({find_general})) AS found WHERE found.rate_id IS NOT NULL LIMIT 1
    ) AS rate ON TRUE
    LEFT JOIN LATERAL (
        SELECT CASE WHEN call.seconds <= rate.grace_seconds THEN 0 ELSE rate.first_increment + (
            greatest(call.seconds::bigint - rate.first_increment, 0) + rate.next_increment - 1
        ) / rate.next_increment * rate.next_increment END AS seconds
    ) AS billed ON rate.rate_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT greatest(
            rate.minimum_charge * 60, rate.connection_fee * 60 + rate.per_minute * billed.seconds
        ) AS sixtieths
    ) AS exact ON rate.rate_id IS NOT NULL
"""


def rating_of(calls: str, *, find: str = FIND) -> str:
    """A query of what each row of ``calls`` costs: row, outcome, cost, billed_seconds, rate_id.

    ``calls`` is a relation with row, organization_id, currency, digits (text COLLATE "C", E.164 without +), answered_at
    (NULL: nobody answered), seconds (not below 0), and free_by: "", or why nothing is to be paid, as
    ``telephony.rating.Outcome`` names it (emergency, short, internal, covered). Of an unrated call the cost is NULL.
    """
    return _RATED.format(
        periods=_PERIODS, calls=calls, find_own=find.format(period="own"), find_general=find.format(period="general")
    )


@transaction.atomic(savepoint=False)
def rate_table(calls: str, into: str) -> int:
    """Rate the rows of a relation (``rating_of``) into a new table that is gone with the transaction; how many."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {into} ON COMMIT DROP AS {rating_of(calls)}")
        return cursor.rowcount
