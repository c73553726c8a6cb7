"""The fault matrix on a whole installation: people work, something breaks, and all that they were told is true.

The seed of each run is in its name; the same seed plays the same plan and the same fault.
"""

import logging
import threading
import time
from random import Random

import pytest

from members.models import Batch, Letter, Member, Organization, Throttle
from skypemgr.clock import DatabaseClock
from skypemgr.embedded.processes import wait_until
from tests.faults.checks import disagreements
from tests.faults.people import ORGANIZATION, Browser, History, Person
from tests.faults.rows import ROWS, Row
from tests.faults.stack import Stack

logger = logging.getLogger(__name__)

PEOPLE = 3
QUIET_SECONDS = 60
# After which each worker has done something again. Far more than it takes, since a busy machine starts a worker in a
# minute: this finds those that never will. How quick they are says test_promises.py.
WORK_SECONDS = 90
QUICK = [(row, seed) for row in ROWS if row.quick for seed in (1, 2)]
SLOW = [(row, seed) for row in ROWS for seed in (range(3, 5) if row.quick else range(1, 3))]


def people(stack: Stack, administrator: Browser, history: History, seed: int, mark: str) -> list[Person]:
    """Administrators at work in windows of their own, each with members of their own."""
    with stack.connected():
        Throttle.objects.all().delete()
        organization = Organization.objects.get(slug=ORGANIZATION)
        demo = Member.objects.filter(organization=organization, email__endswith="@architectes.example")
        staff = demo.filter(state="active", role="member").order_by("pk")
        active = list(staff.values_list("pk", "email", "user__skype_name"))
        invited = list(demo.filter(state="invited").order_by("pk").values_list("pk", flat=True))
        departments = list(organization.departments.order_by("pk").values_list("pk", flat=True))
    made = []
    for number in range(PEOPLE):
        own = active[number::PEOPLE]
        made.append(
            Person(
                browser=administrator.twin(),
                history=history,
                chance=Random(f"{seed}.{number}"),
                mark=f"{mark}{number}",
                members=[pk for pk, _email, _name in own[2:]],
                names=[name for _pk, _email, name in own[2:]],
                departments=departments,
                emails=[email for _pk, email, _name in own[2:]],
                stopped=threading.Event(),
                invited=invited[number::PEOPLE],
                blockable=[own[0][0]] if own else [],
                read_mail=stack.sink.newest_to,
            )
        )
    return made


def now(stack: Stack):
    with stack.connected():
        return Organization.objects.annotate(now=DatabaseClock()).values_list("now", flat=True)[0]


def work_left(stack: Stack) -> tuple[int, int]:
    """How many letters wait, and how many imports and changes of many go on."""
    stack.tend()
    with stack.connected():
        return (
            Letter.objects.filter(state=Letter.State.WAITING).count(),
            Batch.objects.filter(state__in=[Batch.State.READING, Batch.State.RUNNING]).count(),
        )


def becomes_quiet(stack: Stack) -> bool:
    """Wait until nothing is left to be done; False when nothing gets less any more. A busy machine may be slow."""
    left, until = work_left(stack), time.monotonic() + QUIET_SECONDS
    while any(left):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
        now = work_left(stack)
        if now != left:
            left, until = now, time.monotonic() + QUIET_SECONDS
    return True


def work_done(stack: Stack) -> dict[str, int]:
    """What each worker has done: tasks to their end and, since a run of letters is long, letters."""
    with stack.connected():
        letters = Letter.objects.exclude(closed_at=None).count()
    finished = stack.finished()
    return {**finished, "mail": finished["mail"] + letters}


def are_at_work(stack: Stack, since: dict[str, int]) -> bool:
    """Whether each worker has done something beyond what it had."""
    done = work_done(stack)
    return all(done[name] > since[name] for name in since)


def disagreements_of(row: Row, seed: int, stack: Stack, administrator: Browser) -> list[str]:
    """One run of one row: what is not as people were told it is, once everything is quiet."""
    mark = f"{row.number.lower()}s{seed}x".replace("-", "")
    history = History(stack.folder / f"{mark}.jsonl")
    began = now(stack)
    stack.sink_refused = False
    chance = Random(f"{row.number} {seed}")
    plan = list(row.deeds)
    workers = people(stack, administrator, history, seed, mark)
    threads = []
    for person in workers:
        person.chance.shuffle(plan)
        threads.append(threading.Thread(target=person.work, args=(list(plan),)))
    for thread in threads:
        thread.start()
    try:
        time.sleep(1 + chance.random())
        fault = row.fault(stack, chance)
        next(fault)
        time.sleep(row.lasts)
        next(fault, None)
        healed, done = time.monotonic(), work_done(stack)
        stack.tend()
        assert wait_until(stack.answers, seconds=row.back, step=0.1), f"web is not back\n{stack.logs()}"
        back = time.monotonic() - healed
        at_work = wait_until(lambda: are_at_work(stack, done), seconds=WORK_SECONDS - back, step=0.2)
        worked = time.monotonic() - healed
        time.sleep(1.5)
    finally:
        for person in workers:
            person.stopped.set()
        for thread in threads:
            thread.join(60)
    stack.let_time_pass()
    quiet = becomes_quiet(stack)
    told = {act.told for act in history.acts}
    logger.info(
        "%s seed %s: %s acts, told %s, web back after %.1f s, workers after %.1f s",
        row.number,
        seed,
        len(history.acts),
        told,
        back,
        worked,
    )
    found = disagreements(stack, history, since=began, mark=mark, duplicates=row.duplicates)
    if not at_work:
        found.append(f"a worker does nothing {WORK_SECONDS} seconds after the end of the fault")
    if abrupt := sum(person.browser.abrupt for person in workers):
        found.append(f"{abrupt} answers of 503 do not say when to come back")
    if not quiet:
        found.append(f"something is left to be done, and for {QUIET_SECONDS} seconds nobody does it")
    if sum(act.told == "ok" for act in history.acts) < PEOPLE:
        found.append(f"too little was done to tell anything: {told}")
    if not row.breaks:
        found += [f"no answer: {act}" for act in history.acts if act.unknown]
    logger.info("\n".join(found))
    return found


def names(cases: list[tuple[Row, int]]) -> list[str]:
    return [f"{row.number}-seed{seed}" for row, seed in cases]


@pytest.mark.parametrize(("row", "seed"), QUICK, ids=names(QUICK))
def test_what_people_were_told_is_true_whatever_broke(
    stack: Stack, administrator: Browser, row: Row, seed: int
) -> None:
    assert disagreements_of(row, seed, stack, administrator) == [], stack.logs()


@pytest.mark.slow
@pytest.mark.parametrize(("row", "seed"), SLOW, ids=names(SLOW))
def test_what_people_were_told_is_true_through_every_row(
    stack: Stack, administrator: Browser, row: Row, seed: int
) -> None:
    assert disagreements_of(row, seed, stack, administrator) == [], stack.logs()
