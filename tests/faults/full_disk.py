"""F30, on a small disk of its own that holds everything an installation writes: `test_f30` has it run there.

The disk is filled to the last byte while people work, and emptied again. PostgreSQL and Valkey are on it too: what
ends with them (PostgreSQL itself, and workers whose broker answers MISCONF) is started again, as a supervisor does.
"""

import errno
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from members.models import Invitation, Letter
from members.services.demo import ADMINISTRATOR, PASSWORD
from skypemgr.embedded.processes import wait_until
from tests.browser.site import collect_static_files
from tests.faults.people import ORGANIZATION, Browser
from tests.faults.stack import Stack

DISK = Path(os.environ.get("SMALL_DISK", ""))
ADD = f"/{ORGANIZATION}/members/add/"
# Clear answers, or one that says that this is no moment for it; never a fault of ours, and never silence.
CLEAN = {200, 302, 422, 503, 507}


@pytest.fixture(scope="module")
def stack(django_db_blocker: DjangoDbBlocker) -> Iterator[Stack]:
    """An installation whose data, journal, uploads and logs are on the small disk."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    (DISK / "tmp").mkdir()
    elsewhere = Path(tempfile.mkdtemp(prefix="sk"))
    os.environ["TMPDIR"] = str(DISK / "tmp")
    started = Stack(DISK, collect_static_files(elsewhere), django_db_blocker)
    try:
        started.start()
        yield started
    finally:
        empty()
        started.stop()
        shutil.rmtree(elsewhere, ignore_errors=True)


@pytest.fixture(scope="module")
def administrator(stack: Stack) -> Browser:
    made = Browser(stack.url)
    made.sign_in(ADMINISTRATOR, PASSWORD)
    return made


def fill() -> None:
    """Take every byte that is left."""
    with (DISK / "ballast").open("ab", buffering=0) as ballast:
        for size in (1_000_000, 4_096, 1):
            try:
                while ballast.write(bytes(size)):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC


def empty() -> None:
    """Give the space back."""
    (DISK / "ballast").unlink(missing_ok=True)


def invite(browser: Browser, address: str) -> int:
    fields = {"people": address, "department": "", "key": str(uuid.uuid4())}
    return browser.post(f"{ADD}personal/", fields)[0]


def upload(browser: Browser, megabytes: int) -> tuple[int, str]:
    lines = "E-mail\n" + "".join(f"p{number}@big.example,{'x' * 80}\n" for number in range(megabytes * 10_000))
    status, _place, page = browser.upload(ADD, {"addresses": "", "key": str(uuid.uuid4())}, "big.csv", lines)
    return status, page


def test_a_full_disk_is_said_cleanly_and_everything_goes_on_when_there_is_room(
    stack: Stack, administrator: Browser
) -> None:
    assert invite(administrator, "before@disk.example") == 302
    web = stack.pid("web")
    children = set(stack.children("web"))
    fill()

    # Which of the two is full first, nobody can tell.
    status, page = upload(administrator, 4)
    assert status in {503, 507}, (status, page[-600:])

    acked, statuses, until = [], [], time.monotonic() + 25
    number = 0
    while time.monotonic() < until:
        fill()
        number += 1
        address = f"full{number}@disk.example"
        status = invite(administrator, address)
        statuses.append(status)
        if status == 302:
            acked.append(address)
        statuses.append(administrator.request("GET", f"/{ORGANIZATION}/members/")[0])
    assert set(statuses) <= CLEAN, (statuses, stack.logs())
    assert 503 in statuses or acked, statuses

    empty()
    stack.postgres.ensure()
    stack.valkey.ensure()

    def works() -> bool:
        return invite(administrator, f"after{uuid.uuid4().hex[:6]}@disk.example") == 302

    assert wait_until(works, seconds=60, step=0.5), stack.logs()
    assert upload(administrator, 4)[0] == 302

    def nothing_waits() -> bool:
        stack.tend()
        with stack.connected():
            return not Letter.objects.filter(state=Letter.State.WAITING).exists()

    assert wait_until(nothing_waits, seconds=120, step=0.5), stack.logs()
    with stack.connected():
        invited = set(Invitation.objects.filter(email__endswith="@disk.example").values_list("email", flat=True))
    assert set(acked) <= invited, "somebody was told that it was done"
    assert all(stack.sink.newest_to(address) for address in acked)
    assert (stack.pid("web"), set(stack.children("web"))) == (web, children), "a process of web died of it"
