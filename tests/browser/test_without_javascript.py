"""Scripts make some things nicer; nothing needs them."""

import re

import pytest
from playwright.sync_api import Page, expect

from members.models import Invitation, Member
from members.tokens import invitation_token
from tests.browser.conftest import NewContext, SignIn
from tests.browser.people import company_of, hashed_as_everywhere
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory

LIST = "/architectes/members/"


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A browser that runs no script."""
    return new_context(java_script_enabled=False).new_page()


def desk(page: Page, sign_in: SignIn, *, members: int) -> Page:
    """``page`` for the administrator of a company of that many members."""
    _organization, admin = company_of(members)
    sign_in(page.context, admin.user)
    return page


def names(page: Page) -> list[str]:
    """The people on the list, in its order, once all of the page is there."""
    page.wait_for_load_state()
    return page.locator("tbody th a").all_inner_texts()


def test_a_company_is_set_up(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Company name").fill("Ateliers du Quai")
    page.get_by_role("radio", name="EUR").check()
    page.get_by_role("button", name="Continue to your account").click()
    page.get_by_label("Your e-mail address").fill("helene@quai.example")
    page.get_by_label("Choose a password").fill("neuf lanternes sur le canal")
    page.get_by_role("button", name="Continue and check").click()
    expect(page.get_by_role("main")).to_contain_text("Euro, €")
    page.get_by_role("button", name="Set up Ateliers du Quai").click()

    expect(page).to_have_url(re.compile("/ateliers-du-quai/$"))
    expect(page.get_by_role("heading", name="Next steps")).to_be_visible()


def test_people_are_added_reviewed_and_created(page: Page, sign_in: SignIn) -> None:
    desk(page, sign_in, members=0)
    page.goto("/architectes/members/add/")
    page.get_by_label("Enter e-mail addresses").fill("anna.berg@people.example\nbo.ek@people\ncy@people.example")
    page.get_by_role("button", name="Next").click()

    page.get_by_label("E-mail", exact=True).fill("bo.ek@people.example")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("link", name="anna.berg").click()
    page.get_by_label("First name").fill("Anna")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Leave out row 3").click()
    page.get_by_role("button", name="Create accounts").click()

    expect(page.get_by_role("heading", name="2 accounts created")).to_be_visible()
    added = Member.objects.filter(state=Member.State.INVITED).values_list("email", "user__first_name")
    assert set(added) == {("anna.berg@people.example", "Anna"), ("bo.ek@people.example", "")}


def test_a_running_import_is_followed_by_a_link_and_stopped(page: Page, sign_in: SignIn) -> None:
    desk(page, sign_in, members=0)
    page.goto("/architectes/members/add/")
    page.get_by_label("Choose a CSV file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": many_people(600)}
    )
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Create accounts").click()

    expect(page.get_by_text("0 of 600 accounts")).to_be_visible()
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("0 of 600 accounts")).to_be_visible()
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_text("Stopped. Accounts that were made stay.")).to_be_visible()
    assert Member.objects.count() == 1


def many_people(number: int) -> bytes:
    return "\n".join(["E-mail", *(f"person{place}@people.example" for place in range(number))]).encode()


def test_the_list_is_searched_filtered_sorted_and_leafed_through(page: Page, sign_in: SignIn) -> None:
    desk(page, sign_in, members=60)
    page.goto(LIST)
    assert names(page)[:2] == ["Ada Boss", "Person 001"]
    page.get_by_role("link", name="Next").click()
    assert names(page) == [f"Person {place:03}" for place in range(50, 61)]
    page.get_by_role("link", name="Previous").click()
    assert len(names(page)) == 50

    page.get_by_role("link", name="Name", exact=True).click()
    assert names(page)[:2] == ["Person 060", "Person 059"]
    page.get_by_label("Name, Skype Name or e-mail", exact=True).fill("person 05")
    page.get_by_role("button", name="Filter").click()
    assert names(page) == [f"Person {place:03}" for place in range(60, 0, -1) if f"{place:03}".startswith("05")]
    page.get_by_label("Role", exact=True).select_option("Administrator")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="Nobody matches")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()

    assert len(names(page)) == 50


def test_people_are_ticked_and_moved(page: Page, sign_in: SignIn) -> None:
    desk(page, sign_in, members=3)
    page.goto(LIST)
    expect(page.get_by_role("checkbox", name="Select all on this page")).to_be_disabled()

    page.get_by_role("checkbox", name="Person 001").check()
    page.get_by_role("checkbox", name="Person 003").check()
    page.get_by_role("button", name="Move to department").click()
    page.get_by_label("New department", exact=True).select_option("Studio Lyon")
    page.get_by_role("button", name="Show what will happen").click()
    expect(page.get_by_role("main")).to_contain_text("2 of 2 people will be moved.")
    page.get_by_role("button", name="Move 2 people").click()

    expect(page.get_by_role("status").filter(has_text="2 people moved to Studio Lyon.")).to_be_visible()
    moved = Member.objects.filter(department__name="Studio Lyon").values_list("user__last_name", flat=True)
    assert set(moved) == {"001", "003"}


def test_everybody_who_matches_is_blocked(page: Page, sign_in: SignIn) -> None:
    desk(page, sign_in, members=60)
    page.goto(f"{LIST}?q=person")
    page.get_by_role("checkbox", name="Person 001").check()
    page.get_by_label("All 60 that match").check()
    page.get_by_role("button", name="Block sign-in").click()
    page.get_by_role("button", name="Block 60 people").click()

    expect(page).to_have_url(re.compile("q=person"))
    assert Member.objects.filter(state=Member.State.BLOCKED).count() == 60


def test_somebody_signs_in_by_address_reads_in_swedish_and_signs_out(page: Page) -> None:
    user = hashed_as_everywhere(MemberFactory(user__first_name="Anna").user)
    page.goto("/me/")
    page.get_by_label("Skype Name or e-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(re.compile("/me/$"))
    page.get_by_label("Your account: ").click()
    page.get_by_role("button", name="Svenska").click()
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    page.locator("summary").last.click()
    page.get_by_role("button", name="Logga ut").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_somebody_joins_by_the_link_of_a_letter(page: Page) -> None:
    invitation = InvitationFactory(member__user__first_name="Anna", member__organization__name="Ateliers du Quai")
    page.goto(f"/join/{invitation_token(invitation)}/")
    page.get_by_label("Last name").fill("Berg")
    page.get_by_label("Choose a password").fill("neuf lanternes sur le canal")
    page.get_by_role("button", name="Join Ateliers du Quai").click()

    expect(page).to_have_url(re.compile("/me/$"))
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.ACCEPTED


def test_a_menu_and_the_appearance_work(page: Page, sign_in: SignIn) -> None:
    desk(page, sign_in, members=0)
    OrganizationFactory()
    page.goto("/architectes/")
    page.get_by_label("Your account: Ada Boss").click()
    page.get_by_role("button", name="Dark").click()

    expect(page).to_have_url(re.compile("/architectes/$"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
