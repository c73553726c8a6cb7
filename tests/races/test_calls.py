"""Feeds of calls that come at once."""

from datetime import UTC, datetime
from functools import partial

import pytest
from django.db.models import Sum

from credit.models import Transfer
from telephony.models import Call, CallKey
from telephony.services.calls import import_calls
from telephony.services.usage import rebuild_usage
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.telephony.calls import SYSTEM, a_call, read, with_rates

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company():
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris")
    seats = LicenseFactory(organization=organization, code="calling-plan-international")
    member = MemberFactory(organization=organization, user__skype_name="talker")
    MemberFactory(organization=organization, user__skype_name="caller")
    SeatFactory(license=seats, member=member, assigned_at=datetime(2026, 1, 1, tzinfo=UTC))
    return organization


def feeding(organization, *calls, source="pbx"):
    return partial(
        import_calls, actor=SYSTEM, organization=organization, rows=read(calls), source=source, format="skypemgr"
    )


def sums_agree(organization):
    assert rebuild_usage(actor=SYSTEM, organization=organization, check=True).differences == []
    charged = Call.objects.aggregate(sum=Sum("charge"))["sum"]
    assert Transfer.objects.filter(operation="charge").aggregate(sum=Sum("amount"))["sum"] == charged


def test_two_feeds_at_once_add_up_and_charge_each_call_once(race, company):
    calls = [a_call(number, account="caller") for number in range(40)]
    imported = feeding(company, a_call(99, account="caller"))
    imported()

    outcomes = race(*(feeding(company, *calls[start:]) for start in (0, 10, 0, 20)))

    assert sum(one.added for one in outcomes) == 40
    assert Call.objects.count() == CallKey.objects.count() == 41
    sums_agree(company)


def test_two_feeds_of_a_month_that_nobody_knew_make_room_for_it_once(race, company):
    at = datetime(2004, 2, 29, tzinfo=UTC)
    outcomes = race(*(feeding(company, a_call(number, account="caller", at=at)) for number in range(6)))

    assert [one.added for one in outcomes] == [1] * 6


def long_talks(organization):
    """Two calls of 600 minutes each, in feeds of their own; a plan covers 600 a month."""
    return [feeding(organization, a_call(number, account="talker", seconds=36_000)) for number in (1, 2)]


def test_two_feeds_at_once_use_the_minutes_of_a_plan_up_once(race, company):
    feeding(company, a_call(99, account="caller"))()

    race(*long_talks(company))

    assert sorted(Call.objects.values_list("outcome", flat=True)) == ["covered", "rated", "rated"]
    sums_agree(company)


def test_control_without_the_lock_two_feeds_use_the_same_minutes(race, unguarded, company):
    feeding(company, a_call(99, account="caller"))()

    race(
        *unguarded(
            *long_talks(company),
            without=r"SELECT pg_advisory_xact_lock.*",
            instead="SELECT 1 WHERE %s <> ''",
            before="\n        INSERT INTO telephony_dayusage",
        )
    )

    assert sorted(Call.objects.values_list("outcome", flat=True)) == ["covered", "covered", "rated"]
