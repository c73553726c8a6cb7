"""What every answer says about itself, for every URL and every kind of answer (G20)."""

from collections.abc import Iterator

import pytest
from django.conf import settings as active
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string
from pytest_django import Settings

from skypemgr.web_worker import refusal_headers
from tests.factories import MemberFactory, OrganizationFactory

SAMPLES = {
    "slug:org_slug": "company",
    "str:token": "token",
    "str:uid": "MQ",
    "str:skype_name": "someone",
    "str:name": "name",
    "int:pk": "1",
    "int:number": "1",
    "uuid:pk": "0b5f4c0e-6d0c-4b9e-9c39-0d2f6a2f5f6e",
}
"""A value for each kind of parameter; a kind that is new must be added, or its URLs would not be asked."""


def addresses(patterns: list, before: str = "/") -> Iterator[str]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path


def filled(path: str) -> str:
    for kind, value in SAMPLES.items():
        path = path.replace(f"<{kind}>", value)
    return path.replace("<int:", "<").split("<")[0] if "<" in path else path


ALL = sorted({filled(path) for path in addresses(get_resolver().url_patterns)})


def assert_is_guarded(response: HttpResponse) -> None:
    """Every header of G20, as browsers read them."""
    headers = response.headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "*" not in headers["Content-Security-Policy"]
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert len(headers["X-Request-ID"]) >= 8
    age, _, rest = headers["Strict-Transport-Security"].partition(";")
    assert int(age.removeprefix("max-age=")) >= 31_536_000
    assert "includeSubDomains" in rest


@pytest.fixture
def https(settings: Settings) -> Settings:
    """As in production."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    return settings


@pytest.fixture
def browser(https: Settings) -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize("person", ["visitor", "administrator"])
def test_every_url_gives_every_header_whatever_it_answers(browser: Client, person: str) -> None:
    organization = OrganizationFactory(slug="company")
    member = MemberFactory(admin=True, organization=organization)
    if person == "administrator":
        browser.force_login(member.user)
    kinds = set()

    for address in ALL:
        for method in ("GET", "POST"):
            response = browser.generic(method, address, secure=True)
            assert_is_guarded(response)
            kinds.add(response.status_code)
            if person == "administrator" and not address.startswith("/static/"):
                assert "no-store" in response.headers["Cache-Control"], address

    assert len(ALL) > 50
    assert kinds >= {200, 302, 404, 405}


def answer_with(status: int) -> HttpResponse:
    return HttpResponse("x", status=status)


def middlewares_around(view, request: HttpRequest) -> HttpResponse:
    """The answer of a view as the outermost three middlewares pass it on."""
    answer = view
    for name in reversed(active.MIDDLEWARE[:4]):
        answer = import_string(name)(answer)
    return answer(request)


@pytest.mark.parametrize(
    "status", [200, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503]
)
def test_every_kind_of_answer_has_every_header(https: Settings, status: int) -> None:
    request = RequestFactory().get("/", secure=True)

    assert_is_guarded(middlewares_around(lambda request: answer_with(status), request))


def test_what_redirects_to_https_is_guarded_too(https: Settings) -> None:
    response = Client().get("/accounts/sign-in/")

    assert isinstance(response, HttpResponsePermanentRedirect)
    assert response.headers["Location"].startswith("https://")
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_host_that_is_not_ours_gets_every_header(browser: Client) -> None:
    response = browser.get("/", secure=True, headers={"host": "elsewhere.example"})

    assert response.status_code == 400
    assert_is_guarded(response)


def test_a_form_from_elsewhere_gets_every_header(https: Settings) -> None:
    response = Client(enforce_csrf_checks=True).post("/theme/", {}, secure=True)

    assert response.status_code == 403
    assert_is_guarded(response)


@pytest.mark.parametrize("address", ["/healthz", "/.well-known/security.txt", "/metrics", "/nowhere", "/%00"])
def test_addresses_outside_of_pages_get_every_header(browser: Client, address: str) -> None:
    assert_is_guarded(browser.get(address, secure=True))


@pytest.mark.django_db  # closing the answer looks after the connection
def test_static_files_may_be_kept_but_are_guarded(browser: Client) -> None:
    response = browser.get("/static/img/icons.svg", secure=True)

    assert response.status_code == 200
    assert b"<svg" in b"".join(response)
    assert_is_guarded(response)
    response.close()


def test_no_page_names_what_runs_it(browser: Client) -> None:
    headers = browser.get("/healthz", secure=True).headers

    assert "Server" not in headers
    assert "X-Powered-By" not in headers


def test_the_refusals_of_the_server_itself_insist_on_https_where_there_is_https(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 0
    assert "Strict-Transport-Security" not in refusal_headers(1)
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert refusal_headers(1)["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
