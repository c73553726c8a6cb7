"""Everything can be done without a mouse, and one always sees where one is."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewContext, SignIn
from tests.browser.people import company_of

FOCUSED = "() => document.activeElement.outerHTML.slice(0, 200)"
# How far down in the document the focus is, and whether the ring can be seen; nothing when it is on no control.
WHERE = """() => {
  const focused = document.activeElement
  if (focused === document.body) return null
  const all = [...document.querySelectorAll("*")]
  const {outlineStyle, outlineWidth} = getComputedStyle(focused)
  const ring = [focused, focused.closest(".choice")].some((element) => {
    const style = element && getComputedStyle(element)
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
  })
  // The parts of a date have rings of the browser's own.
  return {
    place: all.indexOf(focused),
    ring: ring || focused.type === "date",
    visible: focused.checkVisibility(),
    html: focused.outerHTML.slice(0, 150),
  }
}"""


@pytest.fixture
def desk(new_context: NewContext, sign_in: SignIn) -> Page:
    """The members list, as an administrator sees it at a desk."""
    _organization, admin = company_of(3)
    page = sign_in(new_context(), admin.user).new_page()
    page.goto("/architectes/members/")
    return page


def walk(page: Page) -> list[dict[str, object]]:
    """Every stop of the tab key from the start of the page to its end."""
    stops: list[dict[str, object]] = []
    for _step in range(200):
        page.keyboard.press("Tab")
        stop = page.evaluate(WHERE)
        if stop is None or (stops and stop["place"] <= stops[0]["place"]):
            return stops
        stops.append(stop)
    raise AssertionError("the tab key never comes to the end")


@pytest.mark.parametrize("path", ["/accounts/sign-in/", "/architectes/members/", "/me/"])
def test_the_first_stop_leads_past_the_navigation(desk: Page, path: str) -> None:
    if "sign-in" in path:
        desk.context.clear_cookies()
    desk.goto(path)

    desk.keyboard.press("Tab")
    expect(desk.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(desk.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    desk.keyboard.press("Enter")

    expect(desk.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize(
    "path", ["/architectes/", "/architectes/members/", "/architectes/members/add/", "/architectes/audit/", "/setup/"]
)
def test_the_tab_key_goes_through_a_page_from_top_to_bottom_and_is_always_seen(desk: Page, path: str) -> None:
    desk.goto(path)

    stops = walk(desk)

    assert len(stops) > 5
    assert [stop["place"] for stop in stops] == sorted(stop["place"] for stop in stops)
    assert [stop["html"] for stop in stops if not (stop["ring"] and stop["visible"])] == []


@pytest.mark.parametrize("name", ["Organization: Architectes", "Your account: Ada Boss", "Language: English"])
def test_a_menu_opens_by_enter_and_closes_by_escape(desk: Page, name: str) -> None:
    button = desk.get_by_label(name)
    panel = button.locator("xpath=..").locator(".menu-panel")
    button.focus()

    desk.keyboard.press("Enter")
    expect(panel).to_be_visible()
    desk.keyboard.press("Tab")
    expect(panel.locator("a, button").first).to_be_focused()
    desk.keyboard.press("Escape")

    expect(panel).to_be_hidden()
    expect(button).to_be_focused()


def test_the_menu_of_a_row_opens_by_enter_and_closes_by_escape(desk: Page) -> None:
    button = desk.get_by_role("row").filter(has_text="Person 001").locator("summary")
    expect(button).to_have_accessible_name("Actions Person 001")
    button.focus()

    desk.keyboard.press("Enter")
    desk.keyboard.press("Tab")
    expect(button.locator("xpath=..").get_by_role("link", name="Profile")).to_be_focused()
    desk.keyboard.press("Escape")
    expect(button).to_be_focused()
    desk.keyboard.press("Enter")
    button.locator("xpath=..").get_by_role("link", name="Block sign-in").press("Enter")

    expect(desk.get_by_role("heading", name="Person 001").first).to_be_visible()
    assert desk.url.endswith("/block/")


def test_a_menu_closes_when_the_focus_goes_elsewhere(desk: Page) -> None:
    button = desk.get_by_label("Organization: Architectes")
    button.press("Enter")

    desk.get_by_role("searchbox", name="Search members by name, Skype Name or e-mail").focus()

    expect(desk.get_by_text("Your organizations")).to_be_hidden()


def test_rows_are_ticked_and_acted_on(desk: Page) -> None:
    actions = desk.get_by_role("region", name="Act on the selected members")
    expect(actions).to_be_hidden()

    desk.get_by_role("checkbox", name="Person 001").focus()
    desk.keyboard.press("Space")
    desk.get_by_role("checkbox", name="Person 003").focus()
    desk.keyboard.press("Space")
    expect(actions).to_be_visible()
    press_until(desk, desk.get_by_role("button", name="Move to department"))
    desk.keyboard.press("Enter")

    expect(desk.get_by_role("heading", name="2 people")).to_be_visible()
    expect(desk.get_by_role("main")).to_contain_text("Person 001, Person 003")


def test_all_rows_are_ticked_at_once_and_let_go_of(desk: Page) -> None:
    rows = desk.get_by_role("row").get_by_role("checkbox", name="Select")
    every = desk.get_by_role("checkbox", name="Select all on this page")

    every.press("Space")
    for row in rows.all():
        expect(row).to_be_checked()
    desk.get_by_role("checkbox", name="Person 002").press("Space")
    expect(every).not_to_be_checked()
    desk.get_by_role("button", name="Clear").press("Enter")

    for row in rows.all():
        expect(row).not_to_be_checked()
    expect(desk.get_by_role("region", name="Act on the selected members")).to_be_hidden()


def test_after_a_refusal_the_focus_is_on_what_is_wrong_and_leads_to_the_field(desk: Page) -> None:
    desk.context.clear_cookies()
    desk.goto("/accounts/sign-in/")
    desk.get_by_label("Skype Name or e-mail").fill("nobody.here")
    desk.get_by_label("Password").fill("four wrong words here")
    desk.keyboard.press("Enter")

    summary = desk.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("The Skype Name or the password is not right.")
    desk.keyboard.press("Tab")
    expect(summary.get_by_role("link")).to_be_focused()
    desk.keyboard.press("Enter")

    expect(desk.get_by_label("Skype Name or e-mail")).to_be_focused()


def test_a_dialog_takes_the_focus_and_gives_it_back(desk: Page) -> None:
    desk.goto("/styleguide/")
    link = desk.get_by_role("link", name="Give back 3 numbers")
    dialog = desk.locator("#sample-dialog")

    link.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Keep them")).to_be_focused()
    desk.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()


def test_on_a_phone_more_sections_open_and_close(desk: Page) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    more = desk.get_by_role("button", name="More", exact=True)
    drawer = desk.get_by_role("navigation", name="More sections")

    more.press("Enter")
    expect(drawer).to_be_visible()
    press_until(desk, drawer.get_by_role("link", name="Departments"))
    desk.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(more).to_be_focused()


def press_until(page: Page, target: Locator) -> None:
    """Press the tab key until ``target`` has the focus."""
    for _step in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the tab key never comes to {target}; it is at {page.evaluate(FOCUSED)}")
