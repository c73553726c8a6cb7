"""What scripts add where they run: lists that follow the typing, progress that moves, toasts that can be closed."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from members.access import Actor
from members.importing import Draft
from members.models import Batch, Member
from members.services.import_work import advance, create_chunk
from members.services.imports import start_batch, start_import_of_people
from tests.browser.conftest import NewContext, SignIn
from tests.browser.people import company_of
from tests.factories import DepartmentFactory


@pytest.fixture
def admin(db: None) -> Member:
    _organization, admin = company_of(60)
    return admin


@pytest.fixture
def desk(new_context: NewContext, sign_in: SignIn, admin: Member) -> Page:
    page = sign_in(new_context(), admin.user).new_page()
    page.goto("/architectes/members/")
    return page


def names(page: Page) -> list[str]:
    return page.locator("tbody th a").all_inner_texts()


def test_the_list_follows_the_typing_and_the_focus_stays(desk: Page) -> None:
    search = desk.get_by_label("Name, Skype Name or e-mail", exact=True)
    search.press_sequentially("person 02")

    expect(desk.locator("tbody th a")).to_have_count(10)
    expect(search).to_be_focused()
    expect(search).to_have_value("person 02")
    expect(desk.locator("#list-status")).to_have_text("10 of 10 members, by name")
    expect(desk.get_by_role("navigation", name="Members by state").get_by_role("link").first).to_have_text(
        "Everyone 10"
    )
    expect(desk).to_have_url(re.compile(r"q=person\+02"))

    desk.reload()
    assert len(names(desk)) == 10


def test_a_department_that_is_chosen_offers_those_under_it_and_keeps_the_focus(desk: Page, admin: Member) -> None:
    for top in range(3):
        parent = DepartmentFactory(organization=admin.organization, name=f"Top {top}")
        for number in range(40):
            DepartmentFactory(organization=admin.organization, parent=parent, name=f"Below {top}.{number}")
    desk.reload()
    chosen = desk.get_by_label("Department", exact=True)
    expect(chosen.locator("option")).to_have_text(
        ["Every department", "Studio Lyon", "Top 0 …", "Top 1 …", "Top 2 …", "In no department"]
    )

    chosen.focus()
    chosen.select_option(label="Top 1 …")

    expect(chosen.locator("option")).to_have_count(46)
    expect(chosen.locator("option:checked")).to_have_text("Top 1")
    expect(chosen).to_be_focused()
    chosen.select_option(label="\u2003Below 1.7")
    expect(desk.get_by_role("heading", name="Nobody matches")).to_be_visible()


def test_going_back_shows_the_list_as_it_was(desk: Page) -> None:
    desk.get_by_label("Name, Skype Name or e-mail", exact=True).press_sequentially("boss")
    expect(desk.locator("tbody th a")).to_have_count(1)
    desk.get_by_role("link", name="Ada Boss", exact=True).click()
    expect(desk.get_by_role("heading", name="Ada Boss")).to_be_visible()

    desk.go_back()

    expect(desk.locator("tbody th a")).to_have_count(1)
    expect(desk.get_by_label("Name, Skype Name or e-mail", exact=True)).to_have_value("boss")


def test_rows_that_came_by_a_filter_can_be_ticked_all_at_once(desk: Page) -> None:
    desk.get_by_label("Name, Skype Name or e-mail", exact=True).press_sequentially("person 05")
    expect(desk.locator("tbody th a")).to_have_count(10)
    expect(desk.locator("tbody td:last-child summary")).to_have_count(10)
    expect(desk.locator("tbody th a").first).to_have_css("unicode-bidi", "plaintext")

    desk.get_by_role("checkbox", name="Select all on this page").check()
    desk.get_by_role("button", name="Move to department").click()

    expect(desk.get_by_role("heading", name="10 people")).to_be_visible()


def test_an_import_shows_its_progress_and_its_end_by_itself(desk: Page, admin: Member) -> None:
    facts = {"actor": Actor.of_member(admin), "organization": admin.organization}
    people = [Draft(number=number, email=f"new{number}@people.example") for number in range(1, 521)]
    batch = start_batch(**facts, batch=start_import_of_people(**facts, people=people, key=uuid4()))
    desk.goto(f"/architectes/members/imports/{batch.pk}/")
    expect(desk.get_by_role("progressbar", name="Accounts created")).to_have_attribute("value", "0")

    create_chunk(batch=batch, size=500)
    expect(desk.get_by_text("500 of 520 accounts")).to_be_visible()
    advance(Batch.objects.get(pk=batch.pk))

    expect(desk.get_by_role("heading", name="520 accounts created")).to_be_visible()


def test_what_was_done_is_told_and_can_be_closed(desk: Page) -> None:
    desk.goto("/architectes/settings/")
    desk.get_by_role("button", name="Save settings").click()
    told = desk.locator(".toast")
    expect(told).to_be_visible()

    told.get_by_role("button", name="Close").click()

    expect(told).to_have_count(0)


def test_a_text_is_copied_and_says_so(desk: Page) -> None:
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.goto("/styleguide/")
    copy = desk.get_by_role("button", name="Copy")

    copy.click()

    expect(copy.get_by_role("status")).to_have_text("Copied")
    assert desk.evaluate("navigator.clipboard.readText()").startswith("https://")
