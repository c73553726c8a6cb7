"""A large import of which somebody thinks better on the way: stopped, opened twice, read again."""

import io
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

from members.access import Actor
from members.errors import SameContentAgain
from members.models import AuditEntry, Batch, BatchPiece, Letter, Member
from members.selectors.batches import count_rows
from members.services import import_work, imports
from skypemgr.embedded.processes import wait_until
from tests.factories import MemberFactory
from tests.members.large_imports import everybody_once, honest, people, reviewed, start, take_in, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin():
    return MemberFactory(admin=True, organization__name="Architectes", organization__slug="architectes")


@pytest.mark.slow
def test_a_hundred_thousand_stopped_midway_keep_what_is_made_and_the_file_can_be_taken_in_again(admin, worker):
    batch = start(admin, reviewed(admin, 100_000))
    process = worker()
    assert wait_until(lambda: count_rows(batch).done >= 1_000, seconds=300, step=0.1)

    imports.cancel_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    process.wait(timeout=300)

    made = honest(batch).done
    assert 1_000 <= made < 100_000
    assert (batch.state, batch.facts["created"]) == (Batch.State.CANCELED, made)
    assert Letter.objects.count() == made
    assert worker().wait(timeout=300) == 0
    assert honest(batch).done == made

    again = take_in(admin, people(100_000))
    until(again, Batch.State.DRAFT, worker)
    assert (count_rows(again).skipped, count_rows(again).ready) == (made, 100_000 - made)
    start(admin, again)
    until(again, Batch.State.DONE, worker)
    assert Member.objects.exclude(pk=admin.pk).count() == Letter.objects.count() == 100_000
    assert AuditEntry.objects.filter(action="member.added").count() == 100_000


@pytest.mark.slow
def test_a_reading_of_a_hundred_thousand_that_is_stopped_leaves_neither_file_nor_people(admin, worker):
    batch = take_in(admin, people(100_000))
    process = worker()
    assert wait_until(lambda: count_rows(batch).total >= 1_000, seconds=300, step=0.1)

    imports.cancel_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    process.wait(timeout=300)

    assert honest(batch).total < 100_000
    assert not BatchPiece.objects.exists()
    assert Member.objects.count() == 1


@pytest.mark.parametrize("number", [2_000, *(pytest.param(n, marks=pytest.mark.slow) for n in (10_000, 100_000))])
def test_one_large_file_in_two_tabs_at_once_is_carried_out_once(admin, worker, number):
    """Uploaded, reviewed and created at the same moment in both, with a worker behind them."""
    content = people(number)

    def tab():
        client = Client()
        client.force_login(admin.user)
        return client

    def upload():
        file = SimpleUploadedFile("people.csv", content)
        return tab().post("/architectes/members/add/", {"file": file, "key": str(uuid4())}).url

    urls = at_once(upload, upload)
    for batch in Batch.objects.all():
        until(batch, Batch.State.DRAFT, worker)
    pages = at_once(*[partial(tab().post, f"{url}create/", follow=True) for url in urls])
    [carried_out] = Batch.objects.filter(state__in=[Batch.State.RUNNING, Batch.State.DONE])
    until(carried_out, Batch.State.DONE, worker)

    everybody_once(carried_out, number)
    other = Batch.objects.exclude(pk=carried_out.pk).get()
    assert other.state == Batch.State.DRAFT
    assert sum("This file was already taken in on" in page.content.decode() for page in pages) == 1
    with pytest.raises(SameContentAgain):
        start(admin, other)


def at_once(*acts):
    """What each of ``acts`` gives, done at the same moment."""
    barrier = threading.Barrier(len(acts))

    def do(act):
        try:
            barrier.wait(timeout=60)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


@pytest.mark.parametrize("number", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_large_file_is_read_again_by_workers_that_are_killed(admin, worker, number):
    content = people(number).decode().encode("cp850")
    batch = take_in(admin, content)
    until(batch, Batch.State.DRAFT, worker)
    detected = batch.facts["encoding"]
    assert batch.rows.filter(data__last_name="Öberg").count() == (number if detected == "DOS 850" else 0)

    chosen = "cp850" if detected != "DOS 850" else "cp1252"
    batch = imports.read_again(
        actor=Actor.of_member(admin), organization=admin.organization, batch=batch, encoding=chosen
    )
    assert honest(batch).total == 0
    for place in ("imports.before_rows_commit", "imports.after_rows"):
        assert worker(die_at=place).wait(timeout=120) == -signal.SIGKILL, place
        assert honest(batch).total % 1_000 == 0
        assert batch.state == Batch.State.READING
    until(batch, Batch.State.DRAFT, worker)

    right = "Öberg".encode("cp850").decode(chosen)
    assert batch.rows.filter(data__last_name=right).count() == batch.total == number
    numbers = set(batch.rows.values_list("number", flat=True))
    assert numbers == set(range(1, number + 1))
    assert batch.rows.values("data__skype_name").distinct().count() == number


def test_progress_is_told_after_every_chunk(admin, monkeypatch):
    monkeypatch.setattr(import_work, "READ_CHUNK", 100)
    monkeypatch.setattr(import_work, "CREATE_CHUNK", 100)
    batch = take_in(admin, people(350))
    told = []

    import_work.advance_to_the_end(batch, tell=lambda: told.append(count_rows(batch).total))
    assert told == [100, 200, 300, 350]
    start(admin, batch)
    told.clear()
    import_work.advance_to_the_end(batch, tell=lambda: told.append(count_rows(batch).done))

    assert told == [100, 200, 300]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def import_file(path, stderr, *options):
    call_command("import_members", str(path), *options, stdout=io.StringIO(), stderr=stderr)
    return stderr.getvalue()


def test_whoever_waits_at_a_terminal_is_told_how_far_it_is(admin, tmp_path, monkeypatch):
    monkeypatch.setattr(import_work, "READ_CHUNK", 400)
    monkeypatch.setattr(import_work, "CREATE_CHUNK", 400)
    path = tmp_path / "people.csv"
    path.write_bytes(people(1_000))

    said = import_file(path, Terminal())

    lines = [line.split("\r")[1:] for line in said.rstrip("\n").split("\n")]
    assert lines == [
        ["400 rows read ", "800 rows read ", "1,000 rows read ", "1,000 rows read "],
        ["400 of 1,000 people ", "800 of 1,000 people ", "1,000 of 1,000 people "],
    ]


def test_where_nobody_waits_nothing_is_told_of_the_way(admin, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(people(5))
    assert import_file(path, io.StringIO(), "--dry-run") == ""
    assert import_file(path, Terminal(), "--verbosity=0") == ""


def rows_touched():
    """How many rows of all tables were read since the server counts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables")
        return int(cursor.fetchone()[0])


def test_what_was_planned_for_a_small_company_is_not_asked_of_a_large_one(admin):
    """References are checked by plans that a session keeps; made while tables are small, they read all of a table."""
    MemberFactory.create_batch(5, organization=admin.organization)
    with connection.cursor() as cursor:
        # Of one member alone the planner would learn that an organization has one.
        cursor.execute("VACUUM (ANALYZE)")
    small = take_in(admin, people(10))
    import_work.advance_to_the_end(small)
    start(admin, small)
    import_work.advance_to_the_end(small)
    content = people(2_010)
    large = take_in(admin, content)
    import_work.advance_to_the_end(large)
    start(admin, large)

    before = rows_touched()
    import_work.advance_to_the_end(large)

    touched = rows_touched() - before
    assert count_rows(large).done == 2_000
    # Some for each of them (41 when this was written), and not all of them for each (14,000).
    assert touched < 2_000 * 100
