"""F37 and F38: whatever is sent twice, by a double click, in two browsers or by going back, is done once."""

import re
import time
from decimal import Decimal
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from credit.funding import fund
from credit.selectors.balances import balance_of, wallet_balance
from members.access import Actor
from members.importing import Draft
from members.models import Invitation, Letter, Member
from members.services.imports import start_import_of_people
from tests.browser.conftest import NewContext, SignIn
from tests.browser.people import company_of
from tests.browser.site import Site
from tests.factories import MemberFactory

ADDRESSES = [f"new{number}@people.example" for number in range(1, 4)]
PERSONAL = "/architectes/members/add/personal/"
# Between the clicks of a double click, in milliseconds.
DOUBLE = 70


@pytest.fixture
def admin(db: None) -> Member:
    _organization, admin = company_of(2)
    return admin


@pytest.fixture
def desks(new_context: NewContext, sign_in: SignIn, admin: Member) -> list[Page]:
    """Two browsers of the same administrator."""
    return [sign_in(new_context(), admin.user).new_page() for _browser in range(2)]


def double_click_at_once(pages: list[Page], button: str) -> None:
    """A double click on a button of each of ``pages``, at the same moment."""
    moment = time.time() * 1_000 + 700
    for page in pages:
        page.get_by_role("button", name=button).evaluate(
            """(button, [moment, gap]) => {
                for (const wait of [0, gap]) setTimeout(() => button.click(), moment + wait - Date.now());
            }""",
            [moment, DOUBLE],
        )


def sent(site: Site, route: str) -> int:
    """How many forms of a route have arrived."""
    return sum(f"route={route} " in line and "method=POST" in line for line in site.log().splitlines())


def refusal(page: Page) -> Locator:
    """What a form says on top when it was not accepted."""
    return page.get_by_role("alert").first


def invited(address: str) -> int:
    return Invitation.objects.filter(email=address).count()


def test_accounts_are_created_once_by_a_double_click_in_two_browsers(
    desks: list[Page], admin: Member, site: Site
) -> None:
    facts = {"actor": Actor.of_member(admin), "organization": admin.organization}
    people = [Draft(number=number, email=address) for number, address in enumerate(ADDRESSES, 1)]
    batch = start_import_of_people(**facts, people=people, key=uuid4())
    before = sent(site, "members:import_create")
    for desk in desks:
        desk.goto(f"/architectes/members/imports/{batch.pk}/")

    double_click_at_once(desks, "Create accounts")

    for desk in desks:
        expect(desk.get_by_role("heading", name="3 accounts created")).to_be_visible()
    assert sent(site, "members:import_create") - before > len(desks)
    assert Member.objects.filter(email__in=ADDRESSES).count() == 3
    assert Letter.objects.filter(email__in=ADDRESSES).count() == 3


def test_a_double_click_invites_once_and_says_so(desks: list[Page], site: Site) -> None:
    [desk, _other] = desks
    before = sent(site, "members:invite_personal")
    desk.goto(PERSONAL)
    desk.get_by_label("E-mail addresses or Skype Names").fill("ines@home.example")

    double_click_at_once([desk], "Send the invitations")

    expect(desk.get_by_text("1 person is invited.")).to_be_visible()
    assert sent(site, "members:invite_personal") - before == 2
    assert invited("ines@home.example") == 1


def test_two_browsers_that_invite_one_person_make_one_invitation(desks: list[Page]) -> None:
    for desk in desks:
        desk.goto(PERSONAL)
        desk.get_by_label("E-mail addresses or Skype Names").fill("ines@home.example")

    double_click_at_once(desks, "Send the invitations")

    done = [desk.get_by_text("1 person is invited.") for desk in desks]
    refused = [refusal(desk) for desk in desks]
    for one, other in zip(done, refused, strict=True):
        expect(one.or_(other).first).to_be_visible()
    assert sum(one.is_visible() for one in done) == 1
    assert invited("ines@home.example") == 1


def test_going_back_and_sending_again_invites_nobody_twice(desks: list[Page]) -> None:
    [desk, _other] = desks
    desk.goto(PERSONAL)
    people = desk.get_by_label("E-mail addresses or Skype Names")
    people.fill("ines@home.example")
    desk.get_by_role("button", name="Send the invitations").click()
    expect(desk.get_by_text("1 person is invited.")).to_be_visible()

    desk.go_back()
    people.fill("ines@home.example")
    desk.get_by_role("button", name="Send the invitations").click()

    expect(desk).to_have_url(re.compile(f"{PERSONAL}$"))
    expect(refusal(desk)).to_be_visible()
    assert invited("ines@home.example") == 1


def test_going_back_to_a_review_and_creating_again_creates_nobody_twice(desks: list[Page]) -> None:
    [desk, _other] = desks
    desk.goto("/architectes/members/add/")
    desk.get_by_label("Enter e-mail addresses").fill("\n".join(ADDRESSES))
    desk.get_by_role("button", name="Next").click()
    desk.get_by_role("button", name="Create accounts").click()
    expect(desk.get_by_role("heading", name="3 accounts created")).to_be_visible()

    desk.go_back()

    # The review is an account of what was done by now, and offers nothing to be done.
    expect(desk.get_by_role("button", name="Create accounts")).to_have_count(0)
    assert Member.objects.filter(email__in=ADDRESSES).count() == 3


def test_a_form_that_is_sent_again_on_the_way_gets_the_answer_of_the_first(desks: list[Page]) -> None:
    [desk, _other] = desks
    forms: list[Request] = []
    desk.on("request", lambda request: forms.append(request) if request.method == "POST" else None)
    desk.goto(PERSONAL)
    desk.get_by_label("E-mail addresses or Skype Names").fill("ines@home.example")
    desk.get_by_role("button", name="Send the invitations").click()
    expect(desk.get_by_text("1 person is invited.")).to_be_visible()
    [form] = forms

    again = desk.request.post(form.url, data=form.post_data_buffer, headers=form.headers)

    assert again.status == 200
    assert "1 person is invited." in again.text()
    assert again.url == desk.url
    assert invited("ines@home.example") == 1


def credit_of(member: Member) -> tuple[Decimal, Decimal]:
    """What the wallet and a member hold."""
    return wallet_balance(member.organization), balance_of(member.organization, member)


@pytest.fixture
def colleague(admin: Member) -> Member:
    """Somebody to whom credit can be added."""
    fund(organization=admin.organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return MemberFactory(organization=admin.organization, user__first_name="Noé", user__last_name="Lacombe")


def open_credit(desk: Page, member: Member, amount: str) -> None:
    desk.goto(f"/architectes/members/@{member.user.skype_name}/credit/")
    desk.locator("section[aria-labelledby=add]").get_by_label("Amount").fill(amount)
    expect(desk.locator("#add-forecast")).to_contain_text("will have")


def test_a_double_click_in_two_browsers_adds_credit_once_for_each(
    desks: list[Page], colleague: Member, site: Site
) -> None:
    before = sent(site, "credit:member_add")
    for desk in desks:
        open_credit(desk, colleague, "10")

    double_click_at_once(desks, "Add credit")

    for desk in desks:
        expect(desk.get_by_text("€10.00 added.").first).to_be_visible()
    assert sent(site, "credit:member_add") - before > len(desks)
    assert credit_of(colleague) == (80, 20)


def test_going_back_and_adding_the_same_credit_again_adds_none(desks: list[Page], colleague: Member) -> None:
    [desk, _other] = desks
    open_credit(desk, colleague, "10")
    key = desk.locator("section[aria-labelledby=add] input[name=key]").input_value()
    desk.get_by_role("button", name="Add credit").click()
    expect(desk.get_by_text("€10.00 added.").first).to_be_visible()

    desk.go_back()
    open_credit(desk, colleague, "10")
    desk.locator("section[aria-labelledby=add] input[name=key]").evaluate("(field, key) => { field.value = key }", key)
    desk.get_by_role("button", name="Add credit").click()

    expect(desk.get_by_text("€10.00 added.").first).to_be_visible()
    assert credit_of(colleague) == (90, 10)
