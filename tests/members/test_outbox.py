import re

import pytest

from members.mail import invitation_letter
from members.services.letters import send_letters
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(settings, tmp_path):
    settings.MAILERS = {
        "default": {"BACKEND": "members.gateways.mail.LocalMailbox", "OPTIONS": {"folder": tmp_path / "letters"}}
    }
    return tmp_path / "letters"


@pytest.fixture
def admin(client):
    member = MemberFactory(admin=True)
    client.force_login(member.user)
    return client


def send(**facts):
    invitation = InvitationFactory(member=MemberFactory(invited=True, **facts))
    invitation_letter(invitation).save()
    assert send_letters() == 1
    return invitation


def test_letters_are_listed_newest_first_and_lead_to_a_working_link(admin, mailbox):
    send(email="first@a.example")
    send(email="second@a.example", organization__name="<i>Architectes</i>")

    page = admin.get("/outbox/")
    assert page.status_code == 200
    assert page.text.index("second@a.example") < page.text.index("first@a.example")
    assert "2 of 2 letters, newest first" in page.text

    [_first, second] = list(reversed(re.findall(r'href="(/outbox/[^"]+)"', page.text)))
    letter = admin.get(second)
    assert letter.status_code == 200
    assert "&lt;i&gt;Architectes" in letter.text
    [link] = re.findall(r'<a href="(/join/[^"]+)">http://127', letter.text)
    admin.logout()
    assert "Join" in admin.get(link).text


def test_a_letter_can_be_seen_as_it_would_be_sent(admin, mailbox):
    send(email="first@a.example")
    [path] = re.findall(r'href="(/outbox/[^"]+)"', admin.get("/outbox/").text)

    source = admin.get(f"{path}source/")

    assert source.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "multipart/alternative" in source.text
    assert "To: first@a.example" in source.text


def test_letters_are_searched_by_address(admin, mailbox):
    send(email="first@a.example")
    send(email="second@a.example")

    page = admin.get("/outbox/", {"q": "FIRST"})

    assert "first@a.example" in page.text
    assert "second@a.example" not in page.text
    assert "No such letter" in admin.get("/outbox/", {"q": "third"}).text


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fsecret", "..%2Fsecret", "nothing", "a" * 300, "x.eml"])
def test_no_other_file_is_ever_shown(admin, mailbox, name):
    mailbox.mkdir()
    (mailbox.parent / "secret.eml").write_text("Subject: secret\n\nsecret")

    assert admin.get(f"/outbox/{name}/").status_code == 404


def test_an_empty_outbox_says_what_it_waits_for(admin, mailbox):
    assert "No letters yet" in admin.get("/outbox/").text


def test_only_administrators_of_a_development_machine_read_letters(client, mailbox, settings):
    assert client.get("/outbox/").url == "/accounts/sign-in/?next=/outbox/"

    client.force_login(MemberFactory().user)
    assert client.get("/outbox/").status_code == 404

    client.force_login(UserFactory(is_operator=True))
    assert client.get("/outbox/").status_code == 200
    settings.LOCAL = False
    assert client.get("/outbox/").status_code == 404


def test_there_is_no_outbox_where_a_mail_server_is_configured(admin):
    OrganizationFactory()

    assert admin.get("/outbox/").status_code == 404
    assert admin.get("/outbox/anything/").status_code == 404
