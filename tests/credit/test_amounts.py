"""Credit by a file of amounts: everybody in it, or nobody."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import translation

from credit.amounts import sentence
from credit.amounts_file import UnclearAmounts
from credit.errors import HasLeft, InsufficientCredit
from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import list_balances, wallet_balance
from credit.services.amounts import allocate_amounts, discard_amounts, read_amounts_again, review_amounts
from members.access import Actor
from members.errors import BatchNotOpen, RowsNeedCorrection, SameContentAgain
from members.invariants import changes_of_many_are_made_once
from members.models import AuditEntry, Batch, Member
from members.services.import_work import advance_batches_task
from skypemgr.csv_files import UnreadableFile
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
FILE = "E-mail,Amount,Reason\nann@acme.example,10.00,Trip\nBO.EKMAN,20.5,\ncy@acme.example,30,New year\n"


@pytest.fixture
def organization():
    organization = OrganizationFactory()
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return organization


@pytest.fixture
def people(organization):
    return [
        MemberFactory(organization=organization, user__email="ann@acme.example"),
        MemberFactory(organization=organization, user__skype_name="bo.ekman", user__email="bo@acme.example"),
        MemberFactory(organization=organization, user__email="Cy@acme.example", state="invited"),
    ]


@pytest.fixture(autouse=True)
def adds_up():
    yield
    assert list(changes_of_many_are_made_once()) == []


def review(organization, text=FILE, **facts):
    content = text.encode() if isinstance(text, str) else text
    facts = {"file_name": "amounts.csv", "key": uuid4(), **facts}
    return review_amounts(actor=Actor.system(), organization=organization, content=content, **facts)


def carry_out(organization, batch):
    return allocate_amounts(actor=Actor.system(), organization=organization, batch=batch)


def read_again(organization, batch, encoding):
    return read_amounts_again(actor=Actor.system(), organization=organization, batch=batch, encoding=encoding)


def balances(organization, people):
    return [wallet_balance(organization), *list_balances(organization, people).values()]


def told(batch):
    rows = batch.rows.order_by("number")
    return {row.number: [sentence(row, problem, "EUR") for problem in row.problems] for row in rows if row.problems}


def test_nobody_gets_anything_before_it_is_confirmed_and_then_everybody(organization, people):
    batch = review(organization)
    assert (batch.state, told(batch)) == (Batch.State.DRAFT, {})
    assert balances(organization, people) == [100, 0, 0, 0]

    carry_out(organization, batch)

    assert balances(organization, people) == [Decimal("39.5"), 10, Decimal("20.5"), 30]
    assert dict(Transfer.objects.filter(batch=batch).values_list("target__member", "reason")) == {
        people[0].pk: "Trip",
        people[1].pk: "",
        people[2].pk: "New year",
    }
    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert set(batch.rows.values_list("outcome", flat=True)) == {"done"}
    entry = AuditEntry.objects.get(action="credit.allocated")
    assert entry.after == {"people": 3, "sum": "60.50 EUR"}


def test_confirmed_twice_it_is_given_once(organization, people):
    batch = review(organization)
    for _time in range(2):
        carry_out(organization, batch)

    assert wallet_balance(organization) == Decimal("39.5")


def test_the_same_file_again_is_refused_before_and_after_the_review(organization, people):
    first, second = review(organization), review(organization)
    carry_out(organization, first)

    with pytest.raises(SameContentAgain):
        review(organization)
    with pytest.raises(SameContentAgain):
        carry_out(organization, second)
    assert wallet_balance(organization) == Decimal("39.5")


def test_the_day_a_file_was_carried_out_is_the_organizations(organization, people):
    carry_out(organization, review(organization))
    Batch.objects.update(started_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))

    # Half past midnight in Paris.
    with pytest.raises(SameContentAgain, match="on 2026-11-21"):
        review(organization)


def test_the_same_form_sent_twice_is_one_review(organization, people):
    key = uuid4()

    assert review(organization, key=key) == review(organization, key=key)


def test_every_problem_of_every_row_is_told_at_once(organization, people):
    MemberFactory(organization=organization, user__email="gone@acme.example", state="left")
    MemberFactory(user__email="elsewhere@other.example")
    lines = [
        "E-mail,Amount,Reason",
        "nobody@acme.example,1e3,a\x07b",
        "gone@acme.example,0,",
        ",5,",
        "ann@acme.example,5,",
        "ANN@acme.example,5.001,",
        "elsewhere@other.example,5,",
        "bo@acme.example,,",
    ]

    batch = review(organization, "\n".join(lines))

    assert told(batch) == {
        1: [
            "There is no member nobody@acme.example.",
            "Type an amount in plain digits, as 12.50.",
            "The reason holds a character that can’t be kept (U+0007). Type it again.",
        ],
        2: ["gone@acme.example has left, and gets no credit any more.", "The amount must be more than zero."],
        3: ["Nobody is named: write an e-mail address or a Skype Name."],
        5: ["The same person as in row 4.", "Amounts in EUR have at most 2 decimals."],
        6: ["There is no member elsewhere@other.example."],
        7: ["Type an amount in plain digits, as 12.50."],
    }
    with pytest.raises(RowsNeedCorrection):
        carry_out(organization, batch)
    assert wallet_balance(organization) == 100


def test_the_same_person_by_address_and_by_skype_name_stands_twice(organization, people):
    batch = review(organization, "Skype Name,Amount\nBO.EKMAN,5\nbo@acme.example,5\n")

    assert told(batch) == {2: ["The same person as in row 1."]}


@pytest.mark.parametrize(
    "text",
    [
        "e-mail;amount;reason\nann@acme.example;5;x\n",
        "Adresse e-mail\tMontant\tMotif\nann@acme.example\t5\tx\n",
        "E-postadress;Belopp;Anledning\nann@acme.example;5;x\n",
        "sep=;\nWho;Skype Credit;Note\nann@acme.example;5;x\n",
        "Nom,Bénéficiaire,Crédit,Commentaire\nAnn,ann@acme.example,5,x\n".encode("cp1252"),
        "Medlem;Summa;Skäl\nann@acme.example;5;x\n".encode("utf-16"),
        b'\xef\xbb\xbf"Identifiant Skype","Montant","Raison"\r\nBO.EKMAN,5,x\r\n',
    ],
)
def test_files_are_understood_in_three_languages_and_every_usual_form(organization, people, text):
    batch = review(organization, text)

    assert told(batch) == {}
    [row] = batch.rows.all()
    assert (row.data["amount"], row.data["reason"]) == ("5.0000", "x")
    assert row.member in people


def test_read_again_its_rows_are_those_of_the_other_encoding(organization, people):
    batch = review(organization, "E-mail;Amount;Reason\nann@acme.example;5;Łódź\n".encode("cp1250"))

    for _time in range(2):
        again = read_again(organization, batch, "cp1252")

        assert [row.data["reason"] for row in batch.rows.all()] == ["£ódŸ"]
        assert (again.facts["encoding"], again.facts["read_as"], again.total) == ("Windows-1252", "cp1252", 1)
    with pytest.raises(UnreadableFile):
        read_again(organization, batch, "utf-8-sig")
    assert [row.data["reason"] for row in batch.rows.all()] == ["£ódŸ"]


@pytest.mark.parametrize("end", ["carried out", "given up", "never kept"])
def test_a_file_is_kept_only_while_it_may_have_to_be_read_again(organization, people, end):
    guessed = "E-mail;Amount;Reason\nann@acme.example;5;Prêt\n".encode("cp1252")
    batch = review(organization, FILE if end == "never kept" else guessed)
    if end == "carried out":
        carry_out(organization, batch)
    elif end == "given up":
        discard_amounts(actor=Actor.system(), organization=organization, batch=batch)

    assert not batch.pieces.exists()
    with pytest.raises(BatchNotOpen):
        read_again(organization, batch, "cp850")


def test_a_review_that_was_given_up_for_its_age_is_not_read_again(organization, people):
    batch = review(organization, "E-mail;Amount;Reason\nann@acme.example;5;Prêt\n".encode("cp1252"))
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.CANCELED)

    with pytest.raises(BatchNotOpen):
        read_again(organization, batch, "cp850")


@pytest.mark.parametrize("language", ["fr", "sv"])
def test_a_comma_is_a_decimal_where_the_language_writes_one(organization, people, language):
    text = "E-mail;Amount\nann@acme.example;12,50\n"
    with translation.override(language):
        assert told(review(organization, text)) == {}
    assert told(review(organization, text)) == {1: ["Write the amount with a point. Is 12.50 meant?"]}


@pytest.mark.parametrize(
    "text", ["E-mail,First name\nann@acme.example,Ann\n", "Amount\n5\n", "Amount,Credit,E-mail\n1,2,a@b.example\n"]
)
def test_columns_that_do_not_say_who_and_how_much_are_told(organization, text):
    with pytest.raises(UnclearAmounts):
        review(organization, text)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"E-mail,Amount\n"])
def test_what_is_no_such_file_is_told(organization, content):
    with pytest.raises(UnreadableFile):
        review(organization, content)


def test_too_many_reasons_are_told(organization, people, monkeypatch):
    monkeypatch.setattr("credit.amounts.MOST_REASONS", 2)

    batch = review(organization)

    assert told(batch) == {3: ["There are more than 2 different reasons in this file. Use fewer."]}


def test_when_the_wallet_does_not_cover_the_sum_nobody_gets_any(organization, people):
    batch = review(organization, FILE.replace("30", "69.51"))

    with pytest.raises(InsufficientCredit, match=r"€100\.00 of €100\.01"):
        carry_out(organization, batch)

    assert balances(organization, people) == [100, 0, 0, 0]
    batch.refresh_from_db()
    assert batch.state == Batch.State.DRAFT


def test_who_leaves_after_the_review_stops_it_for_all(organization, people):
    batch = review(organization)
    Member.objects.filter(pk=people[2].pk).update(state="left")

    with pytest.raises(HasLeft):
        carry_out(organization, batch)
    assert balances(organization, people) == [100, 0, 0, 0]


def test_many_get_it_behind_the_pages(organization, people, monkeypatch):
    monkeypatch.setattr("members.batches.AT_ONCE", 2)
    batch = carry_out(organization, review(organization))
    assert (batch.state, wallet_balance(organization)) == (Batch.State.RUNNING, 100)
    assert list(changes_of_many_are_made_once()) == []

    advance_batches_task()

    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert balances(organization, people) == [Decimal("39.5"), 10, Decimal("20.5"), 30]


def test_a_review_that_is_given_up_gives_nobody_any(organization, people):
    batch = review(organization)
    discard_amounts(actor=Actor.system(), organization=organization, batch=batch)

    with pytest.raises(BatchNotOpen):
        carry_out(organization, batch)
    with pytest.raises(BatchNotOpen):
        discard_amounts(actor=Actor.system(), organization=organization, batch=batch)
    assert wallet_balance(organization) == 100
