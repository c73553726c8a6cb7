"""Every amount of reliability §5.1 in the form, the file and the command: the same answer everywhere."""

import io
import json
import time
from collections.abc import Callable
from decimal import Decimal
from tempfile import NamedTemporaryFile
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import translation

from credit.amounts import sentence
from credit.funding import fund
from credit.models import Transfer
from credit.services.amounts import review_amounts
from members.access import Actor
from members.models import Member
from skypemgr.money import NotAnAmount, read_amount
from tests.factories import MemberFactory, OrganizationFactory
from tests.inputs.doors import undone

PLAIN = "Type an amount in plain digits, as 12.50."
NOTHING = "The amount must be more than zero."
# The row of §5.1, what is typed, and the amount that it is or the sentence that refuses it.
AMOUNTS = [
    (0, "12.50", "12.50"),
    (0, "5", "5"),
    (0, "0.01", "0.01"),
    (0, " 5 ", "5"),
    (0, "0", NOTHING),
    (0, "0.00", NOTHING),
    (0, "five", PLAIN),
    (0, "€5", PLAIN),
    (0, "5 €", PLAIN),
    (0, "1 000", PLAIN),
    (0, "½", PLAIN),
    (0, "0x10", PLAIN),
    (0, "1..5", PLAIN),
    (0, "5;6", PLAIN),
    (0, "<b>5</b>", PLAIN),
    (1, "1e9", PLAIN),
    (2, "1E+3", PLAIN),
    (3, "+5", PLAIN),
    (4, "NaN", PLAIN),
    (5, "sNaN", PLAIN),
    (6, "Infinity", PLAIN),
    (7, "-0", PLAIN),
    (8, "-0.00", PLAIN),
    (10, "-5", PLAIN),
    (11, "\u22125", PLAIN),
    (13, "٣", PLAIN),
    (14, "３", PLAIN),
    (15, "१२", PLAIN),
    (16, "1_000", PLAIN),
    (18, "1,5", "Write the amount with a point. Is 1.50 meant?"),
    (19, "1.234,56", PLAIN),
    (19, "1,234.56", PLAIN),
    (21, "5\u00a0", PLAIN),
    (22, "\u200b5", PLAIN),
    (23, "5\t", PLAIN),
    (24, ".5", PLAIN),
    (24, "5.", PLAIN),
    (25, "00012", PLAIN),
    (26, "0012.50", PLAIN),
    (27, "10000000000", PLAIN),
    (28, "1e400", PLAIN),
    (28, "9" * 10_000, PLAIN),
    (28, "1" + "0" * 200 + "x", PLAIN),
    (28, "5" + " " * 200 + "x", PLAIN),
    (30, "0.001", "Amounts in EUR have at most 2 decimals."),
    (30, "5.000", "Amounts in EUR have at most 2 decimals."),
    (37, "=1+1", PLAIN),
    (37, "@5", PLAIN),
]

type Door = Callable[[Member, str], str]


@pytest.fixture
def member(db: None) -> Member:
    member = MemberFactory(organization__slug="acme", user__email="ann@acme.example")
    MemberFactory(organization=member.organization, role=Member.Role.CREDIT_MANAGER)
    fund(organization=member.organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return member


def signed_in(member: Member) -> Client:
    """The browser of somebody who manages credit."""
    client = Client()
    client.force_login(Member.objects.get(role=Member.Role.CREDIT_MANAGER).user)
    return client


def given(member: Member) -> str:
    """What has come to a member."""
    [transfer] = Transfer.objects.filter(operation="allocation")
    return str(transfer.amount.quantize(Decimal("0.01")))


def form(member: Member, text: str) -> str:
    client = signed_in(member)
    url = reverse("credit:member_add", args=["acme", member.user.skype_name])
    answer = client.post(url, {"amount": text, "key": str(uuid4())})
    if answer.status_code == 302:
        return given(member)
    assert answer.status_code == 422
    [told] = answer.context["add"].form.errors["amount"]
    return str(told)


def file(member: Member, text: str) -> str:
    cell = text.replace('"', '""')
    batch = review_amounts(
        actor=Actor.system(),
        organization=member.organization,
        content=f'E-mail,Amount\nann@acme.example,"{cell}"\n'.encode(),
        file_name="amounts.csv",
        key=uuid4(),
    )
    [row] = batch.rows.all()
    if not row.problems:
        return str(Decimal(row.data["amount"]).quantize(Decimal("0.01")))
    return " ".join(sentence(row, problem, "EUR") for problem in row.problems)


def command(member: Member, text: str) -> str:
    out = io.StringIO()
    words = [f"--amount={text}", "--member", "ann@acme.example", "--organization", "acme", "--json"]
    try:
        call_command("allocate_credit", *words, stdout=out)
    except CommandError as refusal:
        assert json.loads(out.getvalue())["members"] == 0
        return str(refusal)
    assert json.loads(out.getvalue())["members"] == 1
    return given(member)


def file_of_command(member: Member, text: str) -> str:
    cell, out = text.replace('"', '""'), io.StringIO()
    with NamedTemporaryFile(suffix=".csv") as kept:
        kept.write(f'E-mail,Amount\nann@acme.example,"{cell}"\n'.encode())
        kept.flush()
        try:
            call_command("allocate_credit", "--file", kept.name, "--organization", "acme", "--json", stdout=out)
        except CommandError:
            told = json.loads(out.getvalue())
            assert (told["members"], {error["field"] for error in told["errors"]}) == (0, {"amount"})
            return " ".join(error["message"] for error in told["errors"])
    assert json.loads(out.getvalue())["members"] == 1
    return given(member)


@pytest.mark.parametrize("door", [form, file, command, file_of_command])
def test_every_amount_gets_its_expected_answer(member: Member, door: Door) -> None:
    wrong = []
    for row, text, expected in AMOUNTS:
        wanted = f"{Decimal(expected):.2f}" if expected[0].isdigit() else expected
        with undone():
            told = door(member, text)
        if told != wanted:
            wrong.append(f"row {row}, {ascii(text)[:40]}: {told}, not {wanted}")

    assert wrong == []


@pytest.mark.parametrize("door", [form, file])
@pytest.mark.parametrize("language", ["fr", "sv"])
def test_where_the_language_writes_a_comma_it_is_one(member: Member, door: Door, language: str) -> None:
    member.organization.language = language
    member.organization.save()
    with translation.override(language):
        assert door(member, "1,5") == "1.50"


@pytest.mark.parametrize("sent", [["1", "100"], ["1", "1"]])
def test_an_amount_that_is_sent_twice_is_no_request(member: Member, sent: list[str]) -> None:
    client = signed_in(member)
    urls = [reverse("credit:member_add", args=["acme", member.user.skype_name]), "/acme/members/credit/"]

    for url in urls:
        data = {"amount": sent, "key": str(uuid4()), "member": member.pk, "count": 1}
        assert client.post(url, data).status_code == 400
    assert not Transfer.objects.filter(operation="allocation").exists()


def test_a_currency_without_decimals_takes_none() -> None:
    for text in ("0.5", "5.0", "0.001"):
        with pytest.raises(NotAnAmount, match="Amounts in JPY have no decimals"):
            read_amount(text, "JPY")
    assert read_amount("500", "JPY") == 500


@pytest.mark.parametrize("text", ["9" * 10_000, "1" * 10_000 + ".5", "," * 10_000, "0." + "0" * 10_000, " " * 10_000])
def test_ten_thousand_characters_are_refused_in_ten_milliseconds(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(NotAnAmount):
        read_amount(text, "EUR")

    assert time.perf_counter() - began < 0.01


def test_another_currency_cannot_be_asked_for(member: Member) -> None:
    client = signed_in(member)
    url = reverse("credit:member_add", args=["acme", member.user.skype_name])

    client.post(url, {"amount": "5", "currency": "USD", "key": str(uuid4())})

    assert given(member) == "5.00"
    assert OrganizationFactory._meta.model.objects.get(slug="acme").currency == "EUR"
