"""The product's first job, whole, as its people do it: by what the pages say, in each language, small and large."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from playwright.sync_api import Locator, Page, expect

from members.models import Member
from tests.browser.conftest import NewContext
from tests.browser.site import MailServer, Site

DIRECTORIES = Path(__file__).parent.parent / "data" / "directories"
PASSWORD = "neuf lanternes sur le canal"


@dataclass(frozen=True)
class Somebody:
    """What a reader of this language would have: their browser, and the export of their company's directory."""

    language: str
    locale: str
    file: str
    rows: int


READERS = {
    "en": Somebody("en", "en-GB", "google-workspace-users.csv", 48),
    "fr": Somebody("fr", "fr-FR", "excel-fr-windows-1252-semicolon.csv", 48),
    "sv": Somebody("sv", "sv-SE", "active-directory-export-csv-utf16.csv", 48),
}


@pytest.fixture(scope="module")
def site(posting_site: Site) -> Site:
    return posting_site


@pytest.fixture(params=["en", "fr", "sv"])
def reader(request: pytest.FixtureRequest) -> Iterator[Somebody]:
    with translation.override(request.param):
        yield READERS[request.param]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_company_sets_up_adds_its_people_and_they_join(
    new_context: NewContext, mail: MailServer, reader: Somebody, width: int
) -> None:
    page = new_context(width=width, locale=reader.locale).new_page()

    set_up(page)
    confirm_address(page, mail)
    add_by_address(page)
    add_by_file(page, reader)

    letter = mail.wait_for("anna.berg@people.example")
    assert f'<html lang="{reader.language}">' in letter.body("html")
    newcomer = new_context(width=width, locale=reader.locale).new_page()
    join(newcomer, letter.link())
    sign_out_and_in_again(newcomer)
    everyone_got_a_letter(mail, reader)


def field(page: Page | Locator, label: str) -> Locator:
    """The control with this label, which may say that it is optional."""
    return page.get_by_label(re.compile(rf"^{re.escape(label)}( {re.escape(_('(optional)'))})?$"))


def press(page: Page | Locator, text: str) -> None:
    page.get_by_role("button", name=text, exact=True).click()


def see(page: Page, heading: str) -> None:
    """A page with this heading, none of it beyond the edge of the window."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def told(page: Page, text: str) -> None:
    expect(page.locator("#toasts")).to_contain_text(text)


def set_up(page: Page) -> None:
    page.goto("/")
    see(page, _("Tell us about your company"))
    field(page, _("Company name")).fill("Ateliers du Quai")
    press(page, _("Continue to your account"))

    see(page, _("Make an account to manage it with"))
    expect(field(page, _("Skype Name"))).to_have_value("ateliers-du-quai.admin")
    field(page, _("Your e-mail address")).fill("helene@quai.example")
    field(page, _("First name")).fill("Hélène")
    field(page, _("Last name")).fill("Marchand")
    field(page, _("Choose a password")).fill(PASSWORD)
    press(page, _("Continue and check"))

    see(page, _("Check and finish"))
    press(page, _("Set up %(name)s") % {"name": "Ateliers du Quai"})

    see(page, _("Overview"))
    told(page, _("%(company)s is set up, and you are signed in.") % {"company": "Ateliers du Quai"})
    step(page, _("Confirm your e-mail address"), done=False)
    step(page, _("Add members"), done=False)


def step(page: Page, label: str, *, done: bool) -> None:
    """A next step of the dashboard; one that is done has a mark that says so, and nothing to press."""
    entry = page.get_by_role("listitem").filter(has_text=label).filter(has=page.locator(".checklist-mark"))
    expect(entry.get_by_text(pgettext("step", "Done"), exact=True)).to_have_count(int(done))
    expect(entry.get_by_role("link")).to_have_count(int(not done))


def confirm_address(page: Page, mail: MailServer) -> None:
    page.goto(mail.wait_for("helene@quai.example").link())
    see(page, _("Is this your address?"))
    press(page, _("Yes, confirm it"))

    see(page, _("Overview"))
    told(page, _("Your address is confirmed."))
    step(page, _("Confirm your e-mail address"), done=True)


def add_by_address(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name=_("Add members"), exact=True).first.click()
    see(page, _("Create business accounts"))
    field(page, _("Enter e-mail addresses")).fill("Anna Berg <anna.berg@people.example>, bo.ek@people")
    press(page, _("Next"))

    see(page, ngettext("Review %(counter)s person", "Review %(counter)s people", 2) % {"counter": 2})
    expect(page.get_by_role("alert")).to_contain_text(
        _("Not a complete e-mail address: something like .example is missing.")
    )
    field(page, _("E-mail")).fill("bo.ek@people.example")
    press(page, _("Keep"))
    expect(page.get_by_role("alert")).to_have_count(0)
    press(page, _("Create accounts"))

    created(page, 2)


def created(page: Page, number: int) -> None:
    """The result page of a batch, once it has ended."""
    text = ngettext("%(counter)s account created", "%(counter)s accounts created", number) % {"counter": number}
    expect(page.get_by_role("heading", name=text)).to_be_visible()
    # There is a mail server, so this machine keeps no letters to look at.
    expect(page.get_by_role("link", name=_("Open the outbox of this machine"))).to_have_count(0)


def add_by_file(page: Page, reader: Somebody) -> None:
    page.get_by_role("link", name=_("See the members")).click()
    see(page, _("Members"))
    page.get_by_role("main").get_by_role("link", name=_("Add members"), exact=True).click()
    field(page, _("Choose a CSV file")).set_input_files(DIRECTORIES / reader.file)
    press(page, _("Next"))

    see(
        page,
        ngettext("Review %(counter)s person", "Review %(counter)s people", reader.rows) % {"counter": reader.rows},
    )
    press(page, _("Create accounts"))

    created(page, reader.rows)
    assert Member.objects.count() == 1 + 2 + reader.rows


def join(page: Page, link: str) -> None:
    page.goto(link)
    see(page, _("Welcome, %(name)s. Two things and you’re in.") % {"name": "Anna"})
    expect(field(page, _("Your Skype Name"))).to_have_value("anna.berg")
    expect(field(page, _("First name"))).to_have_value("Anna")
    field(page, _("Last name")).fill("Berg-Lindqvist")
    field(page, _("Choose a password")).fill(PASSWORD)
    press(page, _("Join %(name)s") % {"name": "Ateliers du Quai"})

    expect(page).to_have_url(re.compile(r"/me/$"))
    see(page, _("Hello, %(name)s") % {"name": "Anna"})
    told(page, _("Welcome. You are part of {name} now.").format(name="Ateliers du Quai"))


def sign_out_and_in_again(page: Page) -> None:
    page.get_by_label(_("Your account: %(name)s") % {"name": "Anna Berg-Lindqvist"}).click()
    press(page, _("Sign out"))

    see(page, _("Sign in"))
    told(page, _("You are signed out."))
    field(page, _("Skype Name or e-mail")).fill("anna.berg")
    field(page, _("Password")).fill(PASSWORD)
    press(page, _("Sign in"))

    see(page, _("Hello, %(name)s") % {"name": "Anna"})


def everyone_got_a_letter(mail: MailServer, reader: Somebody) -> None:
    for address in Member.objects.exclude(email="helene@quai.example").values_list("email", flat=True):
        mail.wait_for(address)
    # The letter to confirm the founder's address, and one to each member, once.
    assert len(mail.delivered) == 1 + 2 + reader.rows
