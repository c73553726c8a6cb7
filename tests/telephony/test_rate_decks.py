"""Rate decks are loaded from files, version by version; the database keeps each as it was."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction

from members.access import Actor
from members.models import AuditEntry, Member
from skypemgr.invariants import find_violations
from telephony.models import PrefixRate, RateDeck, RateDeckVersion, RateRange
from telephony.rate_file import RateRow
from telephony.services.rates import load_rates
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.decks import DAY

pytestmark = pytest.mark.django_db

HEADER = "prefix,destination,connection_fee,per_minute,first_increment,next_increment,currency,valid_from"
ROWS = (
    "44,GB,0.049,0.0230,60,60,EUR,2026-01-01",
    "4420,London,0,0.0060,30,6,EUR,2026-01-01",
    "447,GB mobile,0.2,0.1,60,1,EUR,2026-01-01",
    "33,FR,0,0.05,1,1,EUR,2026-01-01",
    "33,FR,0,0.04,1,1,EUR,2026-07-01",
)


@pytest.fixture
def load(tmp_path):
    def load(*rows, header=HEADER, options=()):
        file = tmp_path / "rates.csv"
        file.write_text("\n".join([header, *rows]) + "\n")
        out = io.StringIO()
        try:
            call_command("load_rates", str(file), "--json", *options, stdout=out)
        except CommandError:
            return {**json.loads(out.getvalue()), "refused": True}
        return json.loads(out.getvalue())

    return load


def counts(deck):
    return tuple(deck[name] for name in ("version", "new", "added", "changed", "removed"))


def test_a_file_is_a_version_and_the_same_again_is_none(load):
    found = load(*ROWS)

    assert (found["rates"], found["prefixes"], found["errors"]) == (5, 4, [])
    assert counts(found["decks"][0]) == (1, True, 5, 0, 0)
    version = RateDeckVersion.objects.get()
    assert (version.valid_from, version.decimals, version.file_name) == (DAY, 4, "rates.csv")
    again = load(*reversed(ROWS))
    assert (again["rates"], counts(again["decks"][0])) == (5, (1, False, 0, 0, 0))
    assert PrefixRate.objects.count() == 5
    assert PrefixRate.objects.get(prefix="4420").per_minute == Decimal("0.006")


def test_another_file_is_the_next_version_and_says_what_differs(load):
    load(*ROWS)

    found = load(*ROWS[1:4], "447,GB mobile,0.2,0.12,60,1,EUR,2026-07-01", ROWS[4].replace("0.04", "0.03"))

    assert counts(found["decks"][0]) == (2, True, 1, 1, 1)
    assert list(RateDeckVersion.objects.order_by("number").values_list("rates", flat=True)) == [5, 5]
    assert load(*ROWS, options=("--decimals", "2"))["decks"][0]["version"] == 3
    assert counts(load(*ROWS)["decks"][0]) == (4, True, 0, 0, 0)


def test_a_file_has_a_deck_for_each_currency(load):
    found = load(ROWS[0], ROWS[0].replace("EUR", "usd"), ROWS[1])

    assert (found["rates"], found["prefixes"]) == (3, 3)
    assert [(deck["currency"], deck["rates"]) for deck in found["decks"]] == [("EUR", 2), ("USD", 1)]


def test_prefixes_lie_side_by_side_as_ranges(load):
    load(*ROWS[:2], *ROWS[3:])

    july = datetime(2026, 7, 1, tzinfo=UTC)
    assert [(one.low, one.valid_from, one.per_minute) for one in RateRange.objects.order_by("low", "valid_from")] == [
        ("", None, None),
        ("33", None, Decimal("0.05")),
        ("33", july, Decimal("0.04")),
        ("34", None, None),
        ("44", None, Decimal("0.023")),
        ("4420", None, Decimal("0.006")),
        ("4421", None, Decimal("0.023")),
        ("45", None, None),
    ]
    assert all(one.rate.per_minute == one.per_minute for one in RateRange.objects.exclude(rate=None))


def test_an_organization_has_a_deck_of_its_own_in_its_currency(load):
    organization = OrganizationFactory(slug="lumiere", currency="EUR")
    options = ("--organization", "lumiere")
    load(*ROWS)

    assert load(ROWS[0], options=options)["decks"][0]["version"] == 1
    assert load(ROWS[0], options=options)["decks"][0]["new"] is False

    assert RateDeck.objects.filter(organization=organization).count() == 1
    entry = AuditEntry.objects.get(organization=organization, action="rates.loaded")
    assert entry.after == {"version": 1, "rates": 1, "currency": "EUR"}
    refused = load(ROWS[0].replace("EUR", "USD"), options=options)
    assert [(error["row"], error["field"]) for error in refused["errors"]] == [(1, "currency")]
    assert "There is no organization" in load(ROWS[0], options=("--organization", "nobody"))["error"]


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (",GB,0,0.02,60,60,EUR,2026-01-01", ["prefix"]),
        ("044,GB,0,0.02,60,60,EUR,2026-01-01", ["prefix"]),
        ("44x,GB,0,0.02,60,60,EUR,2026-01-01", ["prefix"]),
        ("4.4E+3,GB,0,0.02,60,60,EUR,2026-01-01", ["prefix"]),
        ("4412345678901234,GB,0,0.02,60,60,EUR,2026-01-01", ["prefix"]),
        ("٤٤,GB,0,0.02,60,60,EUR,2026-01-01", ["prefix"]),
        ("44,,0,0.02,60,60,EUR,2026-01-01", ["destination"]),
        (f"44,{'x' * 101},0,0.02,60,60,EUR,2026-01-01", ["destination"]),
        ("44,GB,-1,0.02,60,60,EUR,2026-01-01", ["connection_fee"]),
        ("44,GB,0,,60,60,EUR,2026-01-01", ["per_minute"]),
        ("44,GB,0,0.0200001,60,60,EUR,2026-01-01", ["per_minute"]),
        ('44,GB,0,"0,02",60,60,EUR,2026-01-01', ["per_minute"]),
        ("44,GB,0,1e-3,60,60,EUR,2026-01-01", ["per_minute"]),
        ("44,GB,0,NaN,60,60,EUR,2026-01-01", ["per_minute"]),
        ("44,GB,0,100000,60,60,EUR,2026-01-01", ["per_minute"]),
        ("44,GB,0,0.02,0,60,EUR,2026-01-01", ["first_increment"]),
        ("44,GB,0,0.02,60,86401,EUR,2026-01-01", ["next_increment"]),
        ("44,GB,0,0.02,60,6.5,EUR,2026-01-01", ["next_increment"]),
        ("44,GB,0,0.02,60,60,€,2026-01-01", ["currency"]),
        ("44,GB,0,0.02,60,60,EUX,2026-01-01", ["currency"]),
        ("44,GB,0,0.02,60,60,EUR,01/02/2026", ["valid_from"]),
        ("44,GB,0,0.02,60,60,EUR,2026-02-30", ["valid_from"]),
        ("44,GB,0,0.02,60,60,EUR,2026-01-01T00:00", ["valid_from"]),
        ("x,GB,0,x,60,60,EUR,", ["prefix", "per_minute", "valid_from"]),
    ],
)
def test_a_row_that_is_wrong_keeps_the_whole_file_out_and_is_named(load, row, fields):
    found = load(ROWS[0], row)

    assert (found["rates"], found["refused"]) == (0, True)
    assert [(error["row"], error["field"]) for error in found["errors"]] == [(2, field) for field in fields]
    assert not RateDeck.objects.exists()


def test_what_is_not_said_is_what_is_usual(load):
    load("+33,FR,0.050000000,eur,2026-01-01T01:00+01:00", header="Prefix,Destination,Per minute,Currency,Valid from")

    rate = PrefixRate.objects.get()
    assert (rate.prefix, rate.per_minute, rate.valid_from) == ("33", Decimal("0.05"), DAY)
    assert (rate.connection_fee, rate.first_increment, rate.next_increment) == (0, 60, 60)
    assert (rate.grace_seconds, rate.minimum_charge) == (0, 0)


def test_grace_and_a_minimum_charge_are_taken_too(load):
    load(f"{ROWS[0]},3,0.5", header=f"{HEADER},grace_seconds,minimum_charge")

    assert PrefixRate.objects.values_list("grace_seconds", "minimum_charge").get() == (3, Decimal("0.5"))


def test_a_rate_twice_in_a_file_is_taken_once_and_refused_when_it_says_two_things(load):
    assert load(ROWS[0], ROWS[0])["rates"] == 1

    found = load(ROWS[0], ROWS[1], ROWS[0].replace("0.0230", "0.0240"))

    assert [(error["row"], error["field"]) for error in found["errors"]] == [(3, "prefix")]


def test_a_file_without_the_columns_is_refused(load):
    assert "prefix" in load("44,0.02", header="code,price")["error"]


def test_to_try_a_file_loads_nothing_and_says_what_would_differ(load):
    load(*ROWS)

    found = load(*ROWS[:4], options=("--dry-run",))

    assert (found["rates"], found["would_load"], counts(found["decks"][0])) == (0, 4, (2, True, 0, 0, 1))
    assert RateDeckVersion.objects.count() == 1
    assert RateRange.objects.exists()


def test_rates_are_told_to_people(load, tmp_path, capsys):
    load(*ROWS)
    file = str(tmp_path / "rates.csv")

    call_command("load_rates", file)
    call_command("load_rates", file, "--decimals", "2", "--dry-run")

    assert capsys.readouterr().out.splitlines() == [
        "EUR: 5 rates of 4 prefixes, as version 1 has them.",
        "EUR: 5 rates of 4 prefixes, would be version 2: 0 added, 0 changed, 0 removed.",
    ]


ROW = RateRow(1, "44", "GB", Decimal(0), Decimal("0.02"), 60, 60, 0, Decimal(0), "EUR", DAY)


def test_rates_are_loaded_by_those_who_run_the_installation_alone():
    administrator = MemberFactory(role=Member.Role.ADMINISTRATOR)

    for organization in (None, administrator.organization):
        with pytest.raises(PermissionDenied):
            load_rates(actor=Actor.of_member(administrator), organization=organization, rows=[ROW])
    assert not RateDeck.objects.exists()


def test_who_loaded_a_version_stays_known_and_nothing_of_it_changes():
    operator = MemberFactory().user
    load_rates(actor=Actor.operator(operator), rows=[ROW])

    assert RateDeckVersion.objects.get().loaded_by == operator
    for model, change in (
        (RateDeckVersion, {"decimals": 2}),
        (PrefixRate, {"per_minute": 0}),
        (RateRange, {"rate": None}),
    ):
        for act in (lambda model=model, change=change: model.objects.update(**change), model.objects.all().delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                act()


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({}, "prefix_rate_from_once"),
        ({"prefix": "044"}, "prefix_rate_prefix_shape"),
        ({"prefix": "45", "per_minute": Decimal(-1)}, "prefix_rate_not_below_zero"),
        ({"prefix": "45", "next_increment": 0}, "prefix_rate_increments"),
        ({"prefix": "45", "destination": ""}, "prefix_rate_has_destination"),
    ],
)
def test_the_database_refuses_two_rates_of_a_moment_and_what_is_none(facts, constraint):
    load_rates(actor=Actor.system(), rows=[ROW])
    known = PrefixRate.objects.values().get()
    del known["id"]

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        PrefixRate.objects.create(**known | facts)


def test_the_database_refuses_two_versions_of_a_number_and_two_decks_of_a_currency():
    load_rates(actor=Actor.system(), rows=[ROW])
    version = RateDeckVersion.objects.get()

    with pytest.raises(IntegrityError, match="rate_deck_version_once"), transaction.atomic():
        RateDeckVersion.objects.create(deck=version.deck, number=1, valid_from=DAY, rates=1, prefixes=1)
    with pytest.raises(IntegrityError, match="rate_deck_of_currency_once"), transaction.atomic():
        RateDeck.objects.create(organization=None, currency="EUR")


def told():
    return [str(violation) for violation in find_violations() if "rate deck" in str(violation)]


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("telephony_raterange", "UPDATE telephony_raterange SET per_minute = 1 WHERE rate_id IS NOT NULL"),
        ("telephony_raterange", "DELETE FROM telephony_raterange WHERE low = ''"),
        ("telephony_ratedeckversion", "UPDATE telephony_ratedeckversion SET rates = 2"),
    ],
)
def test_a_version_that_is_not_as_it_was_loaded_is_found(table, statement):
    load_rates(actor=Actor.system(), rows=[ROW])
    assert told() == []

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)

    assert len(told()) == 1
