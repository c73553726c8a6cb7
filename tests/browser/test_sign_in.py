"""Signing in as people do it: an app, a passkey of the browser's own, a recovery code, and the end of a session."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import BrowserContext, Page, expect

from members.codes import code_of, period_now
from members.models import Passkey, UserSession
from members.sessions import PROVED
from tests.browser.conftest import NewContext, SignIn
from tests.browser.people import hashed_as_everywhere
from tests.browser.site import Site, running_site
from tests.factories import PASSWORD, MemberFactory


@pytest.fixture(scope="module")
def site(django_db_setup: None, static_files: Path) -> Iterator[Site]:
    """A site under a host name, as passkeys need it."""
    with running_site(static_files) as running:
        yield Site(running.url.replace("127.0.0.1", "localhost"), running.web)


def press(page: Page, text: str) -> None:
    page.get_by_role("main").get_by_role("button", name=text, exact=True).click()


def see(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def give_passkeys(context: BrowserContext, page: Page) -> None:
    """Let the browser have a device that knows its owner."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def printed(page: Page) -> str:
    """What of the page is on paper."""
    page.emulate_media(media="print")
    text = page.locator("body").inner_text()
    page.emulate_media(media="screen")
    return text


def sign_out(page: Page) -> None:
    page.get_by_label(re.compile("^Your account:")).click()
    page.locator("form[action='/accounts/sign-out/'] button").click()
    see(page, "Sign in")


def type_password(page: Page) -> None:
    """By keyboard alone."""
    page.goto("/accounts/sign-in/?next=/me/security/")
    page.get_by_label("Skype Name or e-mail").focus()
    page.keyboard.type("hanna.berg")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def type_code(page: Page, code: str) -> None:
    see(page, "Show that it is you")
    page.get_by_label("Code", exact=True).focus()
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    see(page, "Security")


def test_somebody_sets_up_their_factors_and_signs_in_with_each(
    new_context: NewContext, sign_in: SignIn, site: Site
) -> None:
    user = hashed_as_everywhere(MemberFactory(user__skype_name="hanna.berg", user__language="en").user)
    context = new_context()
    page = context.new_page()
    give_passkeys(context, page)

    # An app
    type_password(page)
    see(page, "Security")
    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("#secret").inner_text().replace(" ", "")
    period = period_now()
    page.get_by_label("Code", exact=True).fill(code_of(secret, period))
    press(page, "Set up the app")
    see(page, "Your recovery codes")
    codes = page.locator("#recovery-codes code").all_inner_texts()
    assert printed(page).split()[-len(codes) :] == codes, "on paper nothing follows the codes"
    assert len(codes) == 10
    with page.expect_download() as download:
        press(page, "Save as a file")
    assert codes[0] in download.value.path().read_text()
    page.get_by_role("link", name="I have kept them").click()

    # A passkey
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    press(page, "Add a passkey")
    see(page, "Security")
    expect(page.get_by_role("main")).to_contain_text("Work laptop")
    assert Passkey.objects.get().user == user

    # In again: with a code, the passkey alone, the passkey as second step, and a recovery code
    sign_out(page)
    type_password(page)
    type_code(page, code_of(secret, period + 1))
    sign_out(page)
    press(page, "Sign in with a passkey")
    expect(page).to_have_url(re.compile("/me/$"))
    sign_out(page)
    type_password(page)
    press(page, "Use a passkey")
    see(page, "Security")
    sign_out(page)
    type_password(page)
    type_code(page, codes[0])
    expect(page.get_by_role("main")).to_contain_text("9 of 10 left")

    # Something dangerous, long after
    session = SessionStore(UserSession.objects.get(user=user).key)
    session[PROVED] = 0
    session.save()
    page.get_by_role("link", name="Make new codes").click()
    see(page, "Is it still you?")
    press(page, "Use a passkey")
    see(page, "New recovery codes")
    press(page, "Make new codes")
    see(page, "Your recovery codes")

    # Another browser
    user.refresh_from_db()
    other = sign_in(new_context(), user).new_page()
    other.goto("/me/security/")
    page.goto("/me/security/")
    page.locator("#sessions").get_by_role("button", name=re.compile("^Sign out Unknown browser")).click()
    expect(page.locator("#toasts")).to_contain_text("That browser is signed out.")
    other.goto("/me/security/")
    see(other, "Sign in")


def test_what_a_passkey_cannot_do_is_said(new_context: NewContext, sign_in: SignIn, site: Site) -> None:
    user = MemberFactory(user__language="en").user
    page = sign_in(new_context(java_script_enabled=False), user).new_page()
    page.goto("/me/security/passkeys/add/")
    press(page, "Add a passkey")
    expect(page.get_by_role("alert")).to_contain_text("Passkeys need JavaScript, which is off in this browser.")


def test_a_passkey_that_is_not_there_leaves_the_other_ways(new_context: NewContext) -> None:
    context = new_context()
    page = context.new_page()
    page.add_init_script("navigator.credentials.get = () => Promise.reject(new Error('not allowed'))")
    page.goto("/accounts/sign-in/")

    press(page, "Sign in with a passkey")

    expect(page.get_by_role("alert")).to_contain_text("Nothing came of that.")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()
