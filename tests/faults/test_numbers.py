"""F9, F10, F12: numbers that many want at once, and reservations that end with nobody at work, over HTTP."""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from http.client import HTTPException
from itertools import cycle, islice
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import override_settings

from members.access import Actor
from members.audit import Action, record
from members.models import Throttle
from skypemgr import settings as everywhere
from skypemgr.clock import database_now
from skypemgr.embedded.processes import wait_until
from skypemgr.invariants import find_violations
from telephony.models import NumberArea, PhoneNumber, Reservation
from tests.factories import PASSWORD, MemberFactory, OrganizationFactory
from tests.faults.people import Browser
from tests.faults.stack import Stack
from tests.telephony.stock import allow, stocked
from tests.telephony.test_reservations import pass_time
from tests.telephony.voice import open_voice

logger = logging.getLogger(__name__)
# The longest that anybody waits for a lock now, in seconds.
WAITS = "SELECT max(extract(epoch FROM clock_timestamp() - waitstart)) FROM pg_locks WHERE NOT granted"
HOLD = 600

type Answer = tuple[int, str, float]
type Ask = Callable[["Company", Browser], tuple[int, str]]


class Company:
    """An organization that can have numbers, with administrators who are signed in."""

    def __init__(self, stack: Stack, managers: int = 1, quota: int = 1_000) -> None:
        with stack.connected(), override_settings(PASSWORD_HASHERS=everywhere.PASSWORD_HASHERS):
            self.organization = OrganizationFactory(country="US", language="en")
            self.slug = self.organization.slug
            open_voice(self.organization)
            allow(self.organization, quota)
            people = [MemberFactory(organization=self.organization, admin=True) for _manager in range(managers)]
            for person in people:
                facts = {"organization": self.organization, "actor": Actor.system(), "subject": person}
                with transaction.atomic(using="default"):
                    record(**facts, action=Action.MEMBER_ADDED)
            names = [person.user.skype_name for person in people]
        self.browsers = [self._signed_in(stack, name) for name in names]

    def _signed_in(self, stack: Stack, name: str) -> Browser:
        browser = Browser(stack.url)
        browser.request("GET", "/accounts/sign-in/")
        status, _place, page = browser.post("/accounts/sign-in/", {"login": name, "password": PASSWORD})
        assert status == 302, page
        status, _place, page = browser.request("GET", self.page)
        assert status == 200, page
        browser.headers["Accept-Language"] = "en"
        return browser

    @property
    def page(self) -> str:
        return f"/{self.slug}/voice/numbers/add/"

    def reserve(self, browser: Browser, area: NumberArea, quantity: int = 1) -> tuple[int, str]:
        """Status and page."""
        sent = {"area": area.pk, "quantity": quantity, "key": uuid4()}
        status, _place, page = browser.post(self.page, sent)
        return status, page

    def acquire(self, browser: Browser, reservation: int, numbers: Sequence[str]) -> tuple[int, str]:
        sent: dict[str, object] = {"reservation": reservation, "number": numbers, "key": uuid4()}
        status, _place, page = browser.post(f"/{self.slug}/voice/numbers/acquire/", sent)
        return status, page


@pytest.fixture(autouse=True)
def sound(stack: Stack) -> Iterator[None]:
    """Nobody is throttled for what an earlier test did, and what this one leaves behind contradicts nothing."""
    with stack.connected():
        Throttle.objects.all().delete()
    yield
    with stack.connected():
        assert [one.message for one in find_violations()] == []


@pytest.fixture
def waits(stack: Stack) -> Iterator[list[float]]:
    """How long somebody was seen to wait for a lock, in seconds, looked at fifty times a second."""
    seen, over = [0.0], threading.Event()

    def look() -> None:
        with stack.connected():
            while not over.wait(0.02):
                with connection.cursor() as cursor:
                    cursor.execute(WAITS)
                    seen.append(float(cursor.fetchone()[0] or 0))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield seen
    finally:
        over.set()
        watch.join(10)


def a_city(stack: Stack, numbers: int) -> NumberArea:
    """A city of its own with so many free numbers."""
    with stack.connected():
        return stocked(numbers, city=f"City {uuid4()}")


def all_at_once(asks: Sequence[tuple[Company, Browser]], ask: Ask) -> list[Answer]:
    """Status, page and seconds of what each of them asks, who begin at the same moment."""
    answers: list[Answer] = []
    ready = threading.Barrier(len(asks))

    def work(company: Company, browser: Browser) -> None:
        ready.wait(60)
        began = time.monotonic()
        status, page = ask(company, browser)
        answers.append((status, page, time.monotonic() - began))

    threads = [threading.Thread(target=work, args=(company, browser.twin())) for company, browser in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert len(answers) == len(asks), "somebody got no answer"
    return answers


def p99(answers: Sequence[Answer]) -> float:
    """The longest time but those of one in a hundred, in seconds."""
    return sorted(seconds for _status, _page, seconds in answers)[math.ceil(len(answers) * 0.99) - 1]


# The times count where the machine has nothing else to do.
@pytest.mark.parametrize(
    ("clients", "companies", "longest", "lock"),
    [(32, 8, 60, 60), pytest.param(200, 25, 5, 1, marks=pytest.mark.slow)],
    ids=["some", "two-hundred"],
)
def test_of_many_clients_on_the_last_numbers_of_a_city_each_number_has_one_holder(
    stack: Stack, waits: list[float], clients: int, companies: int, longest: int, lock: int
) -> None:
    area, there_are = a_city(stack, clients // 7), clients // 7
    asking = [(company, company.browsers[0]) for company in (Company(stack) for _company in range(companies))]

    answers = all_at_once(list(islice(cycle(asking), clients)), lambda who, browser: who.reserve(browser, area))

    statuses = [status for status, _page, _seconds in answers]
    logger.info("%d clients: p99 %.2f s, locks %.3f s", clients, p99(answers), max(waits))
    assert (statuses.count(302), statuses.count(422), len(statuses)) == (there_are, clients - there_are, clients)
    assert all("is free at the moment" in page for status, page, _seconds in answers if status == 422)
    with stack.connected():
        held = Reservation.objects.filter(area=area)
        assert sum(held.values_list("got", flat=True)) == held.count() == there_are
        assert PhoneNumber.objects.filter(area=area, reservation__in=held).count() == there_are
    assert p99(answers) <= longest
    assert max(waits) <= lock


@pytest.mark.parametrize(
    ("administrators", "longest", "lock"),
    [(6, 60, 60), pytest.param(20, 5, 1, marks=pytest.mark.slow)],
    ids=["six", "twenty"],
)
def test_the_quota_holds_when_administrators_acquire_at_once(
    stack: Stack, waits: list[float], administrators: int, longest: int, lock: int
) -> None:
    """Ten reservations are made while the quota allows them all; then it falls to half of that."""
    area, most = a_city(stack, 40), min(administrators, 10)
    company = Company(stack, managers=administrators, quota=40)
    for browser in company.browsers[:most]:
        assert company.reserve(browser, area, 2)[0] == 302
    with stack.connected():
        allow(company.organization, most)
        held = {
            reservation.pk: list(reservation.numbers.values_list("number", flat=True))
            for reservation in Reservation.objects.filter(area=area)
        }
    # Two of them want each where there are twenty.
    wanted = cycle(held.items())
    lock_of_choice = threading.Lock()

    def acquire(who: Company, browser: Browser) -> tuple[int, str]:
        with lock_of_choice:
            reservation, numbers = next(wanted)
        return who.acquire(browser, reservation, numbers)

    answers = all_at_once([(company, browser) for browser in company.browsers], acquire)

    logger.info("%d administrators: p99 %.2f s, locks %.3f s", administrators, p99(answers), max(waits))
    assert {status for status, _page, _seconds in answers} <= {302, 422}
    assert any("You may have" in page for _status, page, _seconds in answers)
    with stack.connected():
        assert PhoneNumber.objects.of(company.organization).count() == most // 2 * 2
    assert p99(answers) <= longest
    assert max(waits) <= lock


@pytest.fixture
def nobody_at_work(stack: Stack) -> Iterator[None]:
    """Every worker and beat are dead; web alone is there."""
    for name in ("work", "mail", "beat"):
        stack.kill(name)
    yield
    stack.tend()
    assert wait_until(stack.is_up, seconds=120, step=0.2), stack.logs()


@pytest.mark.usefixtures("nobody_at_work")
@pytest.mark.parametrize("passed", [590, pytest.param(0, marks=pytest.mark.slow)], ids=["ten-seconds", "ten-minutes"])
def test_with_every_worker_dead_a_reservation_ends_after_600_seconds_and_others_take_its_numbers(
    stack: Stack, passed: int
) -> None:
    """By the clock of the database. ``passed`` seconds are let pass by moving what is held, the others are waited."""
    area = a_city(stack, 2)
    first, second = Company(stack), Company(stack)
    [holder], [other] = first.browsers, second.browsers
    assert first.reserve(holder, area, 2)[0] == 302
    with stack.connected():
        reservation = Reservation.objects.get(area=area)
        numbers = list(reservation.numbers.values_list("number", flat=True))
        pass_time(passed)
        reservation.refresh_from_db()
        since: datetime = reservation.made_at
        left = HOLD - (database_now() - since).total_seconds()
    page = holder.request("GET", first.page)[2]
    [shown] = re.findall(r'data-left="(\d+)"', page)
    assert abs(int(shown) - left) <= 2
    time.sleep(max(0, left - 5))
    refused = 0
    while second.reserve(other, area, 2)[0] == 422:
        refused += 1
        assert refused < 200
        time.sleep(0.1)
    with stack.connected():
        taken = Reservation.objects.get(area=area, organization=second.organization)
        seconds = (taken.made_at - since).total_seconds()
    logger.info("free after %.3f s, %d refused before", seconds, refused)
    assert refused
    assert HOLD <= seconds <= HOLD + 1
    assert taken.got == 2

    assert "is over" in told_next(holder, first, first.acquire(holder, reservation.pk, numbers))
    assert second.acquire(other, taken.pk, numbers)[0] == 302
    with stack.connected():
        assert not PhoneNumber.objects.of(first.organization).exists()
        assert PhoneNumber.objects.of(second.organization).count() == 2


@pytest.mark.usefixtures("nobody_at_work")
def test_a_clock_set_back_revives_nothing_that_a_request_has_seen_expired(stack: Stack) -> None:
    """The clock goes back by what is held going on: to the database it is the same."""
    area = a_city(stack, 2)
    first, second = Company(stack), Company(stack)
    [holder], [other] = first.browsers, second.browsers
    assert first.reserve(holder, area, 2)[0] == 302
    with stack.connected():
        reservation = Reservation.objects.get(area=area)
        numbers = list(reservation.numbers.values_list("number", flat=True))
        pass_time(HOLD + 1)
    assert f'value="{numbers[0]}"' not in holder.request("GET", first.page)[2]

    with stack.connected():
        pass_time(-HOLD // 2)

    assert f'value="{numbers[0]}"' not in holder.request("GET", first.page)[2]
    assert "is over" in told_next(holder, first, first.acquire(holder, reservation.pk, numbers))
    assert second.reserve(other, area, 2)[0] == 302
    with stack.connected():
        assert not PhoneNumber.objects.of(first.organization).exists()
        assert PhoneNumber.objects.filter(reservation__organization=second.organization).count() == 2


def told_next(browser: Browser, company: Company, answer: tuple[int, str]) -> str:
    """What a page says, or the next one to which it leads."""
    status, page = answer
    return browser.request("GET", company.page)[2] if status == 302 else page


@pytest.mark.parametrize("point", ["reservation.before_commit", "acquisition.before_commit"])
def test_whoever_asks_again_after_web_died_has_numbers_once(stack: Stack, point: str) -> None:
    """F9: killed right before the commit, so that nobody answers; the same form is sent again."""
    area, company = a_city(stack, 3), Company(stack)
    [browser] = company.browsers
    acquiring = point.startswith("acquisition")
    sent: dict[str, object] = {"area": area.pk, "quantity": 2, "key": uuid4()}
    path = company.page
    if acquiring:
        assert browser.post(path, sent)[0] == 302
        with stack.connected():
            reservation = Reservation.objects.get(area=area)
            numbers = list(reservation.numbers.values_list("number", flat=True))
        sent = {"reservation": reservation.pk, "number": numbers, "key": uuid4()}
        path = f"/{company.slug}/voice/numbers/acquire/"
    armed = stack.arm(point)
    with pytest.raises((OSError, HTTPException)):
        browser.post(path, sent)
    assert not armed.exists()
    with stack.connected():
        assert PhoneNumber.objects.filter(area=area, reservation=None, organization=None).count() == (
            1 if acquiring else 3
        )

    assert wait_until(stack.answers, seconds=60, step=0.1)
    for _time in range(2):
        assert browser.post(path, sent)[0] == 302

    with stack.connected():
        rest = PhoneNumber.objects.filter(area=area, reservation=None, organization=None)
        assert rest.count() == 1
        assert PhoneNumber.objects.of(company.organization).count() == (2 if acquiring else 0)
        assert Reservation.objects.filter(area=area).count() == 1
