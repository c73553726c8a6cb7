"""F39: more is allocated at once than the wallet holds, over HTTP and by commands."""

import re
import subprocess
import sys
import threading
import time
from decimal import Decimal
from itertools import cycle
from queue import Empty, Queue
from uuid import uuid4

import pytest

from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import wallet_balance
from credit.services.allocation import allocate_credit
from members.access import Actor
from members.models import Member, Organization
from tests.faults.people import ORGANIZATION, Browser
from tests.faults.stack import ROOT, Stack

# The balance and what was wanted, in any language.
TRUTH = re.compile(r'class="error-summary".*?\b0[.,]00\b.*?\b1[.,]00\b', re.DOTALL)


def leave_in_wallet(stack: Stack, amount: int) -> list[str]:
    """Have the wallet hold exactly so much; gives the Skype Names of some who can get it."""
    with stack.connected():
        organization = Organization.objects.get(slug=ORGANIZATION)
        people = list(Member.objects.of(organization).filter(state="active").select_related("user").order_by("pk")[:20])
        facts = {"actor": Actor.system(), "organization": organization}
        fund(**facts, amount=Decimal(amount), key=uuid4())
        if surplus := wallet_balance(organization) - amount:
            allocate_credit(**facts, members=people[:1], amount=surplus, key=uuid4())
        return [person.user.skype_name for person in people]


def given(stack: Stack, reason: str) -> tuple[int, Decimal]:
    """How often credit was given for a reason, and what the wallet holds now."""
    with stack.connected():
        organization = Organization.objects.get(slug=ORGANIZATION)
        return Transfer.objects.filter(reason=reason).count(), wallet_balance(organization)


def ask_at_once(
    stack: Stack, administrator: Browser, *, requests: int, clients: int, reason: str, names: list[str]
) -> list[tuple[int, str, float]]:
    """Status, page and seconds of each of so many requests for 1.00, sent by so many clients."""
    answers: list[tuple[int, str, float]] = []
    waiting: Queue[str] = Queue()
    for name, _number in zip(cycle(names), range(requests), strict=False):
        waiting.put(name)

    def work(browser: Browser) -> None:
        while True:
            try:
                path = f"/{ORGANIZATION}/members/@{waiting.get_nowait()}/credit/add/"
            except Empty:
                return
            began = time.monotonic()
            status, _place, page = browser.post(path, {"amount": "1.00", "reason": reason, "key": uuid4()})
            answers.append((status, page, time.monotonic() - began))

    threads = [threading.Thread(target=work, args=(administrator.twin(),)) for _client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    return answers


# The time counts where the machine has nothing else to do.
@pytest.mark.parametrize(
    ("requests", "clients", "longest"),
    [(120, 20, 60), pytest.param(1_000, 50, 5, marks=pytest.mark.slow)],
    ids=["fast", "thousand"],
)
def test_exactly_as_many_are_accepted_as_the_wallet_covers_and_the_others_are_told_its_balance(
    stack: Stack, administrator: Browser, requests: int, clients: int, longest: int
) -> None:
    covered, reason = requests // 2, f"race of {requests}"
    names = leave_in_wallet(stack, covered)

    answers = ask_at_once(stack, administrator, requests=requests, clients=clients, reason=reason, names=names)

    statuses = [status for status, _page, _seconds in answers]
    assert (statuses.count(302), statuses.count(422), len(statuses)) == (covered, requests - covered, requests)
    assert all(TRUTH.search(page) for status, page, _seconds in answers if status == 422)
    assert given(stack, reason) == (covered, 0)
    assert sorted(seconds for _status, _page, seconds in answers)[int(requests * 0.99) - 1] <= longest
    leave_in_wallet(stack, 100_000)


@pytest.mark.parametrize("number", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_so_many_commands_at_once_allocate_what_the_wallet_covers(stack: Stack, number: int) -> None:
    reason = f"{number} commands"
    names = leave_in_wallet(stack, number // 2)
    words = ["allocate_credit", "--amount", "1", "--member", names[0], "--reason", reason, "--json"]
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", *words, "--organization", ORGANIZATION],
            cwd=ROOT,
            env=stack.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _command in range(number)
    ]
    said = [process.communicate(timeout=300)[0] for process in started]

    assert sorted(process.returncode for process in started) == [0] * (number // 2) + [1] * (number - number // 2)
    refused = [text for text in said if '"error"' in text]
    assert len(refused) == number - number // 2
    assert all('"wallet": "0.0000"' in text for text in refused)
    assert given(stack, reason) == (number // 2, 0)
    leave_in_wallet(stack, 100_000)
