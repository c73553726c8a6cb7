"""What the matrix can't say: how long people wait, and what happens to one letter or one person."""

import statistics
import time
import uuid
from collections.abc import Callable

import pytest

from members.delivery import SENDER_DIED
from members.models import Letter, Member, Throttle
from members.services.demo import MEMBER, PASSWORD
from skypemgr.embedded.processes import wait_until
from tests.faults.people import ORGANIZATION, Browser
from tests.faults.stack import Stack

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


@pytest.mark.slow
def test_whoever_is_blocked_gets_no_further_answer(stack: Stack, administrator: Browser) -> None:
    with stack.connected():
        Throttle.objects.all().delete()
        member = Member.objects.get(user__skype_name=MEMBER)
    person = Browser(stack.url)
    person.request("GET", "/accounts/sign-in/")
    assert person.post("/accounts/sign-in/", {"login": MEMBER, "password": PASSWORD})[0] == 302
    assert person.request("GET", "/me/")[0] == 200

    status, _place, page = administrator.post(f"/{ORGANIZATION}/members/block/", {"member": [member.pk], "reason": ""})

    assert status == 302, page
    status, place, _page = person.request("GET", "/me/")
    assert (status, place.startswith("/accounts/sign-in/")) == (302, True)


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
