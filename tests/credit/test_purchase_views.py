"""Buying credit, invoices and their files, and the pages of those who sell."""

import json
import re
import sys
import zlib
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from credit.models import BillingProfile, Invoice, Order, Seller, VatCheck
from credit.selectors.balances import wallet_balance
from credit.sellers import today_of
from credit.services.orders import place_order, receive_payment
from credit.views import ops
from members.access import Actor
from skypemgr.invariants import find_violations
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

BILLING = {
    "name": "Architectes",
    "street": "1 rue Neuve",
    "city": "Lyon",
    "country": "FR",
    "email": "bills@people.example",
}


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def billed(organization):
    return BillingProfile.objects.create(organization=organization, **BILLING)


def at(name, *args):
    return reverse(f"credit:{name}", args=["acme", *args])


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def unpacked(pdf):
    """A PDF with what its streams hold."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return pdf + b"".join(zlib.decompressobj().decompress(s) if s[:1] == b"x" else s for s in streams)


def order(organization, amount="100"):
    return place_order(actor=Actor.system(), organization=organization, amount=Decimal(amount), key=uuid4())


def paid(organization, amount="100"):
    return receive_payment(
        actor=Actor.system(), organization=organization, amount=Decimal(amount), reference=str(uuid4())
    ).order


def test_billing_data_are_asked_once_and_lead_back_to_buying(boss, client):
    page = client.get(at("buy"))
    assert "First, the billing data" in text_of(page)
    [way] = re.findall(r'href="([^"]*billing/\?next=[^"]*)"', page.content.decode())

    answer = client.post(way, BILLING)

    assert answer.headers["Location"] == at("buy")
    assert "How much" in text_of(client.get(at("buy")))


def test_whoever_corrects_the_billing_data_while_buying_goes_on_with_the_same_amount(boss, client):
    client.post(at("billing"), BILLING)
    page = client.get(at("buy"), {"amount": "250"})
    [way] = re.findall(r'href="([^"]*billing/\?next=[^"]*)"', page.content.decode())

    answer = client.post(way, BILLING)

    assert answer.headers["Location"] == f"{at('buy')}?amount=250"


@pytest.mark.parametrize("way", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_saving_billing_data_leads_to_no_other_site(boss, client, way):
    assert client.post(f"{at('billing')}?next={way}", BILLING).headers["Location"] == at("billing")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("vat_id", "FR123", "This is no VAT id of the EU"),
        ("vat_id", "DE136695976", "This VAT id belongs to another country"),
        ("email", "bills", "Not an e-mail address"),
        ("street", "", "This field is required"),
        ("country", "XX", "Select a valid choice"),
    ],
)
def test_what_is_wrong_with_billing_data_stands_next_to_its_field(boss, client, field, value, told):
    answer = client.post(at("billing"), {**BILLING, field: value})

    assert answer.status_code == 422
    assert told in str(answer.context["form"].errors[field])
    assert not BillingProfile.objects.exists()


def test_a_price_is_shown_before_anything_is_ordered(boss, billed, client):
    page = client.get(at("buy"), {"amount": "250"})

    assert "VAT 20% €50.00 To pay €300.00" in text_of(page)
    assert not Order.objects.exists()

    answer = client.post(at("buy"), {"amount": "250", "key": uuid4()})
    placed = Order.objects.get()
    assert answer.headers["Location"] == at("order", placed.number)
    page = text_of(client.get(at("order", placed.number)))
    assert "€300.00" in page
    assert "LU28 0019 4006 4475 0000" in page
    assert placed.number in page


@pytest.mark.parametrize("amount", ["0", "-5", "1,5", "10.001", "", "abc", "1e3", "10001"])
def test_an_amount_that_cannot_be_ordered_is_refused(boss, billed, client, amount):
    assert client.post(at("buy"), {"amount": amount, "key": uuid4()}).status_code == 422
    assert not Order.objects.exists()


def test_buying_explains_itself_while_the_seller_is_incomplete(boss, billed, client, settings):
    settings.LOCAL = False

    assert "Credit can’t be bought yet" in text_of(client.get(at("buy")))
    assert client.post(at("buy"), {"amount": "250"}).status_code == 422
    Seller.objects.create(
        name="S", street="1", city="L", country="LU", vat_id="LU12345613", vat_rates={"LU": "17"}, iban="LU28"
    )
    assert client.post(at("buy"), {"amount": "250"}).status_code == 302


def test_an_order_is_canceled_from_its_page(boss, billed, organization, client):
    placed = order(organization)

    client.post(at("order_cancel", placed.number))

    placed.refresh_from_db()
    assert placed.state == "canceled"
    assert "What to transfer" not in text_of(client.get(at("order", placed.number)))


def test_an_invoice_is_in_its_own_language_whoever_reads_it(boss, billed, organization, client):
    organization.language = "fr"
    organization.save()
    invoice = paid(organization).payment.invoice
    boss.user.language = "en"
    boss.user.save()

    page = client.get(at("invoice", invoice.number)).content.decode()

    assert '<article class="paper" lang="fr"' in page
    assert "120,00\xa0€" in page


def test_the_file_of_an_invoice_is_a_tagged_pdf_and_fetches_nothing(boss, billed, organization, client):
    BillingProfile.objects.update(name='<img src="http://127.0.0.1:1/x.png">')
    invoice = paid(organization).payment.invoice

    answer = client.get(at("invoice_pdf", invoice.number))

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    inside = unpacked(answer.content)
    assert b"pdfuaid:part" in inside
    assert b"/StructTreeRoot" in inside
    assert b"/Image" not in inside


def test_without_pango_the_page_says_so_and_remains(boss, billed, organization, client, monkeypatch):
    invoice = paid(organization).payment.invoice
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    page = client.get(at("invoice_pdf", invoice.number), follow=True)

    assert "This machine can’t make PDF" in text_of(page)
    assert invoice.number in text_of(page)


def test_purchases_are_narrowed_and_come_as_a_file_of_what_is_shown(boss, billed, organization, client):
    placed, bought = order(organization), paid(organization)
    number = bought.payment.invoice.number

    shown = text_of(client.get(at("purchase_list"), {"q": number}))
    assert bought.number in shown
    assert placed.number not in shown
    rows = b"".join(client.get(at("purchase_export"), {"state": "waiting"})).decode("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert f",{placed.number},Waiting for payment,Bank transfer,100.0000,20.00,20.0000,120.0000,EUR," in rows[1]


# Those who sell


def test_an_operator_confirms_exactly_the_amount(operator, billed, organization, client):
    placed = order(organization)
    confirm = reverse("credit_ops:order_confirm", args=[placed.number])
    assert placed.number in text_of(client.get(reverse("credit_ops:order_list"), {"q": placed.number}))

    refused = client.post(confirm, {"amount": "100"})
    assert refused.status_code == 422
    assert "Ask for the €20.00 that is missing" in text_of(refused)
    assert client.post(confirm, {"amount": "120"}).status_code == 302
    assert wallet_balance(organization) == 100


def test_an_operator_refunds_a_part_and_sees_what_to_transfer(operator, billed, organization, client):
    bought = paid(organization)
    client.post(reverse("credit_ops:order_refund", args=[bought.number]), {"amount": "60", "key": uuid4()})

    page = text_of(client.get(reverse("credit_ops:order_detail", args=[bought.number])))
    assert f"€60.00 back, with the reference {bought.number}-R1" in page
    assert wallet_balance(organization) == 50


@pytest.mark.parametrize("country", ["KI", "NU"])
def test_a_vat_id_is_checked_on_the_day_it_is_at_the_sellers(operator, billed, client, monkeypatch, country):
    # Kiribati is half a day and more ahead of UTC, Niue almost as far behind it: one of them has another day.
    monkeypatch.setattr(ops, "current_seller", lambda: Seller(country=country))
    BillingProfile.objects.update(vat_id="FR40303265045")

    before = today_of(Seller(country=country))
    form = client.get(reverse("credit_ops:vat_id", args=["acme"])).context["form"]

    assert before <= form["checked_on"].value() <= today_of(Seller(country=country))


def test_an_operator_records_what_came_of_a_vat_id(operator, billed, organization, client):
    BillingProfile.objects.update(vat_id="FR40303265045")
    page = reverse("credit_ops:vat_id", args=["acme"])
    assert client.post(page, {"valid": "yes", "checked_on": "2026-11-22"}).status_code == 422

    client.post(page, {"valid": "yes", "checked_on": "2026-11-22", "reference": "VIES 1"})

    check = VatCheck.objects.get()
    assert (check.vat_id, check.valid, check.checked_by) == ("FR40303265045", True, operator)


SELLER = {
    "name": "Seller",
    "street": "1",
    "city": "Lyon",
    "country": "FR",
    "vat_id": "FR40303265045",
    "vat_rates": "fr 20\nde 19,5 %",
    "iban": "FR14 2004 1010 0505 0001 3M02 606",
    "payment_days": "14",
}


def test_a_seller_is_saved_as_a_new_row_and_what_is_missing_is_told(operator, client, settings):
    page = reverse("credit_ops:seller")
    client.post(page, {**SELLER, "iban": ""})
    assert "What is missing of the seller: IBAN ." in text_of(client.get(page)).replace("IBAN.", "IBAN .")

    client.post(page, SELLER)

    assert Seller.objects.count() == 2
    newest = Seller.objects.order_by("-pk")[0]
    assert (newest.iban, newest.saved_by) == ("FR1420041010050500013M02606", operator)
    assert newest.vat_rates == {"FR": "20", "DE": "19.5"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iban", "FR14 2004 1010 0505 0001 3M02 607"),
        ("bic", "ABC"),
        ("vat_rates", "FR"),
        ("vat_rates", "FR 51"),
        ("vat_rates", "FR -1"),
        ("vat_rates", "FR NaN"),
        ("vat_rates", "XX 20"),
        ("vat_rates", "FR 20\nFR 10"),
        ("vat_rates", "FR 20.005"),
        ("payment_days", "0"),
    ],
)
def test_what_is_wrong_with_the_seller_stands_next_to_its_field(operator, client, field, value):
    answer = client.post(reverse("credit_ops:seller"), {**SELLER, field: value})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Seller.objects.exists()


# The command


def run(*words):
    out = StringIO()
    call_command("add_credit", "--organization", "acme", "--json", *words, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_adds_exactly_that_much_once_for_each_reference(organization):
    first = run("--amount", "100.50", "--reference", "statement 7")
    again = run("--amount", "100.50", "--reference", "statement 7")

    assert (first["balance"], again["balance"]) == ("100.5000", "100.5000")
    assert (first["added"], again["added"]) == ("100.5000", "0.0000")
    assert first["invoice"] == again["invoice"] == Invoice.objects.get().number
    with pytest.raises(CommandError, match="Use another reference"):
        run("--amount", "100.51", "--reference", "statement 7")
    assert run("--amount", "7", "--reference", "x", "--dry-run")["balance"] == "100.5000"
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "1,5", "1.005", "x", "", "NaN", "1e3"])
def test_the_command_refuses_what_is_no_amount(organization, amount):
    with pytest.raises(CommandError):
        run(f"--amount={amount}", "--reference", "statement 7")
    assert not Order.objects.exists()


# What must always be true


def test_the_books_agree_and_a_fault_in_them_is_found(boss, billed, organization):
    paid(organization)
    assert [found for found in find_violations() if found.invariant.startswith("credit.")] == []
    placed = order(organization)
    Order.objects.filter(pk=placed.pk).update(state="paid", closed_at=timezone.now())

    assert "credit.money_that_came_in_is_billed_and_in_the_ledger" in {found.invariant for found in find_violations()}
