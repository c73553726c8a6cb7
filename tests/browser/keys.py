"""Somebody who has a keyboard and a small window, and nothing else."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Locator, Page, expect

# More stops than any page has.
MOST_STOPS = 250
# Where the focus is: whether one sees that it is there, the control itself (or the label that stands for it) lies under
# nothing else, and it is within the window from side to side.
SEEN = """element => {
  const label = element.closest("label, .choice")
  const shown = [element, label].filter(Boolean)
  const ring = shown.some((one) => {
    const style = getComputedStyle(one)
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
  })
  const uncovered = shown.some((one) => {
    // A link can go over two lines.
    const {left, top, width, height} = one.getClientRects()[0]
    const at = document.elementFromPoint(left + Math.min(width / 2, 8), top + Math.min(height / 2, 8))
    return left >= 0 && left + width <= innerWidth + 1 && (one.contains(at) || at?.contains(one))
  })
  return ring && uncovered ? "" : `${ring ? "covered or outside" : "no ring"}: ${element.outerHTML.slice(0, 150)}`
}"""

# Ends once the focus has been at one place for two pictures.
SETTLED = """async () => {
  const picture = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  const place = () => JSON.stringify(document.activeElement.getBoundingClientRect())
  for (let before = ""; before !== place(); await picture()) before = place()
}"""


@dataclass(frozen=True)
class Keys:
    """Goes through a page by the tab key, types and presses; every stop on the way has to be seen."""

    page: Page

    def see(self, heading: str) -> None:
        """A page with this heading, none of it beyond the edge of the window."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        self.page.wait_for_load_state()
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), self.page.url

    def reach(self, target: Locator) -> Locator:
        """Go on by the tab key until ``target`` has the focus."""
        expect(target).to_be_visible()
        passed = []
        for _stop in range(MOST_STOPS):
            if target.evaluate("element => element === document.activeElement"):
                return target
            self.page.keyboard.press("Tab")
            focused = self.page.locator(":focus")
            if focused.count():
                passed.append(focused.evaluate("element => element.outerHTML.slice(0, 80)"))
                # It may still be scrolling.
                self.page.evaluate(SETTLED)
                trouble = focused.evaluate(SEEN)
                assert not trouble, f"{self.page.url}: {trouble}"
        raise AssertionError(f"{self.page.url}: the tab key never comes to {target}, only to {passed}")

    def press(self, name: str, *, role: Literal["button", "link"] = "button", within: Locator | None = None) -> None:
        """Press a button, or follow a link, by its name; the first of them."""
        place: Page | Locator = within or self.page
        self.reach(place.get_by_role(role, name=name, exact=True).first)
        self.page.keyboard.press("Enter")

    def follow(self, name: str, *, within: Locator | None = None) -> None:
        """Follow a link of the page, not of its navigation."""
        self.press(name, role="link", within=within or self.page.get_by_role("main"))

    def fill(self, label: str, text: str) -> None:
        """Replace what a field holds."""
        self.reach(self.page.get_by_role("main").get_by_label(label, exact=True).first)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def tick(self, name: str) -> None:
        """Tick a box."""
        box = self.reach(self.page.get_by_role("checkbox", name=name).first)
        self.page.keyboard.press("Space")
        expect(box).to_be_checked()

    def choose(self, label: str, option: str) -> None:
        """Choose from a list by typing what the choice begins with."""
        field = self.reach(self.page.get_by_role("main").get_by_label(label, exact=True).first)
        self.page.keyboard.type(option)
        expect(field.locator("option:checked")).to_have_text(option)
