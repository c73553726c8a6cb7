"""What may stand in a line of the log, and what never does."""

import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from members.throttle import Limit, count_try
from skypemgr import logs
from skypemgr.views import errors
from tests.factories import UserFactory

handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

CANARY = "camille.canary"
SECRET = "kZ3v9QmT1xW8rB5nY2cL7dF4gH6jP0sA"


def greeting(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name)


def closed(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def broken(request: HttpRequest) -> HttpResponse:
    value = f"{CANARY}@canary.example"
    raise ValueError(value)


def stored_twice(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS once (name text UNIQUE)")
        cursor.execute("INSERT INTO once VALUES (%s), (%s)", [CANARY, CANARY])
    return HttpResponse()


urlpatterns = [
    path("hello/<str:name>/", greeting, name="greeting"),
    path("closed/", closed, name="closed"),
    path("broken/", broken, name="broken"),
    path("twice/", stored_twice, name="twice"),
]


class Lines(io.StringIO):
    def all(self) -> list[dict]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def saying(self, event: str) -> list[dict]:
        return [line for line in self.all() if line["event"] == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What production would write meanwhile."""
    written = Lines()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(machine=True))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


REQUEST = {
    "event",
    "level",
    "logger",
    "at",
    "request_id",
    "method",
    "route",
    "status",
    "seconds",
    "user",
    "organization",
}


@pytest.mark.urls(__name__)
def test_a_request_is_one_line_that_names_the_route_and_not_the_path(visitor: Client, lines: Lines) -> None:
    response = visitor.get(f"/hello/{CANARY}/?q={CANARY}", headers={"user-agent": CANARY, "referer": CANARY})

    [line] = lines.saying("request")
    assert set(line) == REQUEST
    assert (line["method"], line["route"], line["status"]) == ("GET", "greeting", 200)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert 0 <= line["seconds"] < 30
    assert CANARY not in lines.getvalue()
    assert "127.0.0.1" not in lines.getvalue()


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("method", "address", "route", "status", "told"),
    [
        ("GET", "/nowhere/", "none", 404, "none"),
        ("BREW", "/hello/x/", "greeting", 200, "other"),
        ("GET", "/closed/", "closed", 403, "GET"),
        ("GET", "/broken/", "broken", 500, "GET"),
    ],
)
def test_every_answer_has_its_line(
    visitor: Client, lines: Lines, method: str, address: str, route: str, status: int, told: str
) -> None:
    visitor.generic(method, address)

    [line] = lines.saying("request")
    assert (line["route"], line["status"]) == (route, status)
    assert line["method"] in {told, "GET"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["at"])


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("local", "given", "kept"),
    [
        (False, "0123456789abcdef0123456789abcdef", True),
        (False, "short", False),
        (False, "x" * 65, False),
        (False, "with space 12345", False),
        (False, "line\u2028break-line", False),
        (True, "0123456789abcdef0123456789abcdef", False),
    ],
)
def test_a_request_keeps_the_id_of_the_proxy_if_there_is_one(
    visitor: Client, settings: Settings, local: bool, given: str, kept: bool
) -> None:
    settings.LOCAL = local

    answered = visitor.get("/hello/x/", headers={"x-request-id": given}).headers["X-Request-ID"]

    assert (answered == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", answered)


@pytest.mark.urls(__name__)
def test_an_error_is_told_by_kind_and_place_and_not_by_its_text(visitor: Client, lines: Lines) -> None:
    visitor.get("/broken/")

    [line] = [line for line in lines.all() if "errors" in line]
    assert line["errors"] == [{"type": "builtins.ValueError"}]
    assert re.search(r"tests/skypemgr/test_logs\.py:\d+ broken", line["frames"][-1])
    assert re.fullmatch(r"A fault was shown with the reference \w{4}-\w{4}\.", line["event"])
    assert CANARY not in lines.getvalue()


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_database_is_told_without_the_row(visitor: Client, lines: Lines) -> None:
    visitor.get("/twice/")

    [line] = [line for line in lines.all() if "errors" in line]
    assert line["errors"][0]["type"].endswith(IntegrityError.__name__)
    assert line["errors"][1]["sqlstate"] == "23505" or "sqlstate" in line["errors"][0]
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    ("name", "message", "args"),
    [
        ("some.library", "Could not write to %s", (f"{CANARY}@canary.example",)),
        ("some.library", f"Could not write to {CANARY}@canary.example", ()),
        ("gunicorn.error", "Error handling request %s", (f"/members/@{CANARY}/?next=/join/{SECRET}/",)),
        ("django.security.DisallowedHost", f"Invalid HTTP_HOST header: {CANARY}", ()),
        ("members.services.letters", "The mail server said: %s", (f"550 <{CANARY}@canary.example> unknown",)),
        ("psycopg", "sent %(query)s", ({"query": CANARY},)),
        ("some.library", f"token {SECRET}", ()),
    ],
)
def test_no_library_tells_what_was_asked_for(lines: Lines, name: str, message: str, args: tuple) -> None:
    logging.getLogger(name).warning(message, *args)

    [line] = lines.all()
    assert line["logger"] == name
    assert CANARY not in lines.getvalue()
    assert SECRET not in lines.getvalue()


def test_what_machines_say_of_themselves_stays_readable(lines: Lines) -> None:
    logging.getLogger("gunicorn.error").critical("WORKER TIMEOUT (pid:%s)", 4711)
    logging.getLogger("gunicorn.error").error("Worker (pid:%s) was sent %s!", 4711, "SIGKILL")

    assert [line["event"] for line in lines.all()] == [
        "WORKER TIMEOUT (pid:4711)",
        "Worker (pid:4711) was sent SIGKILL!",
    ]


def test_unknown_fields_are_dropped(lines: Lines) -> None:
    logging.getLogger("members.anything").info("Done.", extra={"email": CANARY, "count": 3})

    [line] = lines.all()
    assert line["count"] == 3
    assert CANARY not in lines.getvalue()


def test_fields_come_in_one_order_in_every_process(lines: Lines) -> None:
    known = list(logs.FIELDS)

    logging.getLogger("members.anything").info("Done.", extra=dict.fromkeys(reversed(known), 1))

    [line] = lines.all()
    assert [name for name in line if name in known] == known


NASTY = "a\r\nb\x1b[31mc\x00d\x85e\u2028f\x9bg"


@pytest.mark.parametrize("machine", [True, False])
def test_no_control_character_gets_into_a_line(machine: bool) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(machine=machine))
    record = logging.LogRecord("members.x", logging.WARNING, "", 0, "Said %s", (NASTY,), None)
    record.reason = NASTY

    handler.emit(record)

    [text, end] = written.getvalue().split("\n")
    assert end == ""
    assert text.isprintable()


def test_plain_lines_show_the_whole_error_to_whoever_develops() -> None:
    try:
        raise ValueError("bad\nvalue")
    except ValueError as error:
        record = logging.LogRecord(
            "members.x", logging.ERROR, "", 0, "Oh.", (), (ValueError, error, error.__traceback__)
        )

    text = logs.formatter(machine=False).format(record)

    assert "ERROR   members.x Oh." in text
    assert "Traceback (most recent call last):" in text


@pytest.mark.urls(__name__)
def test_refused_access_is_an_event(visitor: Client, lines: Lines) -> None:
    visitor.get("/closed/")

    [line] = lines.saying("Access was refused.")
    assert line["level"] == "warning"


def test_a_refused_form_is_an_event_without_where_it_came_from(lines: Lines) -> None:
    Client(enforce_csrf_checks=True).post("/theme/", {}, headers={"origin": f"https://{CANARY}.example"})

    [line] = lines.saying("A form was refused.")
    assert line["reason"] == "Origin checking failed"
    assert CANARY not in lines.getvalue()


@pytest.mark.django_db
def test_a_form_sent_to_what_is_not_there_is_an_event_and_a_page_that_is_missing_is_none(lines: Lines) -> None:
    visitor, person = Client(), Client()
    user = UserFactory()
    person.force_login(user)

    for client in (visitor, person):
        assert client.get(f"/{CANARY}/").status_code == client.post(f"/{CANARY}/").status_code == 404

    [line] = lines.saying("A form was sent to what is not there.")
    assert (line["level"], line["user"]) == ("warning", user.pk)
    assert CANARY not in lines.getvalue()


@pytest.mark.django_db
def test_sign_ins_are_events_by_id(lines: Lines) -> None:
    user = UserFactory()

    Client().force_login(user)
    user_login_failed.send(__name__, credentials={"login": CANARY, "password": SECRET}, request=None)

    assert lines.saying("Signed in.")[0]["user"] == user.pk
    assert len(lines.saying("A sign-in failed.")) == 1
    assert CANARY not in lines.getvalue()
    assert SECRET not in lines.getvalue()


@pytest.mark.django_db
def test_too_many_tries_are_an_event_of_their_kind(lines: Lines) -> None:
    limit = Limit("sign_in", 1, 15)

    count_try(limit, CANARY)
    count_try(limit, CANARY)

    assert [line["scope"] for line in lines.saying("Too many tries.")] == ["sign_in"]
    assert CANARY not in lines.getvalue()
