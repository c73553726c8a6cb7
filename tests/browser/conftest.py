import os
import shutil
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils.translation.reloader import translation_file_changed
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from members.models import User
from skypemgr import translations
from tests.browser.site import (
    MailServer,
    Site,
    collect_static_files,
    running_mail_server,
    running_site,
    running_worker,
    wait_until_the_site_rests,
)
from tests.browser.watch import Watch

# Playwright's own loop runs in the thread of the tests, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# The machine may be busy with other tests; what is there at once costs no time.
expect.set_options(timeout=20_000)

type NewContext = Callable[..., BrowserContext]
type Office = tuple[MailServer, str]
type SignIn = Callable[[BrowserContext, User], BrowserContext]


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: each browser is told where its site is. The plugin's own fixture of this name is deprecated by pytest."""


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The plugin's own, with connections to the database kept apart.

    Once Playwright's loop runs in this thread Django opens others than before, and neither can close the other's.
    """
    connections.close_all()
    with sync_playwright() as running:
        yield running
        connections.close_all()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium"),
        # Without a sandbox of its own since root can't have one.
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collect_static_files(tmp_path_factory.mktemp("static"))


@pytest.fixture(scope="session", autouse=True)
def catalogs() -> None:
    """The translations as they are now, in the tests as in the site."""
    report = StringIO()
    call_command("compile_translations", stdout=report)
    if report.getvalue():
        translation_file_changed(None, Path("django.mo"))
        translations.install()


@pytest.fixture(scope="session")
def site(django_db_setup: None, static_files: Path) -> Iterator[Site]:
    """The site of a machine without a mail server: its letters are read at /outbox/."""
    with running_site(static_files) as running:
        yield running


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with running_mail_server() as office:
        yield office


@pytest.fixture(scope="module")
def posting_site(django_db_setup: None, static_files: Path, office: Office) -> Iterator[Site]:
    """A site with a mail server and a worker that talks to it, for tests whose ``site`` it is."""
    _server, address = office
    with (
        running_site(static_files, SMTP_URL=address) as site,
        running_worker(static_files, SMTP_URL=address, BASE_URL=site.url),
    ):
        yield site


@pytest.fixture
def mail(office: Office) -> MailServer:
    server, _address = office
    server.delivered.clear()
    return server


@pytest.fixture
def watch(site: Site, transactional_db: None) -> Iterator[Watch]:
    """Fails a test whose pages had script errors, broke the policy, asked other hosts or met faults."""
    watching = Watch(site)
    yield watching
    wait_until_the_site_rests()
    assert not watching.troubles, "\n".join(watching.troubles)


@pytest.fixture
def new_context(new_context: NewContext, site: Site, watch: Watch) -> NewContext:
    """Open a browser of somebody's own; 1280 pixels wide, in English, unless it is said otherwise."""

    def make(*, width: int = 1280, **extra: Any) -> BrowserContext:
        kept: dict[str, Any] = {"base_url": site.url, "locale": "en-GB", "reduced_motion": "reduce"}
        viewport = {"width": width, "height": 900 if width > 640 else 844}
        return watch.over(new_context(**{**kept, "viewport": viewport, **extra}))

    return make


@pytest.fixture
def sign_in(site: Site) -> SignIn:
    """Sign somebody in to a browser without the form."""

    def sign_in(context: BrowserContext, user: User) -> BrowserContext:
        context.add_cookies([session_cookie(user, site)])
        return context

    return sign_in


def session_cookie(user: User, site: Site) -> dict[str, Any]:
    """The cookie of a browser in which ``user`` has signed in."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": site.url}


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
