import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import jobs
from members.access import Actor
from members.jobs import Job
from members.models import JobRun, Organization
from members.months import change_time_zone, month_at, month_named, present_month
from members.periods import Every
from members.services import jobs as service
from members.services.jobs import run_due_jobs
from members.services.organization_settings import change_organization_settings
from tests.factories import OrganizationFactory

# Zones in which a month once began twice, or with no midnight, or at the edges of the day.
ZONES = [
    "America/Havana",
    "America/Asuncion",
    "Europe/Paris",
    "Pacific/Auckland",
    "America/Los_Angeles",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "UTC",
]
SECOND = dt.timedelta(seconds=1)


def utc(text):
    return dt.datetime.fromisoformat(f"{text}+00:00")


def months_seen(organization, start, changes):
    """The months that go by while an organization changes its zone: after so many hours, to another."""
    now, seen = start, []

    def look():
        month = month_at(organization, now)
        assert month.start <= now < month.end
        if not seen or seen[-1] != month:
            seen.append(month)
        return month

    for hours, zone in changes:
        until = now + dt.timedelta(hours=hours)
        while (month := look()).end <= until:
            now = month.end
        now = until
        change_time_zone(organization, zone, during=look())
    for _month in range(3):
        now = look().end
    return seen


def assert_in_order(months):
    for one, two in pairwise(months):
        assert one.end == two.start
        assert month_after(one.key) == two.key


def month_after(key):
    first = dt.date.fromisoformat(f"{key}-01")
    return (first + dt.timedelta(days=31)).strftime("%Y-%m")


@pytest.mark.parametrize("start", ["2026-10-20T12:00:00", "2023-09-20T12:00:00", "2028-02-10T12:00:00"])
@pytest.mark.parametrize("first", ZONES)
def test_a_zone_that_is_changed_loses_no_month_and_has_none_twice(first, start):
    for second in ZONES:
        organization = Organization(time_zone=first)
        present = month_at(organization, utc(start))

        months = months_seen(organization, utc(start), [(24, second)])

        assert_in_order(months)
        assert months[0] == present, "the month in which it was changed stays as it was"
        later = month_named(Organization(time_zone=second), months[2].key)
        assert months[2] == later, "the later ones are of the new zone"


@pytest.mark.parametrize("first", ZONES)
def test_a_zone_changed_a_minute_before_midnight_counts_from_that_midnight_on(first):
    for second in ZONES:
        organization = Organization(time_zone=first)
        end = month_at(organization, utc("2026-11-15T00:00:00")).end
        change_time_zone(organization, second, during=month_at(organization, end - dt.timedelta(minutes=1)))

        assert month_at(organization, end - SECOND).key == "2026-11"
        december = month_at(organization, end)
        assert (december.key, december.start) == ("2026-12", end)
        assert december.end == month_named(Organization(time_zone=second), "2026-12").end


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(ZONES),
    st.lists(st.tuples(st.one_of(st.integers(0, 3), st.integers(0, 1_500)), st.sampled_from(ZONES)), max_size=8),
)
def test_however_often_a_zone_is_changed_months_follow_each_other(first, changes):
    assert_in_order(months_seen(Organization(time_zone=first), utc("2026-09-28T05:00:00"), changes))


def test_months_before_the_change_still_follow_each_other():
    organization = Organization(time_zone="Pacific/Kiritimati")
    change_time_zone(organization, "Pacific/Pago_Pago", during=month_at(organization, utc("2026-11-15T00:00:00")))

    months = [month_named(organization, f"2026-{number}") for number in ("09", "10", "11", "12")]

    assert_in_order(months)
    for month in months:
        assert month_at(organization, month.start) == month_at(organization, month.end - SECOND) == month


@pytest.mark.django_db
def test_the_present_month_stays_as_it_was_when_the_zone_is_changed_twice():
    organization = OrganizationFactory(time_zone="Pacific/Auckland")
    before = present_month(organization)

    for zone in ("Pacific/Honolulu", "Europe/Paris"):
        organization = change_organization_settings(
            actor=Actor.system(),
            organization=organization,
            name=organization.name,
            time_zone=zone,
            language="en",
            allow_personal_accounts=True,
            show_colleagues=False,
        )
        assert present_month(organization) == before
        assert (organization.zone_month_start, organization.zone_month_end) == (before.start, before.end)
    after = month_at(organization, before.end)
    assert after.start == before.end
    assert after.end == month_named(Organization(time_zone="Europe/Paris"), after.key).end


@pytest.fixture
def done(monkeypatch):
    monkeypatch.setattr(jobs, "_jobs", {})
    runs = []
    work = lambda run: runs.append((run.organization.slug, run.period.key, run.period.start))  # noqa: E731
    jobs.add(Job(name="months", every=Every.MONTH, work=work, per_organization=True))
    return runs


@pytest.fixture
def clock(monkeypatch):
    return lambda instant: monkeypatch.setattr(service, "database_now", lambda: instant)


@pytest.mark.django_db
@pytest.mark.parametrize("zones", [("Pacific/Kiritimati", "Pacific/Pago_Pago"), ("Pacific/Pago_Pago", "Asia/Tokyo")])
def test_a_monthly_job_runs_when_the_month_begins_also_after_a_change_of_zone(done, clock, zones):
    organization = OrganizationFactory(slug="a", time_zone=zones[0])
    clock(utc("2026-11-15T00:00:00"))
    run_due_jobs()
    november = month_at(organization, utc("2026-11-15T00:00:00"))
    change_time_zone(organization, zones[1], during=november)
    organization.save()
    done.clear()

    clock(november.end - SECOND)
    run_due_jobs()
    assert done == []
    clock(november.end)
    run_due_jobs()
    run_due_jobs()

    assert done == [("a", "2026-12", november.end)]


@pytest.mark.django_db
@pytest.mark.parametrize("start", ["2026-10-25T12:00:00", "2023-09-25T12:00:00", "2028-01-25T12:00:00"])
def test_after_forty_days_without_a_tick_each_organization_has_one_catch_up(done, clock, start):
    for zone in ZONES:
        OrganizationFactory(time_zone=zone)
    clock(utc(start))
    run_due_jobs()
    assert len(done) == len(ZONES)
    JobRun.objects.update(created_at=utc(start))
    Organization.objects.update(created_at=utc(start))
    done.clear()

    clock(utc(start) + dt.timedelta(days=40))
    for _tick in range(3):
        run_due_jobs()

    assert len(done) == len({slug for slug, _key, _start in done}) == len(ZONES)
    assert len({key for _slug, key, _start in done}) == 1
