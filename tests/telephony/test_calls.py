"""Calls that are imported: whose they are, what they cost, and what they add up to."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from credit.models import Transfer
from credit.selectors.balances import balance_of
from members.models import AuditEntry, Organization
from members.services.departments import merge_departments
from reports.asked import Asked, Cut, Days
from reports.selectors.usage import Usage, usage_by
from reports.tables import cut_report
from skypemgr.invariants import find_violations
from telephony.call_errors import CodeTaken, NothingWaits
from telephony.models import AccountCode, Call, CallKey, DayUsage, MemberUsage, NumberAssignment
from telephony.rating import Rate, charge
from telephony.services.call_queues import assign_calls, rate_waiting_calls
from telephony.services.call_work import make_room_ahead
from telephony.services.usage import rebuild_usage
from tests.credit.recharges import pay, recharged
from tests.credit.recharges import plan as recharging
from tests.factories import (
    DepartmentFactory,
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    SeatFactory,
)

from .calls import PRICES, START, SYSTEM, a_call, feed, imported, with_rates, wrong_sums

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def company():
    with_rates()
    return OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")


@pytest.fixture
def marie(company):
    department = DepartmentFactory(organization=company, name="Chantiers", path="Chantiers")
    return MemberFactory(organization=company, user__skype_name="marie.curie", department=department)


def the_call(number=1):
    return Call.objects.get(id=CallKey.objects.get(external_id=f"call-{number}").pk)


def outcomes():
    keys = dict(CallKey.objects.values_list("pk", "external_id"))
    return {keys[pk].removeprefix("call-"): outcome for pk, outcome in Call.objects.values_list("id", "outcome")}


def has_number(member, number, since=LONG_AGO, until=None):
    organization = member.organization
    area = NumberAreaFactory(country=organization.country, city="Paris", region="")
    owned = PhoneNumberFactory(number=number, area=area, organization=organization, acquired_at=LONG_AGO)
    return NumberAssignment.objects.create(
        organization=organization,
        number=owned,
        member=member,
        emergency_address=EmergencyAddressFactory(organization=organization),
        since=since,
        until=until,
    )


def sums_agree(organization):
    """The sums are those of the calls, and what was charged is what the ledger says."""
    assert rebuild_usage(actor=SYSTEM, organization=organization, check=True).differences == []
    charged = Call.objects.filter(organization=organization).aggregate(sum=Sum("charge"))["sum"] or 0
    used = Transfer.objects.filter(organization=organization, operation="charge").aggregate(sum=Sum("amount"))["sum"]
    assert charged == (used or 0)
    return charged


def test_a_call_is_charged_to_whoever_made_it_and_added_up(company, marie):
    done = imported(company, [a_call(1, account="marie.curie", seconds=61)])

    assert (done.added, done.charged) == (1, Decimal("0.1000"))
    call = the_call()
    assert (call.member, call.department.path, call.destination, call.outcome) == (marie, "Chantiers", "Spain", "rated")
    assert (call.billed_seconds, call.price, call.charge, call.country) == (120, Decimal("0.1"), Decimal("0.1"), "ES")
    assert balance_of(company, marie) == Decimal("-0.1000")
    transfer = Transfer.objects.get(operation="charge")
    assert (transfer.amount, transfer.happened_at) == (Decimal("0.1"), call.at)
    assert sums_agree(company) == Decimal("0.1000")
    [entry] = AuditEntry.objects.filter(organization=company, action="calls.imported")
    assert entry.after == {"source": "pbx", "calls": 1, "amount": "0.1000"}


def test_the_same_calls_again_add_nothing_even_with_another_start(company, marie):
    calls = [a_call(number, account="marie.curie") for number in range(3)]
    imported(company, calls)

    again = imported(company, [*calls, a_call(2, account="marie.curie", at=START + timedelta(days=40))])

    assert (again.added, again.duplicates, again.charged) == (0, 4, 0)
    assert Call.objects.count() == 3
    assert imported(company, calls, source="another").added == 3
    assert sums_agree(company) == Decimal("0.3000")


@pytest.mark.parametrize("account", ["marie.curie", "Marie.Curie", "marie@office.example", "MARIE", "2001"], ids=str)
def test_switches_name_people_by_code_skype_name_address_or_its_local_part(company, marie, account):
    type(marie).objects.filter(pk=marie.pk).update(email="marie@office.example")
    AccountCode.objects.create(organization=company, code="2001", member=marie)

    assert imported(company, [a_call(1, account=account)]).unassigned == 0
    assert the_call().member == marie


def test_a_local_part_that_two_have_names_nobody(company, marie):
    other = MemberFactory(organization=company)
    for member, address in ((marie, "sam@one.example"), (other, "sam@two.example")):
        type(marie).objects.filter(pk=member.pk).update(email=address)

    assert imported(company, [a_call(1, account="sam")]).unassigned == 1
    call = the_call()
    assert (call.member, call.outcome, call.charge, call.account) == (None, "unassigned", 0, "sam")
    assert sums_agree(company) == 0


def test_people_of_other_organizations_are_nobody(company, marie):
    stranger = MemberFactory(user__skype_name="stranger")
    has_number(stranger, "+33199000009")

    done = imported(company, [a_call(1, account="stranger"), a_call(2, from_="+33199000009")])

    assert done.unassigned == 2


def test_a_number_is_of_whoever_had_it_then(company, marie):
    successor = MemberFactory(organization=company)
    first = has_number(marie, "+33199000001", until=START)
    NumberAssignment.objects.create(
        organization=company,
        number=first.number,
        member=successor,
        emergency_address=first.emergency_address,
        since=START,
    )
    imported(
        company,
        [
            a_call(1, from_="0199000001", at=START - timedelta(seconds=1)),
            a_call(2, from_="+33 1 99 00 00 01", at=START),
            a_call(3, from_="+33199000002"),
        ],
    )

    assert [the_call(number).member for number in (1, 2, 3)] == [marie, successor, None]


def test_calls_inside_that_come_in_are_short_or_not_answered_cost_nothing(company, marie):
    has_number(marie, "+33199000001")
    mine = {"account": "marie.curie"}
    done = imported(
        company,
        [
            a_call(1, to="+33199000001", **mine, from_="+33199000001"),
            a_call(2, to="+33199000001", from_="+34912345678"),
            a_call(3, to="112", **mine),
            a_call(4, answered=False, **mine),
            a_call(5, to="marie.curie", from_="+33199000001", **mine),
            a_call(6, to="+33199000001", from_="+34912345678", direction="inbound"),
        ],
    )

    assert (done.added, done.charged, done.unassigned, done.unrated) == (6, 0, 0, 0)
    assert outcomes() == {
        "1": "internal",
        "2": "inbound",
        "3": "emergency",
        "4": "unanswered",
        "5": "internal",
        "6": "inbound",
    }
    assert {call.member for call in Call.objects.all()} == {marie}
    [day] = DayUsage.objects.all()
    assert (day.calls, day.answered, day.seconds, day.charge) == (6, 5, 300, 0)


def test_a_call_without_a_rate_waits_and_is_not_free(company, marie):
    done = imported(company, [a_call(1, account="marie.curie", to="+81312345678")])

    assert (done.unrated, done.charged) == (1, 0)
    assert (the_call().outcome, the_call().price) == ("unrated", None)


def test_the_department_is_that_of_then(company, marie):
    before = marie.department
    imported(company, [a_call(1, account="marie.curie")])
    marie.department = DepartmentFactory(organization=company)
    marie.save(update_fields=["department"])

    imported(
        company,
        [a_call(2, account="marie.curie", at=datetime.now(UTC) + timedelta(hours=1)), a_call(3, account="marie.curie")],
    )

    assert [the_call(number).department for number in (1, 2, 3)] == [before, marie.department, before]
    assert sums_agree(company) == Decimal("0.1500")


def test_a_department_that_had_calls_can_go_and_they_stay(company, marie):
    imported(company, [a_call(1, account="marie.curie")])
    gone, into = marie.department, DepartmentFactory(organization=company)

    merge_departments(actor=SYSTEM, organization=company, department=gone, into=into)

    first, last = date(2026, 10, 1), date(2026, 10, 31)
    [row] = cut_report("usage").table(company, Asked(Days(first, last, whole=True), Cut.DEPARTMENT)).rows
    assert (row.key, row.values["department"], row.values["calls"]) == (gone.pk, "", 1)
    sums_agree(company)


def test_a_call_dearer_than_the_balance_is_booked_in_full_and_recharged_at_once(company, marie):
    pay(company, 100)
    recharging(company, marie, amount=10, below=5, limit=50)
    assert balance_of(company, marie) == 10

    imported(company, [a_call(1, account="marie.curie", seconds=60 * 400)])

    assert recharged(marie) == 30
    assert balance_of(company, marie) == Decimal("10.0000")
    assert sums_agree(company) == 20


class TestPlans:
    """What a plan covers costs nothing, for as many minutes a month as it says."""

    @pytest.fixture
    def talker(self, company):
        SeatFactory(
            license=LicenseFactory(organization=company, code="calling-plan-international"),
            member=(member := MemberFactory(organization=company, user__skype_name="talker")),
            assigned_at=LONG_AGO,
        )
        return member

    def of(self, minutes, number, **facts):
        return a_call(number, account="talker", seconds=minutes * 60, **facts)

    def test_minutes_are_used_up_and_then_paid(self, company, talker):
        done = imported(company, [self.of(599, 1), self.of(2, 2), self.of(1, 3, to="+33123456789")])

        assert outcomes() == {"1": "covered", "2": "rated", "3": "covered"}
        assert (the_call(1).plan, the_call(1).charge, the_call(1).price) == (
            "calling-plan-international",
            0,
            Decimal("29.95"),
        )
        assert the_call(3).plan == "calling-plan-domestic"
        assert done.charged == Decimal("0.1000") == sums_agree(company)

    def test_a_month_begins_with_all_its_minutes(self, company, talker):
        midnight = datetime(2026, 10, 31, 23, tzinfo=UTC)
        imported(
            company, [self.of(600, 1), self.of(600, 2, at=midnight), self.of(1, 3, at=midnight - timedelta(seconds=1))]
        )

        assert outcomes() == {"1": "covered", "2": "covered", "3": "rated"}

    def test_an_older_call_that_comes_late_takes_the_minutes_of_a_later_one(self, company, talker):
        imported(company, [self.of(600, 5)])
        late = imported(company, [self.of(1, 1)])

        assert outcomes() == {"5": "rated", "1": "covered"}
        assert late.charged == Decimal("30.0000") == sums_agree(company)
        assert balance_of(company, talker) == -30

    def test_who_got_the_seat_later_pays(self, company, marie):
        SeatFactory(license=LicenseFactory(organization=company, code="subscription-unlimited-world"), member=marie)

        imported(company, [a_call(1, account="marie.curie")])

        assert outcomes() == {"1": "rated"}

    def test_no_plan_covers_what_is_paid_with_the_call(self, company, talker):
        done = imported(company, [self.of(1, 1, to="+33123456789"), self.of(1, 2, to="+33891234567")])

        assert outcomes() == {"1": "covered", "2": "rated"}
        assert done.charged == Decimal("0.0200") == sums_agree(company)

    def test_what_has_no_limit_covers_all(self, company, marie):
        seats = LicenseFactory(organization=company, code="subscription-unlimited-world")
        SeatFactory(license=seats, member=marie, assigned_at=LONG_AGO)

        imported(company, [a_call(number, account="marie.curie", seconds=36_000) for number in range(9)])

        assert set(outcomes().values()) == {"covered"}
        assert the_call(0).plan == "subscription-unlimited-world"

    def test_no_order_changes_what_is_covered(self, company, talker):
        calls = [
            self.of(random.Random(number).randint(1, 90), number, at=START + timedelta(minutes=number // 2))
            for number in range(40)
        ]
        totals = set()
        for seed in range(3):
            shuffled = random.Random(seed).sample(calls, len(calls))
            source = f"feed {seed}"
            other = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris")
            member = MemberFactory(organization=other, user__skype_name=f"talker.{seed}")
            seats = LicenseFactory(organization=other, code="calling-plan-international")
            SeatFactory(license=seats, member=member, assigned_at=LONG_AGO)
            feed = [call | {"account": f"talker.{seed}"} for call in shuffled]
            for piece in (feed[:15], feed[10:25], feed[20:]):
                imported(other, piece, source=source)
            totals.add((sums_agree(other), Call.objects.filter(organization=other, outcome="covered").count()))

        assert len(totals) == 1
        assert totals.pop()[0] > 0


def test_each_charge_is_what_an_exact_calculation_gives(company, marie):
    lengths = {number: random.Random(number).randint(1, 4_000) for number in range(60)}
    numbers = ["+34912345678", "+34671234567", "+33123456789", "+46812345678"]
    imported(
        company,
        [a_call(n, account="marie.curie", seconds=s, to=numbers[n % 4]) for n, s in lengths.items()],
    )

    prefixes = ["34", "3467", "33", "46"]
    for number, seconds in lengths.items():
        exact = charge(Rate(per_minute=Decimal(PRICES[prefixes[number % 4]])), seconds)
        assert the_call(number).charge == exact
        assert exact == Decimal(PRICES[prefixes[number % 4]]) * -(-seconds // 60)
    sums_agree(company)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Paris", "2026-10-31T22:59:59", "2026-10-31T23:00:00"),
        ("America/New_York", "2026-11-01T03:59:59", "2026-11-01T04:00:00"),
        ("Asia/Kolkata", "2026-10-31T18:29:59", "2026-10-31T18:30:00"),
    ],
)
def test_months_and_days_are_those_of_the_organization(company, marie, zone, before, after):
    type(company).objects.update(time_zone=zone)
    company.refresh_from_db()
    moments = [datetime.fromisoformat(f"{moment}+00:00") for moment in (before, after)]
    imported(company, [a_call(number, account="marie.curie", at=at) for number, at in enumerate(moments)])

    october = usage_by(company, first=date(2026, 10, 1), last=date(2026, 10, 31), cut=Cut.MEMBER).all()
    november = usage_by(company, first=date(2026, 11, 1), last=date(2026, 11, 30), cut=Cut.MEMBER).all()
    assert [found[marie.pk].calls for found in (october, november)] == [1, 1]
    assert sorted(MemberUsage.objects.values_list("month", flat=True)) == [date(2026, 10, 1), date(2026, 11, 1)]
    sums_agree(company)


@pytest.mark.parametrize("cut", list(Cut))
def test_every_cut_of_any_range_comes_to_what_the_calls_say(company, marie, cut):
    chance = random.Random(5)
    start = datetime(2026, 8, 20, tzinfo=UTC)
    calls = [
        a_call(
            number,
            account=chance.choice(["marie.curie", "nobody"]),
            to=chance.choice(["+34912345678", "+33123456789", "112"]),
            at=start + timedelta(minutes=chance.randrange(60 * 24 * 90)),
            seconds=chance.randrange(900),
        )
        for number in range(120)
    ]
    imported(company, calls)

    for first, last in [
        (date(2026, 9, 1), date(2026, 10, 31)),
        (date(2026, 8, 25), date(2026, 11, 3)),
        (date(2026, 10, 25), date(2026, 10, 25)),
    ]:
        total = sum(usage_by(company, first=first, last=last, cut=cut).all().values(), Usage())
        within = Call.objects.filter(organization=company, day__range=(first, last))
        facts = within.aggregate(seconds=Sum("seconds", default=0), cost=Sum("charge", default=0))
        assert (total.seconds, total.cost) == (facts["seconds"], facts["cost"])
        assert total.attempts == within.count()
        assert total.calls == within.exclude(answered_at=None).count()


def test_what_differs_is_told_and_mended(company, marie):
    imported(company, [a_call(number, account="marie.curie") for number in range(3)])
    DayUsage.objects.update(charge=9)
    MemberUsage.objects.all().delete()

    told = rebuild_usage(actor=SYSTEM, organization=company, check=True)
    assert [one["of"] for one in told.differences] == ["day by department", "month by member"]
    assert told.days == 1
    assert DayUsage.objects.get().charge == 9
    rebuild_usage(actor=SYSTEM, organization=company)

    assert sums_agree(company) == Decimal("0.1500")
    assert MemberUsage.objects.get().calls == 3


def test_a_chunk_takes_as_many_statements_as_one_call(company, marie):
    imported(company, [a_call(0, account="marie.curie")])
    with CaptureQueriesContext(connection) as few:
        imported(company, [a_call(1, account="marie.curie")])
    with CaptureQueriesContext(connection) as many:
        imported(company, [a_call(number, account="marie.curie") for number in range(2, 300)])

    assert len(many) <= len(few)


def test_there_is_room_for_the_months_to_come():
    assert make_room_ahead() > 0
    assert make_room_ahead() == 0


def test_sums_that_contradict_each_other_are_found(company, marie):
    imported(company, [a_call(1, account="marie.curie", at=datetime.now(UTC))])

    def found():
        return [one.message for one in find_violations() if "calls" in one.message or "add up" in one.message]

    assert found() == []

    DayUsage.objects.update(charge=9)

    assert found() == ["1 months add up to something else than their days."]


class TestCommands:
    """``import_calls``, ``report`` and ``rebuild_usage`` as scripts call them."""

    def run(self, capsys, *words):
        call_command(*words, "--json")
        return json.loads(capsys.readouterr().out)

    def test_calls_are_imported_reported_and_checked(self, company, marie, tmp_path, capsys):
        file = tmp_path / "calls.csv"
        file.write_bytes(feed([a_call(1, account="marie.curie"), a_call(2, account="nobody")]) + b"\nbroken")

        first, again = (self.run(capsys, "import_calls", str(file), "--format", "skypemgr") for _time in range(2))
        assert {name: first[name] for name in ("added", "duplicates", "unassigned", "unrated", "charged")} == {
            "added": 2,
            "duplicates": 0,
            "unassigned": 1,
            "unrated": 0,
            "charged": "0.0500",
        }
        assert [one["row"] for one in first["errors"]] == [3]
        assert (again["added"], again["duplicates"], again["charged"]) == (0, 2, "0.0000")
        days = ["--from", "2026-10-01", "--to", "2026-10-31"]
        told = self.run(capsys, "report", "usage", *days, "--by", "member")
        assert told["rows"] == [
            {"member": "marie.curie", "calls": 1, "seconds": 60, "cost": "0.0500"},
            {"member": "", "calls": 1, "seconds": 60, "cost": "0.0000"},
        ]
        assert told["total"] == {"calls": 2, "seconds": 120, "cost": "0.0500"}
        assert self.run(capsys, "rebuild_usage", "--check") == {"days": 1, "differences": []}

    def test_nothing_is_kept_of_what_was_only_tried(self, company, marie, tmp_path, capsys):
        file = tmp_path / "calls.csv"
        file.write_bytes(feed([a_call(1, account="marie.curie")]))

        tried = self.run(capsys, "import_calls", str(file), "--format", "skypemgr", "--dry-run")

        assert (tried["added"], tried["would_add"], tried["charged"]) == (0, 1, "0.0500")
        assert (Call.objects.count(), CallKey.objects.count(), DayUsage.objects.count()) == (0, 0, 0)
        assert not Transfer.objects.filter(operation="charge").exists()

    @pytest.mark.parametrize("format_", ["csv", "xlsx", "json", "pdf"])
    def test_reports_are_written_to_files(self, company, marie, tmp_path, format_):
        imported(company, [a_call(1, account="marie.curie")])
        file = tmp_path / "report"
        days = ["--from", "2026-10-01", "--to", "2026-10-31"]

        call_command("report", "usage", *days, "--by", "department", "--format", format_, "--output", str(file))

        if format_ == "csv":
            assert file.read_text("utf-8-sig").splitlines() == [
                "department,calls,seconds,cost",
                "Chantiers,1,60,0.0500",
            ]
        elif format_ == "json":
            assert json.loads(file.read_text())["total"]["cost"] == "0.0500"
        elif format_ == "pdf":
            assert file.read_bytes().startswith(b"%PDF")
        else:
            assert file.read_bytes().startswith(b"PK")

    def test_spending_allocations_and_purchases_come_from_the_ledger(self, company, marie, capsys):
        pay(company, 100)
        recharging(company, marie, amount=10, below=5, limit=50)
        imported(company, [a_call(1, account="marie.curie", at=datetime.now(UTC))])
        days = ["--from", "2026-01-01", "--to", "2099-12-31"]

        spending, by_member, allocations, purchases = (
            self.run(capsys, "report", *words, *days)
            for words in (
                ("spending",),
                ("spending", "--by", "member"),
                ("allocations", "--by", "department"),
                ("purchases", "--by", "day"),
            )
        )
        assert spending["total"] == {"calls": "0.0500", "fees": "0.0000", "cost": "0.0500"}
        assert [row["member"] for row in by_member["rows"]] == ["marie.curie"]
        assert allocations["rows"] == [{"department": "Chantiers", "allocations": 1, "amount": "10.0000"}]
        assert (purchases["total"]["amount"], len(purchases["rows"])) == ("100.0000", 1)
        with pytest.raises(CommandError):
            call_command("report", "purchases", *days, "--by", "destination")

    @pytest.mark.parametrize(("name", "column"), [("numbers", "number"), ("readiness", "member")])
    def test_lists_are_reports_too(self, company, marie, capsys, name, column):
        has_number(marie, "+33199000001")

        told = self.run(capsys, "report", name, "--from", "2026-01-01", "--to", "2026-12-31")

        assert all(column in row for row in told["rows"])
        assert len(told["rows"]) == (name == "numbers")

    def test_sums_that_differ_exit_with_one(self, company, marie, capsys):
        imported(company, [a_call(1, account="marie.curie")])
        wrong_sums(company)

        with pytest.raises(CommandError):
            call_command("rebuild_usage", "--check", "--json")
        assert len(json.loads(capsys.readouterr().out)["differences"]) == 1


class TestQueues:
    """Calls of nobody are given to somebody, calls without a rate are rated again."""

    def test_calls_of_nobody_become_somebody_s(self, company, marie):
        imported(company, [*(a_call(number, account="2001") for number in range(3)), a_call(9, account="2002")])
        assert sums_agree(company) == 0

        resolved = assign_calls(actor=SYSTEM, organization=company, member=marie, account="2001", remember=True)

        assert (resolved.calls, resolved.waiting, resolved.charged) == (3, 0, Decimal("0.1500"))
        assert balance_of(company, marie) == Decimal("-0.1500")
        assert (the_call(1).member, the_call(1).department, the_call(9).member) == (marie, marie.department, None)
        assert sums_agree(company) == Decimal("0.1500")
        assert imported(company, [a_call(10, account="2001")]).unassigned == 0
        with pytest.raises(NothingWaits):
            assign_calls(actor=SYSTEM, organization=company, member=marie, account="2001")
        with pytest.raises(CodeTaken):
            other = MemberFactory(organization=company)
            assign_calls(actor=SYSTEM, organization=company, member=other, account="2001", remember=True)

    def test_nobody_of_another_organization_gets_calls_or_a_code(self, company, marie):
        imported(company, [a_call(1, account="2001")])

        with pytest.raises(PermissionDenied):
            assign_calls(actor=SYSTEM, organization=company, member=MemberFactory(), account="2001", remember=True)
        assert (the_call().outcome, AccountCode.objects.count()) == ("unassigned", 0)

    def test_what_is_only_tried_is_not_kept(self, company, marie):
        imported(company, [a_call(1, account="2001")])

        tried = assign_calls(
            actor=SYSTEM, organization=company, member=marie, account="2001", remember=True, dry_run=True
        )

        assert tried.charged == Decimal("0.0500")
        assert (the_call().outcome, AccountCode.objects.count(), sums_agree(company)) == ("unassigned", 0, 0)

    def test_calls_without_a_rate_are_rated_when_there_is_one(self, company, marie):
        imported(
            company,
            [
                a_call(1, account="marie.curie", to="+81312345678"),
                a_call(2, account="marie.curie", to="+996312345678"),
            ],
        )
        with_rates(PRICES | {"81": "0.400000"})

        resolved = rate_waiting_calls(actor=SYSTEM, organization=company)

        assert (resolved.calls, resolved.waiting, resolved.charged) == (1, 1, Decimal("0.4000"))
        assert (the_call(1).destination, the_call(2).outcome) == ("Japan", "unrated")
        assert sums_agree(company) == Decimal("0.4000")
        assert rate_waiting_calls(actor=SYSTEM, organization=company).calls == 0

    def test_commands_do_the_same(self, company, marie, capsys):
        imported(company, [a_call(1, account="2001"), a_call(2, account="marie.curie", to="+81312345678")])
        with_rates(PRICES | {"81": "0.400000"})

        call_command("assign_calls", "--account", "2001", "--member", "marie.curie", "--json")
        assert json.loads(capsys.readouterr().out) == {"calls": 1, "waiting": 0, "charged": "0.0500"}
        call_command("rate_calls", "--json")
        assert json.loads(capsys.readouterr().out) == {"calls": 1, "waiting": 0, "charged": "0.4000"}


def test_the_demo_company_has_calls_when_asked(db, capsys):
    call_command("seed_demo", "--members", "12", "--calls", "300", "--json")
    made = json.loads(capsys.readouterr().out)

    company = Organization.objects.get(slug=made["slug"])
    assert made["calls"] == 300 == Call.objects.filter(organization=company).count()
    assert not Call.objects.filter(outcome__in=["unassigned", "unrated"]).exists()
    assert rebuild_usage(actor=SYSTEM, organization=company, check=True).differences == []
    call_command("seed_demo", "--calls", "310", "--json")
    assert Call.objects.filter(organization=company).count() == 310
