"""Calls that wait: those that are nobody's, and those that no rate is known for, told by what they have in common.

They are looked at in the order in which they were made, a hundred thousand at most, so that a page stays quick
whatever there is.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from members.models import Organization
from members.places import country_name
from skypemgr.lists import Total, count_up_to
from telephony.models import Call

LOOKED_AT = 100_000
MOST_SHOWN = 100
# By how many digits calls without a rate are told together: a country code and what follows it.
DIGITS = 5


@dataclass(frozen=True)
class WaitingCalls:
    """Calls of an account that names nobody, or to numbers that begin alike."""

    name: str
    calls: int
    seconds: int
    first: datetime
    last: datetime
    # By what they are told: the account as the switch writes it, else who called.
    by_caller: bool = False
    country: str = ""
    example: str = ""

    @property
    def minutes(self) -> int:
        """Begun minutes."""
        return -(-self.seconds // 60)


def count_unassigned(organization: Organization) -> Total:
    """How many calls are nobody's."""
    return count_up_to(Call.objects.filter(organization=organization, outcome=Call.Outcome.UNASSIGNED))


def count_unrated(organization: Organization) -> Total:
    """How many calls have no rate."""
    return count_up_to(Call.objects.filter(organization=organization, outcome=Call.Outcome.UNRATED))


def list_unassigned(organization: Organization) -> list[WaitingCalls]:
    """Calls of nobody by their account, the most first; those without an account by who called."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(nullif(lower(account), ''), caller) AS name, account = '' AS by_caller, count(*),
                sum(seconds), min(at), max(at)
            FROM (
                SELECT account, caller, seconds, at FROM telephony_call
                WHERE organization_id = %s AND outcome = 'unassigned' ORDER BY at LIMIT %s
            ) AS waiting
            GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s
            """,
            [organization.pk, LOOKED_AT, MOST_SHOWN],
        )
        return [
            WaitingCalls(name, calls, seconds, first, last, by_caller=by_caller)
            for name, by_caller, calls, seconds, first, last in cursor.fetchall()
        ]


def list_unrated(organization: Organization) -> list[WaitingCalls]:
    """Calls without a rate by how the numbers begin that were called, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT left(digits, %s) AS name, max(country), max(called), count(*), sum(seconds), min(at), max(at)
            FROM (
                SELECT digits, country, called, seconds, at FROM telephony_call
                WHERE organization_id = %s AND outcome = 'unrated' ORDER BY at LIMIT %s
            ) AS waiting
            GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT %s
            """,
            [DIGITS, organization.pk, LOOKED_AT, MOST_SHOWN],
        )
        return [
            WaitingCalls(
                name, calls, seconds, first, last, country=country_name(country) if country else "", example=called
            )
            for name, country, called, calls, seconds, first, last in cursor.fetchall()
        ]
