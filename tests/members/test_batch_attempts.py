"""Work that kills each of its workers, or fails each time, is given up and shown; the rest goes on beside it."""

import os
import signal
import subprocess
import sys
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.urls import reverse

from members.access import Actor, Capability
from members.batches import BatchKind
from members.errors import BatchNotOpen
from members.importing import Draft
from members.models import AuditEntry, Batch, Member
from members.registry import registry
from members.services import imports, run_work
from members.services.batch_attempts import MOST_ATTEMPTS, begin_attempt, end_attempt, give_up_batches
from members.services.given_up import continue_batch
from members.services.import_work import advance, advance_batches_task
from members.services.runs import start_run
from skypemgr.database.blame import is_to_blame
from tests.factories import MemberFactory
from tests.skypemgr.processes import ROOT, environment

# Turns of a worker's task, each in a process that is forked as workers do it, with as much memory as it has and 200 MB
# more. "eat_memory" asks for more than that; "be_killed" is chosen by the kernel when the machine has none left.
WORK = """
import os, resource, signal, sys
import django; django.setup()
from members.access import Capability
from members.batches import BatchKind
from members.registry import registry
from members.services import import_work

def eat(portion):
    hoard = [bytearray(10_000_000) for _piece in range(1_000)]

def die(portion):
    os.kill(os.getpid(), signal.SIGKILL)

for key, apply in {"eat_memory": eat, "be_killed": die}.items():
    registry.add(BatchKind(key=key, label=key, done=key, capability=Capability.MANAGE_MEMBERS, apply=apply))
for turn in range(int(sys.argv[1])):
    for point in sys.argv[2:]:
        open(f"{os.environ['KILL_POINTS']}/{point}", "w").close()
    if not (child := os.fork()):
        used = int(open("/proc/self/status").read().partition("VmData:")[2].split()[0]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (used + 200_000_000,) * 2)
        import_work.advance_batches_task()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss():
    return MemberFactory(admin=True, organization__slug="acme")


@pytest.fixture
def work(tmp_path):
    """Does so many turns of a worker's task, each in a process of its own, and gives how each of them ended."""

    def run(turns, die_at=()):
        surroundings = environment(
            tmp_path / "var",
            DATABASE_URL=os.environ["DATABASE_URL"].replace("/app?", f"/{connection.settings_dict['NAME']}?"),
            REDIS_URL="redis://127.0.0.1:1/0",
            KILL_POINTS=str(tmp_path),
            PYTHONPATH=str(ROOT),
        )
        command = [sys.executable, "-c", WORK, str(turns), *die_at]
        done = subprocess.run(command, cwd=ROOT, env=surroundings, timeout=300, check=True, stdout=subprocess.PIPE)
        return [int(line) for line in done.stdout.split()]

    return run


@pytest.fixture
def kinds(monkeypatch):
    """The pages know what the processes above know."""
    monkeypatch.setattr(registry, "_entries", {kind: dict(found) for kind, found in registry._entries.items()})

    def add(key, apply=lambda portion: {}):
        registry.add(BatchKind(key=key, label=key, done=key, capability=Capability.MANAGE_MEMBERS, apply=apply))

    return add


def run_of(boss, kind):
    return start_run(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        kind=kind,
        members=Member.objects.of(boss.organization),
        expected=1,
        key=uuid4(),
        facts={},
    )


def started_import(boss, *addresses):
    acting = {"actor": Actor.of_member(boss), "organization": boss.organization}
    people = [Draft(number=number, email=address) for number, address in enumerate(addresses, 1)]
    batch = imports.start_import_of_people(**acting, people=people, key=uuid4())
    return imports.start_batch(**acting, batch=batch)


@pytest.mark.parametrize(("kind", "ended"), [("eat_memory", 0), ("be_killed", -signal.SIGKILL)])
def test_what_eats_the_memory_of_each_worker_is_given_up_and_an_import_beside_it_is_not(
    boss, work, kinds, client, kind, ended
):
    kinds(kind)
    deadly = run_of(boss, kind)
    healthy = started_import(boss, "anna@people.example")

    assert work(MOST_ATTEMPTS + 1) == [ended] * MOST_ATTEMPTS + [0]

    deadly.refresh_from_db()
    healthy.refresh_from_db()
    assert deadly.is_given_up
    assert healthy.state == Batch.State.DONE
    assert Member.objects.filter(email="anna@people.example").exists()
    assert AuditEntry.objects.filter(action="run.given_up", subject_id=deadly.pk).count() == 1

    client.force_login(boss.user)
    page = client.get(reverse("members:run_detail", args=["acme", deadly.pk]))
    assert "This was given up: each of five tries broke off." in page.text
    assert "every 2s" not in page.text


def given_up(boss, batch):
    Batch.objects.filter(pk=batch.pk).update(attempts=MOST_ATTEMPTS)
    assert give_up_batches() == 1
    batch.refresh_from_db()
    return batch


def reading(boss):
    return imports.start_import_of_file(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        content=b"E-mail\nanna@people.example\n",
        file_name="people.csv",
        key=uuid4(),
    )


def test_a_file_whose_readers_all_die_does_not_stay_being_read(boss, work, client):
    batch = reading(boss)

    deaths = work(MOST_ATTEMPTS, die_at=["imports.before_rows_commit"])
    advance_batches_task()

    assert deaths == [-signal.SIGKILL] * MOST_ATTEMPTS

    batch.refresh_from_db()
    assert (batch.state, batch.is_given_up) == (Batch.State.READING, True)
    client.force_login(boss.user)
    page = client.get(reverse("members:import_detail", args=["acme", batch.pk]))
    assert "The file could not be read to its end" in page.text
    assert "rows read" not in page.text
    assert "Given up" in client.get(reverse("members:import_list", args=["acme"])).text


def test_whoever_presses_try_again_has_it_carried_on_from_where_it_was(boss, client):
    batch = given_up(boss, started_import(boss, "anna@people.example"))
    client.force_login(boss.user)
    detail = reverse("members:import_detail", args=["acme", batch.pk])
    advance_batches_task()
    assert not Member.objects.filter(email="anna@people.example").exists()
    assert reverse("members:import_continue", args=["acme", batch.pk]) in client.get(detail).text

    answer = client.post(reverse("members:import_continue", args=["acme", batch.pk]))
    advance_batches_task()

    assert answer.url == detail
    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert AuditEntry.objects.filter(action="batch.continued", actor_member=boss).count() == 1


def test_what_was_given_up_can_be_stopped(boss, client):
    batch = given_up(boss, reading(boss))
    client.force_login(boss.user)

    client.post(reverse("members:import_cancel", args=["acme", batch.pk]))

    batch.refresh_from_db()
    assert (batch.state, batch.is_given_up) == (Batch.State.CANCELED, False)


def test_only_what_was_given_up_is_continued(boss):
    batch = started_import(boss, "anna@people.example")

    with pytest.raises(BatchNotOpen):
        continue_batch(actor=Actor.of_member(boss), organization=boss.organization, batch=batch)


def test_what_goes_on_is_never_given_up_however_often_its_worker_dies(boss, kinds, monkeypatch):
    kinds("slow")
    monkeypatch.setattr("members.batches.SLICE", 1)
    MemberFactory.create_batch(7, organization=boss.organization)
    batch = start_run(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        kind="slow",
        members=Member.objects.of(boss.organization),
        expected=8,
        key=uuid4(),
        facts={},
    )

    # Each worker carries out a slice, and dies before it could say that it had ended in order.
    for _death in range(8):
        assert begin_attempt(batch=batch)
        assert run_work.apply_slice(batch=batch)
        assert give_up_batches() == 0

    advance_batches_task()
    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE


def test_rows_of_a_file_and_accounts_of_an_import_count_as_going_on_too(boss):
    batch = reading(boss)
    Batch.objects.update(attempts=4)
    advance(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == (Batch.State.DRAFT, 1)

    batch = imports.start_batch(actor=Actor.of_member(boss), organization=boss.organization, batch=batch)
    Batch.objects.update(attempts=4)
    advance(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == (Batch.State.DONE, 1)


def test_nothing_is_given_up_that_somebody_has_in_hand(boss, race):
    batch = started_import(boss, "anna@people.example")
    Batch.objects.update(attempts=MOST_ATTEMPTS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"batch {batch.pk}"])
        try:
            assert race(give_up_batches) == [0]
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"batch {batch.pk}"])

    assert give_up_batches() == 1


@pytest.mark.parametrize(("code", "counts"), [("53100", False), ("40P01", False), ("57P01", False), (None, True)])
def test_a_batch_is_not_to_blame_for_a_database_that_has_no_room_or_time(code, counts):
    error = OperationalError()
    error.__cause__ = type("Refusal", (Exception,), {"sqlstate": code})()

    assert is_to_blame(error) is counts
    assert is_to_blame(MemoryError())


def test_attempts_that_end_in_order_leave_no_trace(boss):
    batch = started_import(boss, "anna@people.example")
    for _tick in range(MOST_ATTEMPTS * 2):
        assert begin_attempt(batch=batch)
        end_attempt(batch=batch)

    batch.refresh_from_db()
    assert batch.attempts == 0


def test_the_operator_hears_of_what_was_given_up(boss):
    batch = given_up(boss, started_import(boss, "anna@people.example"))

    with pytest.raises(CommandError, match=f"The batch {batch.pk} .import_members. of organization"):
        call_command("check_installation")
