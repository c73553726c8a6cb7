"""Web, worker and beat as the compose file starts them: what they log of people, what they count, what they refuse."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from pytest_django import DjangoDbBlocker

from members.models import Letter, Member, Organization
from skypemgr.embedded.processes import wait_until
from tests.factories import PASSWORD, MemberFactory, OrganizationFactory
from tests.skypemgr.processes import Service
from tests.skypemgr.test_deployment import production, run, service_of

HOST = "skypemgr.example"
TOKEN = "monitoring-token-of-this-test"
CANARY = "canarybird"
SECRETS = ["WrongPassword" + "Qx7zN4vB9", "ProxyUser" + "Agent7f3a", "203.0.113.77", PASSWORD]


class RefusingServer:
    """A mail server that quotes the address it refuses, as many do."""

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        return f"550 5.1.1 <{address}> is not known here"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class Browser:
    """Somebody behind the proxy."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {
            "Host": HOST,
            "X-Forwarded-Proto": "https",
            "X-Real-IP": "203.0.113.77",
            "User-Agent": SECRETS[1],
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        with contextlib.closing(caller):
            caller.request(method, path, body, sent | headers)
            got = caller.getresponse()
            text = got.read().decode(errors="replace")
        for line in got.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(got.status, got.headers, text)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, page: str, to: str = "", **fields: str) -> Answer:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(page).text)
        body = urlencode(fields | {"csrfmiddlewaretoken": token[1] if token else ""})
        return self.ask(
            "POST",
            to or page,
            body,
            **{"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{HOST}{page}"},
        )


@dataclass
class Production:
    port: int
    worker_metrics: int
    services: dict[str, Service]

    def browser(self) -> Browser:
        return Browser(self.port)

    def output(self) -> dict[str, str]:
        return {name: service.log.read_text() for name, service in self.services.items()}

    def metrics(self) -> str:
        return self.browser().get("/metrics", Authorization=f"Bearer {TOKEN}").text

    def metrics_of_worker(self) -> str:
        caller = http.client.HTTPConnection("127.0.0.1", self.worker_metrics, timeout=10)
        with contextlib.closing(caller):
            caller.request("GET", "/metrics")
            return caller.getresponse().read().decode()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def running(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    home = tmp_path_factory.mktemp("production")
    static = {"DJANGO_SETTINGS_MODULE": "skypemgr.settings", "STATIC_ROOT": str(home / "files")}
    run("manage.py", "collectstatic", "--no-input", "--verbosity", "0", **static)
    mail = Controller(RefusingServer(), hostname="127.0.0.1", port=free_port())
    mail.start()
    worker_metrics = free_port()
    with django_db_blocker.unblock(), contextlib.ExitStack() as stack:
        environment = production(home / "files") | {
            "SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
            "METRICS_TOKEN": TOKEN,
            "SECURITY_CONTACT": "mailto:security@skypemgr.example",
            "REDIS_URL": settings.REDIS_URL,
        }
        stack.callback(mail.stop)
        web = stack.enter_context(service_of("web", home, environment, "--log-level", "info"))
        worker_environment = environment | {"METRICS_BIND": f"127.0.0.1:{worker_metrics}"}
        worker = stack.enter_context(service_of("worker", home, worker_environment))
        mail_worker = stack.enter_context(service_of("mail", home, environment))
        beat = stack.enter_context(service_of("beat", home, environment, "--loglevel", "INFO"))
        port = int(web.read_until(r"Listening at: http://127\.0\.0\.1:(\d+)"))
        worker.read_until(r"work@\S+ (ready)")
        mail_worker.read_until(r"mail@\S+ (ready)")
        beat.read_until("(Sending due task)")
        found = Production(port, worker_metrics, {"web": web, "worker": worker, "mail": mail_worker, "beat": beat})
        assert wait_until(lambda: answers(found), seconds=60, step=0.2)
        yield found


def answers(found: Production) -> bool:
    try:
        return found.browser().get("/readyz").status == 200
    except OSError:
        return False


@pytest.fixture
def administrator(transactional_db: None) -> Member:
    organization = OrganizationFactory(name=f"Company {CANARY}", slug=f"company-{CANARY}")
    return MemberFactory(
        admin=True,
        organization=organization,
        user__skype_name=f"admin.{CANARY}",
        user__email=f"admin@{CANARY}.example",
        user__first_name=f"Alma{CANARY}",
        # The tests hash quickly, production doesn't.
        user__password=Argon2PasswordHasher().encode(PASSWORD, "saltsaltsalt"),
    )


def letters_are_refused() -> bool:
    return Letter.objects.filter(state=Letter.State.FAILED).count() >= 1


def act_as_people_do(browser: Browser, administrator: Member) -> None:
    """Everything that has somebody's data in it, done right and done wrong."""
    organization: Organization = administrator.organization
    home = f"/{organization.slug}"
    name = administrator.user.skype_name
    browser.post("/accounts/sign-in/", login=f"nobody.{CANARY}", password=SECRETS[0])
    browser.post("/accounts/sign-in/", login=name, password=SECRETS[0])
    browser.post("/accounts/reset/", login=name)
    assert browser.post("/accounts/sign-in/", login=name, password=PASSWORD).status == 302
    assert browser.get(f"{home}/members/?q={CANARY}").status == 200
    assert browser.get(f"{home}/members/@{name}/").status == 200
    assert browser.get(f"{home}/members/export.csv").status == 200
    browser.post(f"{home}/members/add/business/", text=f"Nils {CANARY} <nils@{CANARY}.example>")
    browser.post(f"{home}/members/add/personal/", people=f"guest@{CANARY}.example")
    browser.get(f"/join/{CANARY}-{'t0k3n' * 8}/")
    browser.get(f"/nowhere/{CANARY}/?email=a@{CANARY}.example")
    browser.get(f"/?q={CANARY}%00")
    browser.get("/", Host=f"{CANARY}.example")
    browser.ask("POST", "/theme/", f"next=/{CANARY}", **{"Content-Type": "application/x-www-form-urlencoded"})
    browser.ask("POST", "/theme/", "{}", **{"Content-Type": f"text/{CANARY}"})
    browser.get("/ops/", **{"X-Request-ID": f"{CANARY}\x1b[31m"})
    with socket.create_connection(("127.0.0.1", browser.port), timeout=10) as raw:
        raw.sendall(f"GET /{CANARY} HTTP/9.9\r\nHost: {CANARY}\x00\r\nBad{CANARY}\r\n\r\n".encode())
        raw.recv(1000)


FIELDS = {
    "request": {"method", "route", "status", "seconds", "user", "organization", "request_id"},
    "task": {"task", "task_id", "outcome", "seconds"},
}


def test_a_journey_leaves_no_personal_data_in_any_log(running: Production, administrator: Member) -> None:
    act_as_people_do(running.browser(), administrator)
    assert wait_until(letters_are_refused, seconds=60, step=0.2)
    time.sleep(1)

    written = running.output()
    for name, text in written.items():
        found = [word for word in [CANARY, *SECRETS, "t0k3n"] if word.lower() in text.lower()]
        assert found == [], (name, [line for line in text.splitlines() if CANARY in line.lower()][:5])

    lines = [json.loads(line) for text in written.values() for line in text.splitlines() if line.startswith("{")]
    for line in lines:
        assert {"event", "level", "logger", "at"} <= set(line)
        assert FIELDS.get(line["event"], set()) <= set(line)
    # What is no JSON is Celery's remark about being root, before our logging begins.
    others = [line for text in written.values() for line in text.splitlines() if line and not line.startswith("{")]
    assert [
        line
        for line in others
        if not re.search(r"superuser|recommended|--uid|User information|uid=0|_warn_or|euid", line)
    ] == []

    said = [line["event"] for line in lines]
    assert {"request", "task", "Signed in.", "A sign-in failed.", "A form was refused."} <= set(said)


def test_a_task_carries_the_id_of_the_request_that_caused_it(running: Production, administrator: Member) -> None:
    request_id = running.browser().post("/accounts/reset/", login=administrator.user.skype_name).headers["X-Request-ID"]

    def tells(service: str, event: str) -> bool:
        lines = [json.loads(line) for line in running.output()[service].splitlines() if line.startswith("{")]
        return any(line["event"] == event and line.get("request_id") == request_id for line in lines)

    # What other tests have left to be done has ids that this web never knew.
    assert wait_until(lambda: tells("worker", "task") or tells("mail", "task"), seconds=30, step=0.2)
    assert wait_until(lambda: tells("web", "request"), seconds=10, step=0.2)


def counted(text: str, name: str, **labels: str) -> float:
    found = 0.0
    for line in text.splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            found += float(line.rpartition(" ")[2])
    return found


def test_metrics_are_for_who_brings_the_token(running: Production) -> None:
    browser = running.browser()

    assert browser.get("/metrics").status == 401
    assert browser.get("/metrics", Authorization="Bearer wrong").status == 401
    assert browser.get("/metrics", Authorization=f"Basic {TOKEN}").status == 401
    assert browser.get("/metrics", Authorization=f"Bearer {TOKEN}").status == 200


def test_every_process_of_web_is_counted_once_also_after_its_end(running: Production) -> None:
    before = counted(running.metrics(), "skypemgr_requests_total", route="security_txt", status="2xx")
    for _ in range(20):
        assert running.browser().get("/.well-known/security.txt").status == 200
    after = counted(running.metrics(), "skypemgr_requests_total", route="security_txt", status="2xx")
    assert after - before == 20

    children = Path(f"/proc/{running.services['web'].process.pid}/task").glob("*/children")
    workers = [int(child) for file in children for child in file.read_text().split()]
    os.kill(workers[0], signal.SIGTERM)
    assert wait_until(lambda: not Path(f"/proc/{workers[0]}").exists(), seconds=40, step=0.1)
    assert wait_until(lambda: answers(running), seconds=40, step=0.2)

    assert counted(running.metrics(), "skypemgr_requests_total", route="security_txt", status="2xx") == after


def test_metrics_tell_what_waits_and_name_nobody(running: Production, administrator: Member) -> None:
    text = running.metrics()

    for name in (
        "skypemgr_letters",
        "skypemgr_oldest_letter_seconds",
        "skypemgr_batches",
        "skypemgr_job_runs",
        "skypemgr_database_pool",
        "skypemgr_request_seconds_bucket",
    ):
        assert f"{name}{{" in text, name
    assert "skypemgr_database_up 1.0" in text
    assert CANARY not in text
    assert max(len(line) for line in text.splitlines()) < 300


def test_a_worker_counts_its_tasks(running: Production) -> None:
    assert wait_until(
        lambda: counted(running.metrics_of_worker(), "skypemgr_tasks_total", outcome="success") > 0,
        seconds=30,
        step=0.5,
    )


def test_whoever_finds_a_weakness_learns_whom_to_tell(running: Production) -> None:
    text = running.browser().get("/.well-known/security.txt").text

    assert text.startswith("Contact: mailto:security@skypemgr.example\nExpires: 2")
    assert f"Canonical: https://{HOST}/.well-known/security.txt" in text


def test_cookies_are_bound_to_the_host_and_closed_to_scripts(running: Production, administrator: Member) -> None:
    browser = running.browser()
    answers = [
        browser.get("/accounts/sign-in/"),
        browser.post("/accounts/sign-in/", login=administrator.user.skype_name, password=PASSWORD),
    ]
    cookies = [line for answer in answers for line in answer.headers.get_all("Set-Cookie", [])]

    assert {line.split("=")[0] for line in cookies} >= {"__Host-csrf", "__Host-session"}
    for line in cookies:
        assert re.search(r"; Secure(;|$)", line), line
        assert "HttpOnly" in line, line
        assert re.search(r"SameSite=(Lax|Strict)", line), line
        assert "Path=/" in line and "Domain" not in line, line
        assert line.startswith("__Host-"), line
