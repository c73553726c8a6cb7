"""Holding numbers of the stock for an organization, by their rows: each is one statement, and expiry is a comparison.

Numbers are locked before reservations, and whoever looks for free ones waits for nobody: what another has locked is
left out. Whoever ends a reservation has locked its numbers by key before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from members.models import Organization
from skypemgr.clock import database_now
from skypemgr.database.prepared import prepared_cursor
from telephony.models import NumberArea, PhoneNumber, Reservation

# The same organization holds the same number so often in so long a time, and not again before that is over.
MOST_HOLDS = 3
HOLDS_IN = timedelta(hours=1)

_TOO_OFTEN = (
    f"(number.last_held_by_id = %(organization)s AND cardinality(number.held_at) = {MOST_HOLDS}"
    " AND number.held_at[1] > %(since)s)"
)
# What is kept for its former owner comes first. Others take what has been free for the longest time, by the index
# (area, reserved_until, id), the beginning of which it reads however many are taken behind it.
_HOLD = f"""
    WITH kept AS (
        SELECT number.id, number.reservation_id AS before FROM telephony_phonenumber number
        WHERE number.former_owner_id = %(organization)s AND number.area_id = %(area)s
            AND number.organization_id IS NULL AND number.retired_at IS NULL AND number.kept_until > %(moment)s
            AND (number.reservation_id IS NULL OR number.reserved_until < %(moment)s) AND NOT {_TOO_OFTEN}
        ORDER BY number.id LIMIT %(quantity)s FOR UPDATE SKIP LOCKED
    ), free AS (
        SELECT number.id, number.reservation_id AS before FROM telephony_phonenumber number
        WHERE number.organization_id IS NULL AND number.retired_at IS NULL AND number.area_id = %(area)s
            AND number.reserved_until < %(moment)s AND number.kept_until < %(moment)s AND NOT {_TOO_OFTEN}
        ORDER BY number.reserved_until, number.id LIMIT %(quantity)s FOR UPDATE SKIP LOCKED
    ), chosen AS (
        SELECT id, before FROM (SELECT * FROM kept UNION ALL SELECT * FROM free) AS found LIMIT %(quantity)s
    )
    UPDATE telephony_phonenumber number SET
        reservation_id = %(reservation)s, reserved_until = %(until)s, last_held_by_id = %(organization)s,
        held_at = CASE WHEN number.last_held_by_id = %(organization)s
            THEN (number.held_at || %(moment)s::timestamptz)[
                greatest(1, cardinality(number.held_at) + 2 - {MOST_HOLDS}):
            ]
            ELSE ARRAY[%(moment)s::timestamptz] END
    FROM chosen WHERE number.id = chosen.id RETURNING chosen.before
"""  # noqa: S608
# Whether there is anything to hold but what was held too often: no more than two entries of an index are read.
_HAS_FREE = """
    SELECT EXISTS (
        SELECT FROM telephony_phonenumber number
        WHERE number.organization_id IS NULL AND number.retired_at IS NULL AND number.area_id = %(area)s
            AND number.reserved_until < %(moment)s AND number.kept_until < %(moment)s
    ) OR EXISTS (
        SELECT FROM telephony_phonenumber number
        WHERE number.former_owner_id = %(organization)s AND number.area_id = %(area)s
            AND number.organization_id IS NULL AND number.retired_at IS NULL AND number.kept_until > %(moment)s
            AND (number.reservation_id IS NULL OR number.reserved_until < %(moment)s)
    )
"""
# What was seen expired stays so, and frees what it held, whatever the clock shows later. Numbers that somebody has
# locked are being taken, or their reservation is ended by whoever waits for this one.
_EXPIRE = """
    WITH over AS (
        SELECT id FROM telephony_reservation
        WHERE {which} AND ended_at IS NULL AND expires_at <= clock_timestamp()
        ORDER BY id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
    ), held AS (
        SELECT number.id FROM telephony_phonenumber number
        WHERE number.reservation_id IN (SELECT id FROM over) AND number.organization_id IS NULL
        ORDER BY number.id FOR UPDATE SKIP LOCKED
    ), freed AS (
        UPDATE telephony_phonenumber SET reservation_id = NULL, reserved_until = '-infinity'
        WHERE id IN (SELECT id FROM held)
    )
    UPDATE telephony_reservation SET ended = 'expired', ended_at = clock_timestamp()
    WHERE id IN (SELECT id FROM over)
"""


def hold_time() -> timedelta:
    """For how long numbers are held."""
    return timedelta(seconds=settings.NUMBER_HOLD_SECONDS)


def has_free(organization: Organization, area: NumberArea) -> bool:
    """Whether an organization could hold a number of an area at this moment, asked without a lock.

    True may be wrong a moment later, or for a number that it has held too often.
    """
    with prepared_cursor() as cursor:
        asked = {"organization": organization.pk, "area": area.pk, "moment": database_now()}
        cursor.execute(_HAS_FREE, asked)
        return bool(cursor.fetchone()[0])


@transaction.atomic(savepoint=False)
def hold(
    *, organization: Organization, area: NumberArea, quantity: int, moment: datetime, member: int | None = None
) -> Reservation:
    """Hold up to ``quantity`` numbers of an area from ``moment`` on, which is that of the database; maybe none.

    ``got`` of the reservation says how many. Whose hold of some of them had expired is told so.
    """
    until = moment + hold_time()
    reservation = Reservation.objects.create(
        organization=organization,
        area=area,
        asked=quantity,
        got=0,
        made_by_id=member,
        made_at=moment,
        expires_at=until,
    )
    with prepared_cursor() as cursor:
        cursor.execute(
            _HOLD,
            {
                "organization": organization.pk,
                "area": area.pk,
                "quantity": quantity,
                "moment": moment,
                "since": moment - HOLDS_IN,
                "until": until,
                "reservation": reservation.pk,
            },
        )
        before = [key for (key,) in cursor.fetchall()]
    if earlier := sorted({key for key in before if key is not None}):
        expire("id = ANY (%s)", [earlier])
    if before:
        reservation.got = len(before)
        reservation.save(update_fields=["got"])
    return reservation


@transaction.atomic(savepoint=False)
def expire(which: str, values: list[Any]) -> int:
    """Write down which of some reservations have expired; gives how many, a thousand at the most."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE.format(which=which), values)
        return cursor.rowcount


@transaction.atomic(savepoint=False)
def lock_held(reservations: Sequence[int]) -> list[PhoneNumber]:
    """Lock what some reservations hold, and give it by number. Whoever is taking some of it is waited for."""
    numbers = PhoneNumber.objects.filter(reservation__in=reservations, organization=None)
    locked = list(numbers.select_for_update(of=("self",)).order_by("pk").select_related("area"))
    return sorted(locked, key=lambda number: number.number)


@transaction.atomic(savepoint=False)
def lock_reservations(organization: Organization, keys: Sequence[int]) -> tuple[list[Reservation], datetime]:
    """Lock reservations of an organization whose numbers are locked, and give them with the database's time then."""
    found = Reservation.objects.filter(organization=organization, pk__in=keys)
    locked = list(found.select_for_update(no_key=True, of=("self",)).order_by("pk").select_related("area"))
    return locked, database_now()


@transaction.atomic(savepoint=False)
def let_go(numbers: Sequence[int]) -> None:
    """Free numbers that were held, at once; they are locked. What is kept for a former owner stays so."""
    PhoneNumber.objects.filter(pk__in=numbers).update(reservation=None, reserved_until=None)


@transaction.atomic(savepoint=False)
def end(reservation: Reservation, ended: str, moment: datetime) -> None:
    """Write down how a reservation, which is locked, has ended."""
    reservation.ended, reservation.ended_at = ended, moment
    reservation.save(update_fields=["ended", "ended_at"])
