"""What the matrix can't say: how long people wait, and what happens to one letter or one person."""

import contextlib
import http.client
import logging
import os
import signal
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from members.delivery import SENDER_DIED
from members.mail import personal_letter
from members.models import Letter, Member, Throttle
from members.services.demo import MEMBER, PASSWORD
from skypemgr.embedded.processes import living, wait_until
from tests.faults.people import ORGANIZATION, Browser
from tests.faults.stack import Stack

logger = logging.getLogger(__name__)

ADD = f"/{ORGANIZATION}/members/add/personal/"


def invite(browser: Browser, address: str) -> float:
    """Invite somebody; gives the seconds until the answer."""
    began = time.monotonic()
    status, _place, page = browser.post(ADD, {"people": address, "department": "", "key": str(uuid.uuid4())})
    assert status == 302, page
    return time.monotonic() - began


def has_arrived(stack: Stack, address: str) -> Callable[[], bool]:
    """Whether a letter to ``address`` is at the mail server."""
    return lambda: bool(stack.sink.newest_to(address))


@pytest.mark.parametrize("mode", ["hang", pytest.param("refuse", marks=pytest.mark.slow)])
def test_no_request_waits_for_a_broker_and_letters_leave_without_it(
    stack: Stack, administrator: Browser, mode: str
) -> None:
    before = [invite(administrator, f"there{number}@{mode}.example") for number in range(15)]
    stack.broker.become(mode)
    try:
        away = [invite(administrator, f"away{number}@{mode}.example") for number in range(15)]

        assert wait_until(has_arrived(stack, f"away14@{mode}.example"), seconds=30, step=0.2), stack.logs()
    finally:
        stack.broker.become("pass")
    assert statistics.median(away) <= statistics.median(before) + 0.05
    assert max(away) <= max(before) + 0.4, "somebody waited for the broker"


def p95(seconds: list[float]) -> float:
    """What all but one of twenty stay below."""
    return statistics.quantiles(seconds, n=20)[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("server", "mode"), [("mail", "refuse"), ("mail", "hang"), ("broker", "refuse")])
def test_while_a_server_is_away_nineteen_of_twenty_requests_take_as_long_as_ever(
    stack: Stack, administrator: Browser, server: str, mode: str
) -> None:
    """F18, F25. Turn by turn, so that what else this machine does weighs on both alike."""
    proxy = {"mail": stack.mail, "broker": stack.broker}[server]
    there: list[float] = []
    away: list[float] = []
    try:
        for turn in range(10):
            for seconds, now in ((there, "pass"), (away, mode)):
                proxy.become(now)
                time.sleep(1)
                name = f"p95-{server}-{mode}-{turn}-{now}"
                seconds += [invite(administrator, f"{name}-{number}@waits.example") for number in range(8)]
    finally:
        proxy.become("pass")

    assert p95(away) <= p95(there) + 0.05, f"{statistics.median(there):.3f} and {statistics.median(away):.3f} s"


@pytest.mark.slow
def test_all_letters_leave_within_five_minutes_after_the_mail_server_is_back(
    stack: Stack, administrator: Browser
) -> None:
    """F18: longer outages put none off for more than two minutes, as tests/members/test_letters.py says."""
    addresses = [f"waits{number}@outage.example" for number in range(20)]
    stack.mail.become("refuse")
    try:
        for address in addresses:
            invite(administrator, address)
            time.sleep(3)
        assert not any(stack.sink.newest_to(address) for address in addresses)
    finally:
        stack.mail.become("pass")
    back = time.monotonic()

    assert wait_until(lambda: all(map(stack.sink.newest_to, addresses)), seconds=300, step=0.5), stack.logs()
    logger.info("all letters left %.1f s after the mail server was back", time.monotonic() - back)


def test_whoever_invited_reads_that_the_mail_server_refuses_the_address(stack: Stack, administrator: Browser) -> None:
    """F18: a letter that is refused for good shows where it was written."""
    stack.sink.mode, stack.sink_refused = "5xx", True
    try:
        invite(administrator, "nobody@refused.example")
        with stack.connected():
            failed = Letter.objects.filter(email="nobody@refused.example", state=Letter.State.FAILED)
            assert wait_until(failed.exists, seconds=30, step=0.2), stack.logs()
    finally:
        stack.sink.mode = "take"

    status, _place, page = administrator.request("GET", f"/{ORGANIZATION}/members/invitations/?state=bounced")
    [row] = [row for row in page.split("<tr")[1:] if "nobody@refused.example" in row]
    assert status == 200
    assert "(550)" in row


@pytest.mark.slow
def test_what_was_begun_while_the_broker_was_away_is_done_a_minute_after_its_return(
    stack: Stack, administrator: Browser
) -> None:
    """F25: more people than a page creates itself, so that a worker has to."""
    addresses = [f"row{number}@minute.example" for number in range(250)]
    content = "\n".join(["email", *addresses])
    stack.broker.become("refuse")
    try:
        fields = {"addresses": "", "key": str(uuid.uuid4())}
        _status, place, page = administrator.upload(f"/{ORGANIZATION}/members/add/", fields, "minute.csv", content)
        assert place, page
        guests = [f"guest{number}@minute.example" for number in range(20)]
        for address in guests:
            invite(administrator, address)
            time.sleep(2)
    finally:
        stack.broker.become("pass")
    back = time.monotonic()

    def is_read() -> bool:
        return f"{place}create/" in administrator.request("GET", place)[2]

    assert wait_until(is_read, seconds=60, step=0.5), stack.logs()
    assert administrator.post(f"{place}create/", {"rows": "valid"})[0] == 302
    everybody = [*guests, *addresses]
    rest = 60 - (time.monotonic() - back)
    assert wait_until(lambda: all(map(stack.sink.newest_to, everybody)), seconds=rest, step=0.5), stack.logs()
    logger.info("everything was done %.1f s after the broker was back", time.monotonic() - back)


@pytest.mark.slow
def test_three_thousand_letters_leave_though_one_of_them_kills_its_sender(stack: Stack, administrator: Browser) -> None:
    """F44: the one is the first to be taken, and dies with its sender; nobody ends its lease before its time."""
    with stack.connected():
        user = Member.objects.select_related("user").get(user__skype_name=MEMBER).user
        early = timezone.now() - timedelta(hours=1)
        letters = [personal_letter(Letter.Kind.PASSWORD_CHANGED, user) for _number in range(3_000)]
        armed = stack.arm("letters.after_begin")
        [poison, *others] = Letter.objects.bulk_create(letters)
        Letter.objects.filter(pk=poison.pk).update(due_at=early)
        began = time.monotonic()
        assert wait_until(lambda: not armed.exists(), seconds=30, step=0.05)
        left = Letter.objects.filter(pk__in=[letter.pk for letter in others], state=Letter.State.SENT)
        assert wait_until(lambda: left.count() == len(others), seconds=300, step=1), left.count()
        logger.info("2,999 letters left in %.1f s", time.monotonic() - began)
        assert stack.sink.counts()[str(poison.message_id)] <= 1
    arrived = stack.sink.counts()
    assert {arrived[str(letter.message_id)] for letter in others} == {1}


@pytest.mark.slow
def test_a_letter_that_kills_each_sender_is_given_up_and_the_others_arrive(
    stack: Stack, administrator: Browser
) -> None:
    for death in range(5):
        armed = stack.arm("letters.after_begin")
        if death == 0:
            invite(administrator, "poison@letters.example")
        assert wait_until(lambda armed=armed: not armed.exists(), seconds=30, step=0.05)
        time.sleep(2)
        stack.end_leases()
    invite(administrator, "healthy@letters.example")

    assert wait_until(has_arrived(stack, "healthy@letters.example"), seconds=30, step=0.2)

    def is_given_up() -> bool:
        with stack.connected():
            return Letter.objects.filter(email="poison@letters.example", last_error=SENDER_DIED).exists()

    assert wait_until(is_given_up, seconds=30, step=0.2), stack.logs()


def test_whoever_is_blocked_amid_twenty_requests_gets_no_answer_to_a_later_one(
    stack: Stack, administrator: Browser
) -> None:
    """F34. What began before may end; a file that is long breaks off (tests/members/test_downloads.py)."""
    with stack.connected():
        Throttle.objects.all().delete()
        role = Member.Role.MEMBERS_MANAGER
        member = Member.objects.select_related("user").filter(role=role, state=Member.State.ACTIVE)[0]
    person = Browser(stack.url)
    person.request("GET", "/accounts/sign-in/")
    assert person.post("/accounts/sign-in/", {"login": member.user.skype_name, "password": PASSWORD})[0] == 302
    pages = [f"/{ORGANIZATION}/members/", f"/{ORGANIZATION}/members/export.csv", "/me/", f"/{ORGANIZATION}/"]
    answers: list[tuple[float, int, str]] = []
    over = threading.Event()

    def ask(number: int) -> None:
        while not over.is_set():
            window, began = person.twin(), time.monotonic()
            # A file that began before breaks off.
            with contextlib.suppress(http.client.IncompleteRead):
                status, place, _page = window.request("GET", pages[number % len(pages)])
                answers.append((began, status, place))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    try:
        assert wait_until(lambda: len(answers) > 20, seconds=30)
        fields = {"member": [member.pk], "reason": ""}
        status, _place, page = administrator.post(f"/{ORGANIZATION}/members/block/", fields)
        blocked = time.monotonic()
        assert status == 302, page
        later = len(answers) + 40
        assert wait_until(lambda: len(answers) > later, seconds=30)
    finally:
        over.set()
        for thread in threads:
            thread.join(60)

    # Whoever is blocked while a page looks up their membership is a stranger to the organization.
    assert {status for _began, status, _place in answers} <= {200, 302, 404}
    after = [(status, place) for began, status, place in answers if began > blocked]
    assert len(after) >= 20
    assert all(status == 302 and place.startswith("/accounts/sign-in/") for status, place in after)


@pytest.mark.slow
def test_the_same_file_from_two_windows_is_taken_in_once(stack: Stack, administrator: Browser) -> None:
    addresses = [f"row{number}@twice.example" for number in range(40)]
    content = "\n".join(["email", *addresses])
    places = []
    for window in (administrator, administrator.twin()):
        fields = {"addresses": "", "key": str(uuid.uuid4())}
        _status, place, _page = window.upload(f"/{ORGANIZATION}/members/add/", fields, "same.csv", content)
        places.append(place)
    for place in places:
        administrator.post(f"{place}create/", {"rows": "valid"})

    def is_done() -> bool:
        with stack.connected():
            return Member.objects.filter(email__in=addresses).count() == len(addresses)

    assert wait_until(is_done, seconds=30, step=0.2)
    with stack.connected():
        assert Letter.objects.filter(email__in=addresses).count() == len(addresses)


@pytest.mark.slow
def test_workers_go_on_fifteen_seconds_after_a_broker_that_stood_still_for_a_minute(stack: Stack) -> None:
    """F26: with nothing to do but what ticks ask for, so that none is busy with something long."""
    stopped = living("valkey-server", stack.folder / "vk")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(60)
    finished = stack.finished()
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)

    assert wait_until(lambda: stack.have_worked(finished), seconds=15, step=0.2), stack.logs()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mail", "work"])
def test_a_worker_goes_on_after_it_could_not_acknowledge_all_that_it_may_hold(stack: Stack, name: str) -> None:
    """F26: the broker falls silent between handing out tasks and hearing that they were begun, or done."""
    children = stack.children(name)
    for child in children:
        os.kill(child, signal.SIGSTOP)
    # Each of them has a task in hand by then.
    time.sleep(12)
    stack.broker.become("hang")
    for child in children:
        os.kill(child, signal.SIGCONT)
    time.sleep(15)
    finished = stack.finished()
    stack.broker.become("pass")

    assert wait_until(lambda: stack.finished()[name] > finished[name], seconds=15, step=0.2), stack.logs()
