"""Reserving numbers against the least that it can be: an UPDATE of the same rows that nobody else wants.

SCALE is that of the large stock; the small one always has 10,000 numbers.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection, transaction

from bench.measure import Client, Figure, at_once
from members.models import Organization
from skypemgr.clock import database_now
from skypemgr.database.prepared import prepared_cursor
from telephony.holding import hold
from telephony.models import NumberArea, PhoneNumber, Reservation
from tests.factories import OrganizationFactory

CLIENTS = 32
TIMES = 20
FIVE = 5
SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 5
# As the claim writes them, of rows that are named: nothing is looked for and nobody else wants them.
LEAST = """
    UPDATE telephony_phonenumber SET
        reservation_id = %(reservation)s, reserved_until = %(until)s, last_held_by_id = %(organization)s,
        held_at = ARRAY[%(moment)s::timestamptz]
    WHERE id = ANY (%(keys)s)
"""
FILL = """
    INSERT INTO telephony_phonenumber (number, area_id)
    SELECT '+1' || (%s + number)::text, %s FROM generate_series(1, %s) AS number
"""
FREE = """
    UPDATE telephony_phonenumber SET
        reservation_id = NULL, reserved_until = '-infinity', last_held_by_id = NULL, held_at = '{}'
    WHERE reservation_id IS NOT NULL
"""


def measure(scale: float) -> Iterator[Figure]:
    owner = OrganizationFactory(slug="bench-owner")
    organizations = [OrganizationFactory(slug=f"bench-numbers-{number}") for number in range(CLIENTS)]
    large_size = max(SMALL, round(LARGE * scale))
    small, large, taken = (_stock(name, size) for name, size in _sizes(large_size))
    # Nine in ten of a city are owned, as they are after years.
    PhoneNumber.objects.filter(area=taken, pk__in=_most_of(taken, large_size)).update(
        source="ported", organization=owner, acquired_at=database_now()
    )
    own, granted, doubly = _together(organizations, large)
    yield Figure(name=f"{CLIENTS} clients reserve five each, of an UPDATE that nobody disturbs", value=own, least=0.40)
    yield Figure(name="of the numbers they asked for, those they got", value=granted, least=1)
    yield Figure(name="numbers that two of them got", value=doubly, most=0)
    alone = {area.city: _alone(organizations[0], area) for area in (small, large, taken)}
    for area, what in ((large, f"{large_size:,} numbers"), (taken, "nine in ten of a city taken")):
        yield Figure(
            name=f"reserving five with {what}, of {SMALL:,}", value=alone[area.city] / alone[small.city], most=1.5
        )


def _sizes(large: int) -> list[tuple[str, int]]:
    return [("Small", SMALL), ("Large", large), ("Taken", large)]


def _stock(city: str, size: int) -> NumberArea:
    area = NumberArea.objects.create(country="US", region="Bench", city=city, type="user")
    first = 2_000_000_000 + area.pk * 10_000_000
    with connection.cursor() as cursor:
        cursor.execute(FILL, [first, area.pk, size])
        cursor.execute("VACUUM (ANALYZE) telephony_phonenumber")
    return area


def _most_of(area: NumberArea, size: int) -> list[int]:
    keys = PhoneNumber.objects.filter(area=area).order_by("pk").values_list("pk", flat=True)
    return list(keys[: size * 9 // 10])


def _reserving(organization: Organization, area: NumberArea) -> Callable[[int], int]:
    def reserve(turn: int) -> int:
        with transaction.atomic():
            return hold(organization=organization, area=area, quantity=FIVE, moment=database_now()).got

    return reserve


def _updating(organization: Organization, area: NumberArea, keys: list[list[int]]) -> Callable[[int], int]:
    """The same rows as somebody else might get, and as many statements around them."""

    def update(turn: int) -> int:
        with transaction.atomic():
            moment = database_now()
            reservation = Reservation.objects.create(
                organization=organization,
                area=area,
                asked=FIVE,
                got=0,
                made_at=moment,
                expires_at=moment + timedelta(minutes=10),
            )
            with prepared_cursor() as cursor:
                cursor.execute(
                    LEAST,
                    {
                        "reservation": reservation.pk,
                        "until": reservation.expires_at,
                        "organization": organization.pk,
                        "moment": moment,
                        "keys": keys[turn],
                    },
                )
            reservation.got = FIVE
            reservation.save(update_fields=["got"])
            return FIVE

    return update


def _together(organizations: list[Organization], area: NumberArea) -> tuple[float, float, int]:
    """How fast clients who want the same are of those whom nobody disturbs; how much they got; what two of them got."""
    every = list(PhoneNumber.objects.filter(area=area).order_by("pk").values_list("pk", flat=True)[: _wanted()])
    found, got, doubly = [], [], 0
    for turn in range(ROUNDS):
        ours = [_reserving(organization, area) for organization in organizations]
        theirs = [
            _updating(
                organization, area, [every[at : at + FIVE] for at in range(place * FIVE, len(every), CLIENTS * FIVE)]
            )
            for place, organization in enumerate(organizations)
        ]
        took = {}
        for name, works in (("ours", ours), ("least", theirs))[:: 1 if turn % 2 else -1]:
            _free()
            took[name] = at_once([_client(work) for work in works])
            if name == "ours":
                held = PhoneNumber.objects.filter(area=area, reservation__isnull=False).count()
                asked = sum(Reservation.objects.filter(area=area).values_list("got", flat=True))
                got.append(held / _wanted())
                doubly += asked - held
        found.append(took["least"] / took["ours"])
    return statistics.median(found), min(got), doubly


def _parts(every: list[int], place: int) -> list[list[int]]:
    """The rows of one client, five at a time."""
    return [every[at : at + FIVE] for at in range(place * FIVE, len(every), CLIENTS * FIVE)]


def _wanted() -> int:
    return CLIENTS * TIMES * FIVE


def _free() -> None:
    with connection.cursor() as cursor:
        cursor.execute(FREE)
        cursor.execute("DELETE FROM telephony_reservation")
        cursor.execute("VACUUM telephony_phonenumber")


def _alone(organization: Organization, area: NumberArea) -> float:
    """Seconds for one who reserves alone: the median of many."""
    _free()
    reserve, took = _reserving(organization, area), []
    for turn in range(60):
        begun = time.perf_counter()
        reserve(turn)
        took.append(time.perf_counter() - begun)
    return statistics.median(took[10:])


def _client(work: Callable[[int], int]) -> Client:
    def turns() -> None:
        for turn in range(TIMES):
            work(turn)

    return connection.ensure_connection, turns
