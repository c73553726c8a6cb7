import datetime as dt

from django.conf import settings

from members.models import Batch, Heartbeat, JobRun, Letter
from members.models.batches import OPEN_STATES
from members.services.jobs import MOST_ATTEMPTS
from skypemgr.clock import DatabaseClock
from skypemgr.installation import Findings, installation_check

PATIENCE = dt.timedelta(minutes=10)
# Tasks of each kind begin every few seconds, unless all workers are busy with long ones.
LONGEST_SILENCE = dt.timedelta(minutes=2)
KINDS = {"worker": "run jobs", "mail": "send letters"}


@installation_check
def letters_leave() -> Findings:
    waiting = Letter.objects.filter(state=Letter.State.WAITING)
    late = waiting.filter(due_at__lt=DatabaseClock() - PATIENCE, held_at=None).count()
    if late:
        yield f"{late} letters have waited for more than ten minutes. See whether a worker and beat run."


@installation_check
def no_letters_are_held() -> Findings:
    if held := Letter.objects.filter(state=Letter.State.WAITING, held_at__isnull=False).count():
        yield f"{held} letters are held, which may have gone before the data were restored."
        yield "Send them with manage.py release_letters, or take them back with manage.py release_letters --cancel."


@installation_check
def workers_work() -> Findings:
    # On one machine everything runs under `up`, and commands work without it too.
    if settings.LOCAL:
        return
    alive = set(Heartbeat.objects.filter(at__gt=DatabaseClock() - LONGEST_SILENCE).values_list("name", flat=True))
    for kind, does in KINDS.items():
        if kind not in alive:
            yield f"For {LONGEST_SILENCE.seconds // 60} minutes no worker has begun to {does}: see whether one runs."


@installation_check
def batches_go_on() -> Findings:
    given_up = Batch.objects.filter(state__in=OPEN_STATES, given_up_at__isnull=False).order_by("pk")
    for batch in given_up[:10]:
        yield f"The batch {batch.pk} ({batch.kind}) of organization {batch.organization_id} was given up."
    if given_up:
        yield "Mend the reason, which stands in the lines of the workers, then press “Try again” on its page."


@installation_check
def jobs_succeed() -> Findings:
    given_up = JobRun.objects.filter(finished_at=None, attempts__gte=MOST_ATTEMPTS).order_by("id")
    for run in given_up[:10]:
        yield f"The job {run.job} for {run.period} was given up: {run.last_error or 'its worker died each time'}."
    if given_up:
        yield "Mend the reason, then run manage.py run_jobs --retry."
