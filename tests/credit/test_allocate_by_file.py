"""manage.py allocate_credit --file: the file of amounts that the page takes, for whoever sits at the machine."""

import io
import json
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import list_balances, wallet_balance
from members.access import Actor
from members.models import AuditEntry, Batch, Member, Operation
from skypemgr.text_files import ENCODINGS
from tests.factories import MemberFactory, OrganizationFactory

GIVEN = "E-mail,Amount,Reason\nann@acme.example,10.00,Trip\nBO.EKMAN,20.5,\n"


@pytest.fixture
def organization(db):
    organization = OrganizationFactory(slug="acme")
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return organization


@pytest.fixture
def people(organization):
    return [
        MemberFactory(organization=organization, user__email="ann@acme.example"),
        MemberFactory(organization=organization, user__skype_name="bo.ekman"),
    ]


@pytest.fixture
def run(tmp_path):
    """What the command prints for programs about a file of this content, and why it refused, or ""."""

    def run(content, *words):
        file = tmp_path / "amounts.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        out = io.StringIO()
        try:
            call_command("allocate_credit", "--file", str(file), *words, "--organization=acme", "--json", stdout=out)
        except CommandError as refusal:
            return json.loads(out.getvalue()), str(refusal)
        return json.loads(out.getvalue()), ""

    return run


def balances(people):
    return list(list_balances(people[0].organization, people).values())


def test_everybody_in_it_gets_what_it_says(people, run):
    assert run(GIVEN) == ({"members": 2, "sum": "30.5000", "wallet": "69.5000", "errors": []}, "")

    assert balances(people) == [10, Decimal("20.5")]
    assert set(Transfer.objects.filter(operation="allocation").values_list("reason", flat=True)) == {"Trip", ""}
    assert AuditEntry.objects.get(action="credit.allocated").after == {"people": 2, "sum": "30.50 EUR"}
    assert Batch.objects.get().state == Batch.State.DONE


def test_a_dry_run_shows_who_would_get_how_much_and_gives_nobody_any(people, run):
    told, refusal = run(GIVEN, "--dry-run", "--key", "November")

    assert refusal == ""
    assert told == {
        "members": 0,
        "sum": "30.5000",
        "wallet": "100.0000",
        "errors": [],
        "would_get": 2,
        "shares": [
            {"row": 1, "person": "ann@acme.example", "amount": "10.0000", "reason": "Trip"},
            {"row": 2, "person": "BO.EKMAN", "amount": "20.5000", "reason": ""},
        ],
    }
    assert (balances(people), Batch.objects.count(), Operation.objects.count()) == ([0, 0], 0, 0)
    assert run(GIVEN, "--key", "November")[1] == "", "the key is still free"


def test_people_read_the_same_as_programs(people, tmp_path):
    file = tmp_path / "amounts.csv"
    file.write_text(GIVEN)

    def said(*words):
        out = io.StringIO()
        call_command("allocate_credit", "--file", str(file), *words, stdout=out)
        return out.getvalue().splitlines()

    shares = ["ann@acme.example: 10.00, Trip", "BO.EKMAN: 20.50"]
    assert said("--dry-run") == [*shares, "2 would get 30.50 in all.", "The wallet holds 100.00."]
    assert said() == ["2 got 30.50 in all.", "The wallet holds 69.50."]


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_all_that_is_wrong_is_told_row_by_row_and_nobody_gets_any(people, run, dry):
    told, refusal = run(f"{GIVEN}nobody@acme.example,1e3,a\x07b\nann@acme.example,0.001,\n", *dry)

    assert refusal.splitlines() == [
        "Nobody got any: 2 of 4 rows need a correction.",
        "Row 3, person: There is no member nobody@acme.example.",
        "Row 3, amount: Type an amount in plain digits, as 12.50.",
        "Row 3, reason: The reason holds a character that can’t be kept (U+0007). Type it again.",
        "Row 4, person: The same person as in row 1.",
        "Row 4, amount: Amounts in EUR have at most 2 decimals.",
    ]
    assert (told["members"], told["wallet"], told["error"]) == (0, "100.0000", refusal.splitlines()[0])
    assert [(error["row"], error["field"]) for error in told["errors"]] == [
        *((3, field) for field in ("person", "amount", "reason")),
        *((4, field) for field in ("person", "amount")),
    ]
    assert (balances(people), Batch.objects.count(), Operation.objects.count()) == ([0, 0], 0, 0)


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_too_little_is_told_with_the_true_balance_and_nobody_gets_any(people, run, dry):
    told, refusal = run(GIVEN.replace("10.00", "90.00"), *dry)

    assert refusal == "There is not enough credit: €100.00 of €110.50."
    assert told == {"members": 0, "sum": "110.5000", "wallet": "100.0000", "errors": [], "error": refusal}
    assert (balances(people), Batch.objects.count()) == ([0, 0], 0)


def test_the_same_key_gives_the_first_answer_whatever_has_become_of_the_people(people, run):
    first = run(GIVEN, "--key", "November")
    Member.objects.filter(pk=people[0].pk).update(state=Member.State.LEFT)

    assert run(GIVEN, "--key", "November") == first
    assert run(f"{GIVEN}\n", "--key", "November")[1].startswith("This form was already sent")
    assert balances(people) == [10, Decimal("20.5")]


def test_a_key_names_an_amount_for_all_or_a_file_and_not_both(people, run):
    run(GIVEN, "--key", "November")

    with pytest.raises(CommandError, match="already sent"):
        call_command("allocate_credit", "--amount=1", "--all", "--key=November", "--organization=acme")
    call_command("allocate_credit", "--amount=1", "--all", "--key=December", "--organization=acme")
    assert "already sent" in run(f"{GIVEN}\n", "--key", "December")[1]
    assert balances(people) == [11, Decimal("21.5")]


def test_a_key_of_what_was_refused_serves_the_corrected_file(people, run):
    assert "1 of 2 rows" in run(GIVEN.replace("20.5", "x"), "--key", "November")[1]

    assert run(GIVEN, "--key", "November")[1] == ""
    assert balances(people) == [10, Decimal("20.5")]


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_the_same_file_under_another_key_is_refused(people, run, dry):
    run(GIVEN)

    told, refusal = run(GIVEN, *dry)

    assert "This file was already taken in" in refusal
    assert told["members"] == 0
    assert balances(people) == [10, Decimal("20.5")]


@pytest.mark.parametrize("codec", list(ENCODINGS))
def test_every_encoding_that_an_import_reads_is_read_when_it_is_named(people, run, codec):
    reason = "Резюме" if codec == "cp1251" else "Ausflug nach Zürich"
    name = ENCODINGS[codec].name.lower().replace(" ", "-")
    content = f"E-mail;Amount;Reason\nann@acme.example;5;{reason}\n".encode(codec)

    told, refusal = run(content, "--encoding", name, "--dry-run")

    assert refusal == ""
    assert told["shares"][0]["reason"] == reason


def test_a_file_that_says_nothing_in_the_encoding_that_was_named_is_refused(people, run):
    assert "not UTF-8 to its end" in run("Medlem;Summa;Skäl\n".encode("cp1252"), "--encoding", "utf-8")[1]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"PK\x03\x04", "spreadsheet"),
        (b"E-mail,First name\nann@acme.example,Ann\n", "Call them E-mail and Amount."),
        (b"E-mail,Amount\n", "no rows"),
    ],
)
def test_what_is_no_such_file_is_refused(people, run, content, why):
    told, refusal = run(content)

    assert why in refusal
    assert told["members"] == 0


def test_a_file_that_is_not_there_is_refused(organization):
    with pytest.raises(CommandError, match=r"nowhere\.csv: No such file"):
        call_command("allocate_credit", "--file=nowhere.csv", "--organization=acme")


@pytest.mark.parametrize(
    "words",
    [
        ["--file=a.csv", "--amount=1"],
        ["--file=a.csv", "--reason=x"],
        ["--file=a.csv", "--all"],
        ["--file=a.csv", "--not-under-it"],
        ["--all", "--amount=1", "--encoding=utf-8"],
    ],
)
def test_wrong_usage_is_told_from_a_refusal(organization, words):
    with pytest.raises(CommandError, match="not allowed"):
        call_command("allocate_credit", *words, "--organization=acme")


def test_more_than_a_page_waits_for_get_it_at_once(people, run, monkeypatch):
    monkeypatch.setattr("members.batches.AT_ONCE", 1)

    assert run(GIVEN)[0]["members"] == 2
    assert balances(people) == [10, Decimal("20.5")]


def test_what_was_spent_since_does_not_change_the_first_answer(people, run):
    first = run(GIVEN, "--key", "November")
    fund(organization=people[0].organization, actor=Actor.system(), amount=Decimal(5), key=uuid4())

    assert run(GIVEN, "--key", "November") == first
    assert wallet_balance(people[0].organization) == Decimal("74.5")
