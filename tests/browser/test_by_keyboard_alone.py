"""What members are for, done by somebody with a keyboard alone, in a window as narrow as any."""

import pytest
from playwright.sync_api import expect

from members.models import CallDetailConsent, Invitation, Member, User
from members.tokens import invitation_token
from tests.browser.conftest import NewContext
from tests.browser.keys import Keys
from tests.browser.people import hashed_as_everywhere
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

State = Member.State


@pytest.fixture
def keys(new_context: NewContext) -> Keys:
    return Keys(new_context(width=320).new_page())


def test_a_new_administrator_sets_up_and_arranges_their_people(keys: Keys) -> None:
    set_up(keys)
    add_people(keys)
    move_to_a_new_department(keys)
    change_a_profile(keys)
    take_an_invitation_back(keys)

    anna = Member.objects.get(email="anna.berg@people.example")
    assert (anna.state, anna.job_title, anna.department and anna.department.name) == (
        State.INVITED,
        "Architecte",
        "Atelier",
    )
    assert set(Invitation.objects.values_list("state", "member__email")) == {
        ("pending", "anna.berg@people.example"),
        ("canceled", "bo.ek@people.example"),
    }


def set_up(keys: Keys) -> None:
    keys.page.goto("/")
    keys.see("Tell us about your company")
    keys.fill("Company name", "Ateliers du Quai")
    keys.press("Continue to your account")

    keys.see("Make an account to manage it with")
    keys.fill("Your e-mail address", "helene@quai.example")
    keys.fill("First name (optional)", "Hélène")
    keys.fill("Choose a password", "neuf lanternes sur le canal")
    keys.press("Continue and check")

    keys.see("Check and finish")
    keys.press("Set up Ateliers du Quai")
    keys.see("Overview")


def add_people(keys: Keys) -> None:
    keys.follow("Add members")
    keys.see("Create business accounts")
    keys.fill("Enter e-mail addresses", "Anna Berg <anna.berg@people.example>, bo.ek@people, cy@people.example")
    keys.press("Next")

    keys.see("Review 3 people")
    keys.fill("E-mail", "bo.ek@people.example")
    keys.press("Keep")
    expect(keys.page.get_by_role("alert")).to_have_count(0)
    keys.press("Leave out row 3, cy@people.example")
    keys.press("Create accounts")
    expect(keys.page.get_by_role("heading", name="2 accounts created")).to_be_visible()
    keys.follow("See the members")


def move_to_a_new_department(keys: Keys) -> None:
    keys.see("Members")
    keys.tick("Anna Berg")
    keys.press("Move to department")

    keys.choose("New department", "New department…")
    keys.fill("Name of the new department", "Atelier")
    keys.press("Show what will happen")
    keys.press("Move 1 person")
    expect(keys.page.get_by_role("row", name="Anna Berg")).to_contain_text("Atelier")


def change_a_profile(keys: Keys) -> None:
    row = keys.page.get_by_role("row", name="Anna Berg")
    keys.reach(row.locator("summary"))
    keys.page.keyboard.press("Enter")
    keys.follow("Profile", within=row)

    keys.see("Anna Berg")
    keys.fill("Job title (optional)", "Architecte")
    keys.press("Save profile")
    expect(keys.page.locator("#toasts")).to_contain_text("saved")


def take_an_invitation_back(keys: Keys) -> None:
    keys.press("More")
    drawer = keys.page.get_by_role("navigation", name="More sections")
    keys.follow("Invitations", within=drawer)

    keys.see("Invitations")
    keys.press("Take back bo.ek.ateliers")
    expect(keys.page.get_by_role("row", name="bo.ek")).to_have_count(0)


def test_an_invited_private_person_joins_decides_what_is_seen_and_leaves(keys: Keys) -> None:
    organization = OrganizationFactory(name="Ateliers du Quai", slug="quai")
    MemberFactory(admin=True, organization=organization)
    cleo = hashed_as_everywhere(UserFactory(skype_name="cleo.private", kind=User.Kind.PERSONAL, first_name="Cléo"))
    invitation = InvitationFactory(organization=organization, kind="personal", member=None, user=cleo, email=cleo.email)

    keys.page.goto(f"/join/{invitation_token(invitation)}/")
    keys.follow("Sign in as cleo.private")
    keys.fill("Password", PASSWORD)
    keys.press("Sign in")
    keys.see("Join Ateliers du Quai with your own account?")
    keys.press("Join Ateliers du Quai")
    keys.see("Hello, Cléo")
    membership = Member.objects.get(user=cleo)
    assert membership.state == State.ACTIVE

    keys.follow("Change that Ateliers du Quai")
    keys.press("Agree")
    expect(keys.page.get_by_role("button", name="Take it back")).to_be_visible()
    assert decisions(membership) == [True]
    keys.press("Take it back")
    expect(keys.page.get_by_role("button", name="Agree")).to_be_visible()
    assert decisions(membership) == [True, False]
    keys.follow("Back to my page")

    keys.follow("Leave Ateliers du Quai")
    keys.see("Leave Ateliers du Quai?")
    keys.press("Leave Ateliers du Quai")
    keys.see("Hello, Cléo")
    membership.refresh_from_db()
    assert membership.state == State.LEFT


def decisions(member: Member) -> list[bool]:
    """What somebody decided about their call detail, one after the other."""
    return list(CallDetailConsent.objects.filter(member=member).order_by("pk").values_list("given", flat=True))
