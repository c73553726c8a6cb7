"""Web while its database is away: killed, stopped, started again. Everything here is real."""

import http.client
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from skypemgr.database.silence import ServerIsSilentError, WatchfulConnection
from skypemgr.embedded import processes
from skypemgr.embedded.postgres import Postgres
from skypemgr.embedded.processes import wait_until
from tests.skypemgr.processes import environment, postgres_of, serving

# The fault lasts as long as it takes to see it; G5: web answers 10 seconds after the server is back.
RECOVERY_SECONDS = 10


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    seconds: float


@dataclass
class Web:
    port: int
    database: Postgres

    def get(self, path: str, **headers: str) -> Answer:
        began = time.monotonic()
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            caller.request("GET", path, headers={"Host": f"127.0.0.1:{self.port}", **headers})
            answer = caller.getresponse()
            text = answer.read().decode()
        finally:
            caller.close()
        return Answer(answer.status, dict(answer.getheaders()), text, time.monotonic() - began)

    def page(self, language: str = "en") -> Answer:
        """A page whose reader has a session, which only the database knows."""
        return self.get("/accounts/sign-in/", Cookie="session=" + "k" * 32, **{"Accept-Language": language})

    def recovers(self) -> bool:
        return wait_until(lambda: self.get("/readyz").status == 200, seconds=RECOVERY_SECONDS, step=0.2)

    def signal_database(self, number: signal.Signals) -> None:
        processes.send(processes.living("postgres", self.database.folder), number)


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    home = Path(tempfile.mkdtemp(prefix="sk"))
    database = Postgres(home / "pg", home / "pg.log", durable=False)
    database.ensure()
    url = f"postgresql://app@/app?host={home / 'pg'}"
    settings = environment(home, DATABASE_URL=url, REDIS_URL=os.environ["REDIS_URL"], WEB_WORKERS="1")
    for words in (["migrate"], ["collectstatic", "--no-input"]):
        with serving([sys.executable, "manage.py", *words, "--verbosity", "0"], environment=settings) as command:
            assert command.process.wait(timeout=120) == 0, command.log.read_text()
    words = [sys.executable, "-m", "gunicorn", "skypemgr.wsgi", "--bind", "127.0.0.1:0", "--log-level", "info"]
    with serving(words, environment=settings) as service:
        found = Web(int(service.read_until(r"Listening at: http://127\.0\.0\.1:(\d+)")), database)
        assert found.recovers()
        yield found
    database.stop()
    shutil.rmtree(home, ignore_errors=True)


def assert_tells_to_come_back(answer: Answer, heading: str) -> None:
    assert answer.status == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert f"<h1>{heading}</h1>" in answer.text
    assert "Traceback" not in answer.text
    assert answer.seconds < 10
    # The session is not taken away for want of knowing it.
    assert "session=" not in answer.headers.get("Set-Cookie", "")


def test_web_says_so_when_the_database_is_killed_and_recovers_alone(web: Web) -> None:
    os.kill(postgres_of(web.database.folder.parent), signal.SIGKILL)
    # A backend ends only once it has seen that its postmaster is gone, and answers until then.
    assert wait_until(lambda: not processes.living("postgres", web.database.folder), seconds=10, step=0.05)

    assert_tells_to_come_back(web.page(), "Back in a moment")
    assert (web.get("/readyz").status, web.get("/readyz").text) == (503, "no answer: database\n")
    assert web.get("/healthz").status == 200
    # Nobody waits for what somebody has just waited for.
    assert min(web.page().seconds for _ in range(3)) < 1

    web.database.ensure()
    assert web.recovers()
    assert web.page().status == 200


def test_web_says_so_when_the_database_falls_silent(web: Web) -> None:
    assert web.page().status == 200
    web.signal_database(signal.SIGSTOP)
    try:
        assert_tells_to_come_back(web.page(), "Back in a moment")
        assert web.get("/readyz").status == 503
        assert web.get("/healthz").seconds < 1
    finally:
        web.signal_database(signal.SIGCONT)

    assert web.recovers()
    assert web.page().status == 200


def test_a_statement_under_way_is_given_up_when_the_database_falls_silent(web: Web) -> None:
    with WatchfulConnection.connect(f"user=app dbname=app host={web.database.folder}", autocommit=True) as connection:
        connection.patience = 0.5
        web.signal_database(signal.SIGSTOP)
        try:
            with pytest.raises(ServerIsSilentError):
                connection.execute("SELECT 1")
        finally:
            web.signal_database(signal.SIGCONT)

        assert connection.closed
    assert web.recovers()


def test_a_server_that_is_full_is_not_taken_for_silent(web: Web) -> None:
    host = web.database.folder
    with psycopg.connect(f"user=postgres dbname=app host={host}", autocommit=True) as admin:
        admin.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
        with WatchfulConnection.connect(f"user=narrow dbname=app host={host}", autocommit=True) as connection:
            connection.patience = 0.2

            assert connection.execute("SELECT 1 FROM pg_sleep(0.7)").fetchone() == (1,)
        admin.execute("DROP ROLE narrow")
