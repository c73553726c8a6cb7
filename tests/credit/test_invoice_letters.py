"""Letters that tell of an invoice bring it along: its page opens for few."""

import email
import email.policy
import sys
from decimal import Decimal
from uuid import uuid4

import pytest

from credit.models import BillingProfile, Invoice
from credit.services.orders import place_order, receive_payment, refund_order
from members.access import Actor
from members.models import Letter
from members.services.letters import send_letters
from tests.factories import MemberFactory

SYSTEM = Actor.system()
ATTACHED = "It is attached as a PDF, too."


@pytest.fixture
def folder(settings, tmp_path):
    settings.MAILERS = {"default": {"BACKEND": "members.gateways.mail.LocalMailbox", "OPTIONS": {"folder": tmp_path}}}
    return tmp_path


@pytest.fixture
def boss(db):
    boss = MemberFactory(admin=True)
    BillingProfile.objects.create(
        organization=boss.organization,
        name="Architectes",
        street="1",
        city="Lyon",
        country="FR",
        email="bills@people.example",
    )
    return boss


def pay(boss):
    """An order of somebody, paid by bank transfer, and none of its letters but the last."""
    order = place_order(actor=Actor.of_member(boss), organization=boss.organization, amount=Decimal(100), key=uuid4())
    Letter.objects.all().delete()
    facts = {"actor": SYSTEM, "organization": boss.organization, "amount": Decimal(100)}
    receive_payment(**facts, reference=order.number)
    return order


def read(folder):
    """What was sent, by address."""
    letters = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in folder.iterdir()]
    return {letter["To"]: letter for letter in letters}


def text_of(letter):
    return " ".join(letter.get_body(("plain",)).get_content().split())


def test_whoever_bought_and_the_address_for_invoices_get_it_as_a_file(boss, folder):
    pay(boss)

    assert send_letters() == 2

    sent = read(folder)
    assert set(sent) == {boss.user.email, "bills@people.example"}
    for letter in sent.values():
        [file] = letter.iter_attachments()
        assert (file.get_content_type(), file.get_filename()) == (
            "application/pdf",
            f"{Invoice.objects.get().number}.pdf",
        )
        assert file.get_content().startswith(b"%PDF-")
        assert ATTACHED in text_of(letter)
        assert ATTACHED in letter.get_body(("html",)).get_content()
    assert not Letter.objects.exclude(facts={"invoice": Invoice.objects.get().pk}).exists()


def test_a_credit_note_goes_with_its_letter_too(boss, folder):
    order = pay(boss)
    Letter.objects.all().delete()
    facts = {"organization": boss.organization, "order": order, "amount": Decimal(120), "reason": "", "key": uuid4()}
    refund_order(actor=SYSTEM, **facts)

    send_letters()

    number = Invoice.objects.get(kind="credit_note").number
    names = [file.get_filename() for letter in read(folder).values() for file in letter.iter_attachments()]
    assert names == [f"{number}.pdf"] * 2


def test_without_pango_the_letter_leaves_without_it(boss, folder, monkeypatch):
    pay(boss)
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    assert send_letters() == 2

    for letter in read(folder).values():
        assert list(letter.iter_attachments()) == []
        assert ATTACHED not in text_of(letter)
        assert "to print or to save." in text_of(letter)


def test_at_the_outbox_its_text_is_read_as_of_any_letter(boss, folder, client):
    pay(boss)
    send_letters()

    client.force_login(boss.user)
    page = client.get(f"/outbox/{next(folder.iterdir()).stem}/")

    assert ATTACHED in page.text
    assert "%PDF" not in page.text
