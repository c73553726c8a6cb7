"""The minutes of a month that plans cover are used up in the order in which calls were made, whenever they come.

So older calls that come late take the minutes of later ones, which are charged then; never the other way around.
"""

from django.db import connection, transaction

from members.models import Organization

from .rollups import EFFECT
from .storing import STAGE

# Calls of the same moment are told apart by what they are known by, which no order of imports changes.
_COVER = f"""
    WITH touched AS (
        SELECT DISTINCT call.member_id, call.plan, date_trunc('month', call.day)::date AS month, coverage.minutes
        FROM {{calls}} JOIN telephony_call call
            ON call.organization_id = %(organization)s AND call.at = known.at AND call.id = known.row
        JOIN telephony_product product ON product.code = call.plan
        JOIN telephony_plancoverage coverage ON coverage.product_id = product.id
        WHERE call.plan <> '' AND coverage.minutes IS NOT NULL
    ), counted AS (
        SELECT call.at, call.id, touched.minutes, call.outcome AS before, call.charge AS charged,
            sum((call.seconds + 59) / 60) OVER (
                PARTITION BY call.member_id, call.plan, touched.month
                ORDER BY call.at, key.source, key.external_id, key.leg
            ) AS used
        FROM touched JOIN telephony_call call
            ON call.organization_id = %(organization)s AND call.member_id = touched.member_id
            AND call.at >= touched.month - interval '2 days' AND call.at < touched.month + interval '1 month 2 days'
            AND date_trunc('month', call.day)::date = touched.month AND call.plan = touched.plan
            AND call.outcome IN ('covered', 'rated', 'unrated')
        JOIN telephony_callkey key ON key.id = call.id
    ), decided AS (
        SELECT at, id, before, charged, CASE WHEN used <= minutes THEN 'covered' ELSE 'beyond' END AS name FROM counted
    ), changed AS (
        UPDATE telephony_call call SET
            outcome = CASE WHEN decided.name = 'covered' THEN 'covered' WHEN call.price IS NULL THEN 'unrated'
                ELSE 'rated' END,
            charge = CASE WHEN decided.name = 'covered' THEN 0 ELSE coalesce(call.price, 0) END,
            postings = call.postings + (decided.name = 'beyond' AND call.price > 0)::integer
        FROM decided
        WHERE call.organization_id = %(organization)s AND call.at = decided.at AND call.id = decided.id
            AND (decided.name = 'covered') <> (decided.before = 'covered')
        RETURNING call.at, call.id, call.day, call.department_id, call.member_id, call.destination,
            call.charge - decided.charged AS charge
    )
    INSERT INTO {EFFECT} (at, id, day, department_id, member_id, destination, calls, answered, seconds, charge)
    SELECT at, id, day, department_id, member_id, destination, 0, 0, 0, charge FROM changed
"""  # noqa: S608
OF_STAGED = f"{STAGE} known"


@transaction.atomic(savepoint=False)
def cover(organization: Organization, calls: str = OF_STAGED) -> int:
    """Count the minutes of the months in which some calls lie, and say of each call whether its plan covers it.

    What changes is an effect (``rollups``); how many calls these are.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COVER.format(calls=calls), {"organization": organization.pk})
        return cursor.rowcount
