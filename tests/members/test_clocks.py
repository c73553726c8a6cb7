"""F28: the clock of a web process or a worker may be hours or weeks off; what ends, ends by that of the database."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from members import codes
from members.access import Actor
from members.errors import InvitationClosed, WrongCode
from members.mail import invitation_letter, write_letters
from members.models import Invitation, JobRun, Letter, Throttle
from members.services.factors import use_code
from members.services.jobs import claim_run, plan_runs, run_due_jobs
from members.services.joining import accept_business_invitation
from members.services.letters import claim_letters
from members.throttle import RESET_PLACE, count_try
from skypemgr.clock import DatabaseClock
from tests.factories import PASSWORD, SECRET, AuthenticatorAppFactory, InvitationFactory

pytestmark = pytest.mark.django_db

OFF = [dt.timedelta(hours=2), dt.timedelta(hours=-2), dt.timedelta(days=31)]


@pytest.fixture(params=OFF, ids=str)
def off(request):
    """Inside, the clock of this process is off, and that of the database is right."""
    with time_machine.travel(timezone.now() + request.param, tick=True):
        yield request.param


def accept(invitation):
    return accept_business_invitation(
        actor=Actor.visitor(), invitation=invitation, first_name="Anna", last_name="Berg", password=PASSWORD
    )


def test_an_invitation_is_open_as_long_as_the_database_says(off):
    invitation = InvitationFactory()
    Invitation.objects.update(expires_at=DatabaseClock() + dt.timedelta(hours=1))
    invitation.refresh_from_db()

    assert accept(invitation).state == "active"


def test_an_invitation_that_has_ended_is_not_revived(off):
    invitation = InvitationFactory()
    Invitation.objects.update(expires_at=DatabaseClock() - dt.timedelta(minutes=1))
    invitation.refresh_from_db()

    with pytest.raises(InvitationClosed):
        accept(invitation)


def test_no_job_runs_in_a_period_that_has_not_begun_nor_twice_in_one(off):
    run_due_jobs()
    planned = set(JobRun.objects.values_list("job", "period"))

    assert run_due_jobs() == plan_runs() == 0
    now = timezone.now() - off
    assert {period for _job, period in planned} <= {
        moment.strftime(period)
        for moment in (now, now + dt.timedelta(minutes=2), now - dt.timedelta(minutes=2))
        for period in ("%Y-%m-%dT%H", "%Y-%m-%d")
    }
    assert claim_run() is None


def test_a_letter_that_somebody_sends_is_left_to_them_and_one_that_is_due_is_sent(off):
    write_letters([invitation_letter(InvitationFactory())])
    Letter.objects.update(due_at=DatabaseClock())

    assert len(claim_letters(limit=5)) == 1
    assert claim_letters(limit=5) == []


def test_a_limit_is_not_forgotten_and_not_for_ever(off):
    tried = [count_try(RESET_PLACE, "192.0.2.1") for _try in range(RESET_PLACE.most + 1)]
    assert tried[-1] is False

    Throttle.objects.update(began_at=DatabaseClock() - dt.timedelta(minutes=RESET_PLACE.minutes + 1))
    assert count_try(RESET_PLACE, "192.0.2.1")


def test_a_code_that_was_used_is_not_taken_again_when_the_clock_steps_back():
    app = AuthenticatorAppFactory()
    actor, now = Actor.of_person(app.user), timezone.now()

    def use():
        use_code(actor=actor, user=app.user, code=codes.code_of(SECRET, codes.period_now()))

    with time_machine.travel(now, tick=False):
        use()
    for back in (dt.timedelta(0), dt.timedelta(seconds=30), dt.timedelta(hours=2)):
        with time_machine.travel(now - back, tick=False), pytest.raises(WrongCode):
            use()
