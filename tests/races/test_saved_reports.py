"""Reports that two workers send in the same morning."""

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from members.jobs import Run
from members.models import Letter
from members.periods import Every, period_named
from reports.models import SavedReport
from reports.services.report_letters import send_reports
from tests.factories import MemberFactory, SavedReportFactory

pytestmark = pytest.mark.django_db(transaction=True)
CONFLICT = r" ON CONFLICT \(saved_id, member_id, due_on\) DO NOTHING"


@pytest.fixture
def run():
    boss = MemberFactory(admin=True)
    other = MemberFactory(organization=boss.organization, admin=True)
    SavedReportFactory(saved_by=boss, readers=[boss, other])
    SavedReport.objects.update(saved_at=datetime(2026, 1, 15, tzinfo=UTC))
    return Run(period_named("2026-11-01", Every.DAY, ZoneInfo(boss.organization.time_zone)), boss.organization)


def letters():
    return Letter.objects.filter(kind=Letter.Kind.REPORT).count()


def test_two_workers_who_send_reports_at_once_write_each_letter_once(race, run):
    outcomes = race(*[partial(send_reports, run)] * 2)

    assert outcomes == [None, None]
    assert letters() == 2


def test_control_without_its_conflict_the_second_fails_in_the_database(run, meanwhile):
    """Nothing but the unique key is left then, and nothing is sent twice."""
    both = [partial(send_reports, run)] * 2
    held = meanwhile(*both, at="INSERT INTO reports_reportsending", unlocked=True, without=CONFLICT)

    assert held.first is None
    assert isinstance(held.second, IntegrityError)
    assert letters() == 2
