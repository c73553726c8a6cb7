"""Pages for what went wrong, and what every answer says about itself; all of it without a database."""

import logging
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from skypemgr.views import errors, preferences

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def closed(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.GET.get("q", "hello"))


def kept(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello", headers={"Cache-Control": "max-age=60"})


urlpatterns = [
    path("broken/", broken),
    path("closed/", closed),
    path("hello/", hello),
    path("kept/", kept),
    path("theme/", preferences.set_theme, name="set_theme"),
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/nowhere/", 404, "Nothing is plugged in here"),
        ("/closed/", 403, "This page is for other roles"),
        ("/broken/", 500, "Something broke on our side"),
        ("/hello/?q=%00", 400, "We could not read that"),
    ],
)
def test_each_failure_has_its_page(visitor: Client, address: str, status: int, heading: str) -> None:
    response = visitor.get(address)

    assert response.status_code == status
    assert f"<h1>{heading}</h1>" in response.text


@pytest.mark.parametrize(
    "address",
    ["/hello/?q=%00", "/hello/?q=a%00b", "/%00/", "/hello/?q=%ff%fe", "/hello/?%00=1", "/hello/?q=%ED%A0%80"],
)
def test_an_address_the_database_could_not_store_is_refused(visitor: Client, address: str) -> None:
    assert visitor.get(address).status_code == 400


@pytest.mark.parametrize("query", ["q=%C3%85kesson", "q=%E6%9D%8E", "q=%F0%9F%93%9E", "q=100%", "q=%zz", "q=%2500"])
def test_an_address_in_any_script_is_read(visitor: Client, query: str) -> None:
    assert visitor.get(f"/hello/?{query}").status_code == 200


@pytest.mark.parametrize("address", ["/%E6%9D%8E/", "/%ff/", "/%ED%A0%80/", "/~/%zz/"])
def test_an_unknown_path_in_any_script_is_only_not_found(visitor: Client, address: str) -> None:
    assert visitor.get(address).status_code == 404


def test_an_unreadable_address_is_refused_in_the_language_of_the_browser(visitor: Client) -> None:
    response = visitor.get("/hello/?q=%00", headers={"accept-language": "sv"})

    assert '<html lang="sv">' in response.text


def test_the_reference_on_the_page_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().get("/credit/", headers={"cookie": "session=of-somebody; theme=dark"})

    with caplog.at_level(logging.ERROR):
        page = errors.server_error(request).content.decode()

    reference = re.search(r'<span class="code">([0-9A-Z]{4}-[0-9A-Z]{4})</span>', page)
    assert reference is not None
    assert f"A fault was shown with the reference {reference[1]}." in caplog.messages
    assert 'data-theme="dark"' in page


def test_a_form_sent_from_elsewhere_is_refused_in_words() -> None:
    response = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})

    assert response.status_code == 403
    assert "<h1>This form is out of date</h1>" in response.text
    assert "theme" not in response.cookies


@pytest.mark.parametrize("address", ["/hello/", "/nowhere/", "/closed/", "/broken/", "/hello/?q=%00"])
def test_no_answer_may_be_kept_or_embedded(visitor: Client, address: str) -> None:
    headers = visitor.get(address).headers

    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_view_may_say_how_long_its_answer_keeps(visitor: Client) -> None:
    assert visitor.get("/kept/").headers["Cache-Control"] == "max-age=60"


def test_the_theme_is_remembered_by_the_browser_and_the_page_comes_back(visitor: Client) -> None:
    response = visitor.post("/theme/", {"theme": "dark", "next": "/architectes/members/?q=a"})

    assert response.status_code == 302
    assert response.headers["Location"] == "/architectes/members/?q=a"
    assert response.cookies["theme"].value == "dark"
    assert response.cookies["theme"]["httponly"]


def test_following_the_system_forgets_the_theme(visitor: Client) -> None:
    visitor.cookies["theme"] = "dark"

    response = visitor.post("/theme/", {"theme": ""})

    assert response.cookies["theme"].value == ""


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""])
def test_nobody_is_led_to_another_host(visitor: Client, elsewhere: str) -> None:
    assert visitor.post("/theme/", {"theme": "dark", "next": elsewhere}).headers["Location"] == "/"


def test_a_theme_is_not_chosen_by_a_link(visitor: Client) -> None:
    assert visitor.get("/theme/?theme=dark").status_code == 405
