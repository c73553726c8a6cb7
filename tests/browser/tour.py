"""Looks at the sights in one browser for each language, as whoever each of them is for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, Page, Response, Route

from tests.browser.conftest import session_cookie
from tests.browser.people import NAMES
from tests.browser.sight import Sight
from tests.browser.sights import in_language
from tests.browser.site import Site
from tests.browser.watch import Watch
from tests.browser.world import World

LOCALES = {"en": "en-GB", "fr": "fr-FR", "sv": "sv-SE"}


@dataclass
class Tour:
    """``open`` shows a sight; ``watch`` tells what was wrong on the way."""

    site: Site
    world: World
    watch: Watch
    pages: dict[str, Page]
    sessions: dict[tuple[str, str], dict[str, Any]]
    followed: set[tuple[str, str]] = field(default_factory=set)

    def open(self, sight: Sight, language: str) -> tuple[Page, str]:
        """Go to a sight, as whoever it is for, and give its page and its HTML as it was sent."""
        page = self.pages[language]
        self.become(sight.who, language)
        if sight.make is not None:
            html = in_language(sight.make, language)
            page.route("**/made/", lambda route: _answer(route, html))
            page.goto("/made/")
            page.unroute("**/made/")
            return page, html
        documents: list[Response] = []
        page.on("response", hear := lambda answer: _keep_document(answer, documents))
        page.goto(sight.address(self.world, language))
        if sight.act is not None:
            sight.act(page)
            page.wait_for_load_state()
        page.remove_listener("response", hear)
        assert documents[-1].status == sight.status, f"{sight} in {language} came with {documents[-1].status}"
        return page, documents[-1].text()

    def read(self, sight: Sight, language: str) -> str:
        """The HTML of a sight that needs no browser to look at it."""
        self.become(sight.who, language)
        answer = self.pages[language].request.get(sight.address(self.world, language))
        assert answer.status == sight.status, f"{sight} in {language} came with {answer.status}"
        return answer.text()

    def become(self, who: str, language: str) -> None:
        """From now on the browser of this language is that of ``who``."""
        context = self.pages[language].context
        context.clear_cookies()
        if who == "visitor":
            context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": self.site.url}])
        else:
            context.add_cookies([self.sessions[who, language]])


def _keep_document(answer: Response, documents: list[Response]) -> None:
    if answer.request.is_navigation_request():
        documents.append(answer)


def _answer(route: Route, html: str) -> None:
    route.fulfill(status=200, content_type="text/html; charset=utf-8", body=html)


@contextmanager
def touring(browser: Browser, site: Site, world: World) -> Iterator[Tour]:
    """A tour with a browser context for each language, closed afterwards."""
    watch = Watch(site)
    contexts = {
        language: browser.new_context(base_url=site.url, locale=LOCALES[language], reduced_motion="reduce")
        for language in NAMES
    }
    pages = {language: watch.over(context).new_page() for language, context in contexts.items()}
    sessions = {key: session_cookie(user, site) for key, user in world.people.items()}
    try:
        yield Tour(site, world, watch, pages, sessions)
    finally:
        for context in contexts.values():
            context.close()
