"""Requests as a whole: ids, addresses, queries, headers, methods, bodies. Never a fault, and what every answer says."""

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from members.forms.imports import MOST_PASTED
from members.models import Batch, Letter, Member, User
from skypemgr.answers import HEADERS
from skypemgr.middleware import LARGEST_UPLOAD
from tests.factories import PASSWORD, MemberFactory
from tests.inputs.doors import LANGUAGE, World, post, undone

CORPUS = yaml.safe_load((Path(__file__).parent / "requests.yaml").read_text(encoding="utf-8"))
SAID_BY_ALL = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def world(db: None) -> World:
    world = World.make()
    post(world.client, world.url("members/add/"), addresses="row@people.example", key=str(uuid4()))
    return world


def filled(text: str, world: World) -> str:
    return text.replace("{slug}", world.organization.slug).replace("{pk}", str(Batch.objects.get().pk))


def send(world: World, entry: dict[str, Any]) -> HttpResponse:
    path, body = filled(entry["path"], world), entry.get("body", "")
    if "body" not in entry:
        path += path[-1] * (entry.get("times", 1) - 1)
    elif "after" in entry:
        body += entry["after"] * entry["times"]
    else:
        body += body[-1] * (entry.get("times", 1) - 1)
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value.encode().decode("latin-1")
        for name, value in entry.get("headers", {}).items()
    }
    if "HTTP_COOKIE" not in headers:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in world.client.cookies.items())
        headers["HTTP_COOKIE"] = cookies
    method = entry.get("method", "GET")
    query = path.partition("?")[2]
    # A client of its own has no cookies but those of the header.
    return Client(raise_request_exception=False).generic(
        method,
        path.partition("?")[0],
        body.encode(),
        content_type=entry.get("type", FORM if method == "POST" else "").encode().decode("latin-1"),
        QUERY_STRING=query.encode().decode("latin-1"),
        **headers,
    )


def what_is_wrong(response: HttpResponse, answers: list[int]) -> str:
    wrong = [] if response.status_code in answers else [f"answered {response.status_code} instead of {answers}"]
    wrong += [
        f"{name} is {response.get(name)!r}"
        for name, value in SAID_BY_ALL.items()
        if value not in (response.get(name) or "") and not (name == "Cache-Control" and "no-store" in response[name])
    ]
    if response.status_code == 405 and (not response.get("Allow") or "<h1>" not in response.content.decode()):
        wrong.append("an answer of 405 without what is allowed, or without a page")
    return "; ".join(wrong)


def test_every_request_has_its_answer_and_no_answer_lacks_a_header(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = []
    for entry in CORPUS["requests"]:
        caplog.clear()
        began = time.thread_time()
        with undone():
            response = send(world, entry)
            page = response.getvalue().decode()
        took = time.thread_time() - began
        found = what_is_wrong(response, entry["answers"])
        found += f" took {took:.1f} s" if took > 1 else ""
        found += " shows what it must not" if entry.get("never", "\0") in page else ""
        found += "".join(f" logs {line!a}" for line in caplog.messages if not line.isprintable())
        wrong += [f"{entry}: {found}"] if found else []
    assert len(CORPUS["requests"]) > 150
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("status", [405, 413, 415])
def test_a_refused_request_has_a_page_in_the_readers_language(world: World, status: int) -> None:
    entry = next(entry for entry in CORPUS["requests"] if entry["answers"] == [status])

    response = send(world, entry | {"headers": {"Accept-Language": LANGUAGE, "Cookie": "x=y"}})

    if status != 405:
        assert f'<html lang="{LANGUAGE}"' in response.content.decode()
    assert f'<p class="error-code">{status}</p>' in send(world, entry).content.decode()


def test_nothing_leads_away_from_this_site(world: World) -> None:
    wrong = []
    for path in CORPUS["elsewhere"]:
        signed_in = Client(raise_request_exception=False)
        answers = [
            post(world.client, "/theme/", theme="dark", next=path),
            post(world.client, "/language/", language="fr", next=path),
            post(signed_in, "/accounts/sign-in/", login="boss.one", password=PASSWORD, next=path),
        ]
        for answer in answers:
            assert answer.status_code == 302
            # As a browser reads it: backslashes are slashes, tabs and line ends are nothing.
            told = re.sub(r"[\t\r\n]", "", answer.headers["Location"]).replace("\\", "/")
            if urlsplit(urljoin("http://testserver/", told.strip())).netloc != "testserver" or "x=y" in str(
                answer.cookies
            ):
                wrong.append(f"{path!a} leads to {told}")
        shown = Client().get("/accounts/sign-in/", {"next": path}).content.decode()
        if 'href="javascript:' in shown or f'href="{path}"' in shown:
            wrong.append(f"{path!a} is a link")
    assert len(CORPUS["elsewhere"]) >= 30
    assert not wrong, "\n".join(wrong)


def test_a_letter_leads_here_whatever_host_was_asked(world: World) -> None:
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
        "Forwarded": "host=evil.example",
    }
    world.client.post(world.url("members/@new.one/address/"), {"email": "next@people.example"}, headers=headers)

    assert Letter.objects.filter(email="next@people.example").exists()
    assert settings.BASE_URL not in ("", "http://evil.example")


# Forms from elsewhere


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"csrfmiddlewaretoken": ""},
        {"csrfmiddlewaretoken": "x"},
        {"csrfmiddlewaretoken": "x" * 32},
        {"csrfmiddlewaretoken": "x" * 64},
        {"csrfmiddlewaretoken": "\0" * 64},
        {"csrfmiddlewaretoken": "é" * 64},
        {"csrfmiddlewaretoken": "of somebody else"},
    ],
)
def test_a_form_without_its_own_token_is_refused(world: World, forged: dict[str, str]) -> None:
    client, other = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    for one in (client, other):
        one.force_login(world.admin.user)
        one.get("/me/settings/")
    if forged.get("csrfmiddlewaretoken") == "of somebody else":
        page = other.get("/me/settings/").content.decode()
        forged = {"csrfmiddlewaretoken": re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]}

    response = post(client, "/me/settings/", first_name="Forged", **forged)

    assert response.status_code == 403
    assert not what_is_wrong(response, [403])
    assert not User.objects.filter(first_name="Forged").exists()


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://testserver.evil.example", "https://testserver", "testserver", "é"],
)
def test_a_form_from_another_origin_is_refused(world: World, origin: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.admin.user)
    page = client.get("/me/settings/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    data = {"csrfmiddlewaretoken": token, "first_name": "Forged", "last_name": "", "language": ""}

    refused = client.post("/me/settings/", data, headers={"origin": origin.encode().decode("latin-1")})

    assert refused.status_code == 403
    assert not User.objects.filter(first_name="Forged").exists()
    assert client.post("/me/settings/", data, headers={"origin": "http://testserver"}).status_code == 302


# Sessions


def test_a_session_is_of_one_person_and_a_hundred_cookies_are_no_other(world: World) -> None:
    mine = world.client.cookies[settings.SESSION_COOKIE_NAME].value
    crowd = "; ".join(f"cookie{number}={'x' * 50}" for number in range(100))

    def answered(cookies: str) -> int:
        return Client(raise_request_exception=False).get("/me/", headers={"cookie": cookies}).status_code

    assert answered(f"{settings.SESSION_COOKIE_NAME}={mine}") == 200
    assert answered(f"{crowd}; {settings.SESSION_COOKIE_NAME}={mine}") == 200
    assert answered(f"{settings.SESSION_COOKIE_NAME}={mine[:-1]}") == 302
    assert answered(f"{settings.SESSION_COOKIE_NAME}={mine.upper()}") == 302
    assert answered(f"{settings.SESSION_COOKIE_NAME}={'x' * 16_000}") == 302
    assert Session.objects.filter(session_key=mine).exists()


def test_one_person_never_gets_a_copy_of_anothers_page(world: World) -> None:
    other = MemberFactory(organization=world.organization, admin=True)
    first = world.client.get(world.url("members/"))
    stranger = Client()
    stranger.force_login(other.user)

    second = stranger.get(world.url("members/"), headers={"if-none-match": first.get("ETag", '"x"')})

    assert second.status_code == 200
    assert "ETag" not in first.headers
    assert "no-store" in first.headers["Cache-Control"]
    assert "Cookie" in first.headers["Vary"]


# Sizes


def test_a_body_that_says_it_is_too_large_is_refused_unread(world: World) -> None:
    for url, kind, size in (
        ("/me/settings/", FORM, settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1),
        (world.url("members/add/"), "multipart/form-data; boundary=b", LARGEST_UPLOAD + 1),
        (world.url("members/add/"), "multipart/form-data; boundary=b", 10_000_000_000),
        ("/nowhere/", FORM, 10_000_000_000),
    ):
        answer = world.client.generic("POST", url, b"x", content_type=kind, CONTENT_LENGTH=str(size))
        assert not what_is_wrong(answer, [413]), url


def test_more_addresses_than_the_box_takes_are_refused_and_nothing_is_made(world: World) -> None:
    for separator in ("\n", ",", " "):
        text = separator.join(f"p{number}@people.example" for number in range(MOST_PASTED + 1))
        answer = post(world.client, world.url("members/add/"), addresses=text, key=str(uuid4()))
        assert answer.status_code == 422
        [error] = answer.context["form"].errors.as_data()["addresses"]
        assert error.code == "too_many_addresses"
    ten_thousand = "\n".join(f"p{number}@people.example" for number in range(10_000))
    assert post(world.client, world.url("members/add/personal/"), people=ten_thousand[:99_000], key=str(uuid4()))
    assert Batch.objects.count() == 1
    assert Member.objects.count() == 2
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    "nonsense",
    ["<", ">", "<>", "a<", "<a>", "a>b<", '"a" <', "(", '"', ",", "<\r", "\u2028", "\u2029x", "\x0b@", "“", "=?"],
)
def test_a_box_full_of_nonsense_costs_no_more_than_one_that_is_too_long(world: World, nonsense: str) -> None:
    answer = post(world.client, world.url("members/add/"), addresses=nonsense * 200_000, key=str(uuid4()))

    # Either it is too much, or it is one entry that is no address.
    assert answer.status_code == 422 or Batch.objects.latest("pk").total == 1
    assert not what_is_wrong(answer, [302, 422])


def test_as_many_people_as_the_box_takes_may_be_written_as_mail_programs_write_them(world: World) -> None:
    people = "".join(f'"Berg, Anna" <p{number}@people.example>;\r\n' for number in range(MOST_PASTED))
    url = world.url("members/add/")

    answer = world.client.post(url, {"addresses": people, "key": str(uuid4())})

    assert answer.status_code == 302
    assert Batch.objects.latest("pk").total == MOST_PASTED


def test_only_those_of_the_same_company_are_told_who_is_known_there(world: World) -> None:
    elsewhere = MemberFactory(organization__slug="elsewhere")

    def said(address: str) -> str:
        response = post(world.client, world.url("members/add/"), addresses=address, key=str(uuid4()))
        row = Batch.objects.latest("pk").rows.get()
        assert response.status_code == 302
        codes = [entry["code"] for entry in [*row.problems, *row.notes] if not entry.get("field")]
        return codes[0] if codes else ""

    assert said(world.admin.email) == said(world.admin.email.upper()) == "already_member"
    assert said(world.invited.email) == "already_member"
    assert said(elsewhere.email) == said("unknown@people.example") == ""
