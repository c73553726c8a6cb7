"""F30: the disk is full, of data, journal, uploads and logs alike; and a log alone that takes nothing."""

import contextlib
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.test import override_settings

from skypemgr import settings as everywhere
from skypemgr.embedded.processes import wait_until
from tests.browser.site import collect_static_files, site_environment
from tests.factories import PASSWORD, MemberFactory
from tests.faults.people import Browser
from tests.skypemgr.processes import ROOT

MOUNT = (
    'mount -t tmpfs -o size=260m,mode=777 tmpfs "$SMALL_DISK" && exec "$0" -m pytest -q -s tests/faults/full_disk.py'
)


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_everything_goes_on_when_there_is_room():
    # A disk that nobody else sees and that is gone with its last process; whoever isn't root is it there.
    alone = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid():
        alone += ["--user", "--map-root-user"]
    disk = Path("/tmp") / f"skd{os.getpid()}"
    disk.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SKYPEMGR", "APP_VAR"))}
    try:
        done = subprocess.run(
            [*alone, "sh", "-c", MOUNT, sys.executable],
            cwd=ROOT,
            env=kept | {"SMALL_DISK": str(disk)},
            capture_output=True,
            text=True,
            timeout=600,
        )
    finally:
        disk.rmdir()

    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]


# No file beyond a megabyte, as where a disk is full, and a log that takes nothing at all.
CRAMPED = 'ulimit -f 2048; exec "$0" -m gunicorn skypemgr.wsgi --config gunicorn.conf.py 2>/dev/full'


@pytest.fixture
def cramped(tmp_path, transactional_db):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    surroundings = site_environment(collect_static_files(tmp_path / "static")) | {"WEB_BIND": f"127.0.0.1:{port}"}
    web = subprocess.Popen(["sh", "-c", CRAMPED, sys.executable], cwd=ROOT, env=surroundings, process_group=0)

    def answers():
        with contextlib.suppress(OSError):
            return Browser(f"http://127.0.0.1:{port}").request("GET", "/healthz")[0] == 200
        return False

    try:
        assert wait_until(answers, seconds=90, step=0.2)
        yield Browser(f"http://127.0.0.1:{port}")
    finally:
        web.terminate()
        web.wait(timeout=40)


def test_a_log_that_takes_nothing_breaks_no_request_and_a_file_without_room_is_refused_in_words(cramped):
    boss = MemberFactory(admin=True, organization__slug="acme", user__skype_name="petra.pigeon")
    with override_settings(PASSWORD_HASHERS=everywhere.PASSWORD_HASHERS):
        boss.user.set_password(PASSWORD)
        boss.user.save()
    cramped.request("GET", "/accounts/sign-in/")
    # Each of these writes lines: of the request, of a refusal, of a sign-in.
    assert cramped.post("/accounts/sign-in/", {"login": "petra.pigeon", "password": "wrong"})[0] == 422
    assert cramped.post("/accounts/sign-in/", {"login": "petra.pigeon", "password": PASSWORD})[0] == 302
    assert cramped.request("GET", "/acme/members/add/")[0] == 200
    form = {"addresses": "", "key": str(uuid.uuid4())}

    status, _place, page = cramped.upload("/acme/members/add/", form, "big.csv", "E-mail\n" + "x" * 4_000_000)

    assert status == 507
    assert "507" in page
    small = "E-mail\nanna@people.example\n"
    assert cramped.upload("/acme/members/add/", form, "small.csv", small)[0] == 302
