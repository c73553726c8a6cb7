"""What no page of ours ever does, whatever a test is about."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Request, Response, WebError

from tests.browser.site import Site

# Chromium writes a line for each answer from 400 on; which answers are wrong, `_answered` decides.
ANSWER = "Failed to load resource: the server responded with a status of "


class Watch:
    """Collects what is wrong with the pages of some browser contexts: a test with an entry in ``troubles`` fails."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.troubles: list[str] = []

    def over(self, context: BrowserContext) -> BrowserContext:
        """Watch a context from now on, and give it back."""
        context.on("console", self._said)
        context.on("weberror", self._raised)
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        return context

    def forget(self) -> list[str]:
        """What was wrong so far; from here on a new count begins."""
        troubles, self.troubles = self.troubles, []
        return troubles

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(ANSWER):
            self.troubles.append(f"console: {message.text}")

    def _raised(self, error: WebError) -> None:
        self.troubles.append(f"script: {error.error}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site.url}/", "data:", "blob:")):
            self.troubles.append(f"another host: {request.url}")

    def _failed(self, request: Request) -> None:
        # What was on its way when somebody went elsewhere, and what became a download, is no fault.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        try:
            is_page = response.request.is_navigation_request() or "hx-request" in response.request.headers
        except Error:  # the page is gone already
            is_page = True
        if response.status >= 500:
            self.troubles.append(f"answer: {response.status} {response.url}\n{self.site.log()[-3_000:]}")
        elif response.status >= 400 and not is_page:
            self.troubles.append(f"answer: {response.status} {response.url}")
