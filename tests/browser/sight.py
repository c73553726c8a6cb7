"""What a page is looked at as: by whom, where, and in which state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Page

from tests.browser.world import World

type Args = Callable[[World, str], Sequence[Any]]
type Act = Callable[[Page], None]
type Make = Callable[[], HttpResponse]

OF_COMPANY = ("members:", "reports:", "credit:", "telephony:", "emergency:", "porting:")


@dataclass(frozen=True)
class Sight:
    """A page as ``who`` sees it (a visitor, or somebody of ``World.people``), and the status it comes with.

    ``state`` tells several of one URL apart. ``act`` is what is done on the page before it is looked at. Pages that
    only a fault or another installation would show are ``make``'s answer instead.
    """

    name: str
    who: str = "administrator"
    state: str = ""
    args: Args = lambda world, language: []
    query: str = ""
    act: Act | None = None
    make: Make | None = None
    path: str = ""
    status: int = 200
    english_only: bool = False

    def __str__(self) -> str:
        words = [self.name.replace(":", "."), self.who if self.who == "founder" else "", self.state]
        return "-".join(word for word in words if word)

    def address(self, world: World, language: str) -> str:
        """Its path and query."""
        if self.path:
            return self.path
        company = world.start if self.who == "founder" else world.company
        args = [company.slug] if self.name.startswith(OF_COMPANY) else []
        return reverse(self.name, args=[*args, *self.args(world, language)]) + self.query


def named_urls() -> dict[str, URLPattern]:
    """Every URL of the product by its full name."""
    return dict(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Sequence[URLPattern | URLResolver], namespace: str) -> list[tuple[str, URLPattern]]:
    found: list[tuple[str, URLPattern]] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            found += _walk(pattern.url_patterns, inner)
        else:
            assert pattern.name, f"{pattern} has no name"
            found.append((f"{namespace}{pattern.name}", pattern))
    return found


def themselves(world: World, language: str) -> list[Any]:
    return [world.people["founder", language].skype_name]


def member(key: str) -> Args:
    return lambda world, language: [world.members[key].user.skype_name]


def send(page: Page) -> None:
    """Press the main button, whatever the browser itself would say about the fields."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("main .button-primary").first.click()
