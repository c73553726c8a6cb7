"""Feeds of calls that come at once."""

from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from uuid import uuid4

import pytest
from django.db.models import Sum

from credit.models import Transfer
from telephony.call_errors import UploadNotOpen
from telephony.models import Call, CallImport, CallKey, CallUpload
from telephony.services import call_upload_work
from telephony.services.call_upload_work import advance_upload, advance_uploads
from telephony.services.call_uploads import import_upload, stop_upload, upload_calls
from telephony.services.calls import import_calls
from telephony.services.usage import rebuild_usage
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.telephony.calls import SYSTEM, a_call, feed, read, with_rates

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


def uploaded(organization, numbers, *, trial=False):
    """A file of calls that was taken in, and what carries it on as a worker of its own does."""
    run = upload_calls(
        actor=SYSTEM,
        organization=organization,
        file=BytesIO(feed([a_call(number, account="caller") for number in numbers])),
        file_name="calls.csv",
        format="skypemgr",
        source="file",
        time_zone="UTC",
        key=uuid4(),
        trial=trial,
    )
    return run, lambda: advance_upload(
        CallUpload.objects.select_related("imported__organization", "imported__imported_by__user").get(imported=run)
    )


@pytest.mark.parametrize("trial", [False, True])
def test_two_workers_at_one_file_count_each_of_its_rows_once(race, company, monkeypatch, trial):
    monkeypatch.setattr(call_upload_work, "CHUNK", 5)
    run, work = uploaded(company, range(20), trial=trial)

    race(work, work)
    CallUpload.objects.exclude(state="tried").update(attempts=0)
    advance_uploads()

    run.refresh_from_db()
    assert (run.rows, run.added, run.duplicates) == (20, 20, 0)
    assert Call.objects.count() == (0 if trial else 20)
    assert rebuild_usage(actor=SYSTEM, organization=company, check=True).differences == []


READ = '^SELECT .* FROM "telephony_callupload"'


def forgotten_while_it_is_imported(meanwhile, organization, **how):
    """Somebody forgets a file that was tried, and has just read how it is; somebody else imports it."""
    run, work = uploaded(organization, range(3), trial=True)
    work()
    forget, begin = (
        partial(verb, actor=SYSTEM, organization=organization, imported=run) for verb in (stop_upload, import_upload)
    )
    held = meanwhile(forget, begin, at=READ, **how)
    assert held.first is None
    assert not CallImport.objects.exists()
    return held


def test_a_file_that_is_forgotten_while_somebody_imports_it_is_gone_and_they_are_told(meanwhile, company):
    held = forgotten_while_it_is_imported(meanwhile, company)

    assert held.waited
    assert isinstance(held.second, UploadNotOpen)


def test_control_without_the_lock_an_import_is_confirmed_of_a_file_that_goes(meanwhile, company):
    held = forgotten_while_it_is_imported(meanwhile, company, unlocked=True)

    assert held.second is None
