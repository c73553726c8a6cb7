"""An import of many people, in processes that are killed, stopped, interrupted and doubled."""

import json
import random
import signal
import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from members.access import Actor
from members.models import Batch, BatchPiece, BatchRow, Member, User
from members.selectors.batches import count_rows
from members.services import import_work, imports
from skypemgr.embedded.processes import wait_until
from skypemgr.many_rows import insert_rows
from tests.factories import MemberFactory
from tests.members.large_imports import (
    SEED,
    SIZES,
    everybody_once,
    honest,
    kill_at_random,
    people,
    reviewed,
    start,
    take_in,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin():
    return MemberFactory(admin=True, organization__name="Architectes", organization__slug="architectes")


@pytest.mark.parametrize("number", SIZES)
def test_an_import_that_is_killed_again_and_again_adds_everybody_once(admin, worker, number):
    chance = random.Random(SEED)
    batch = take_in(admin, people(number))
    for place in ("imports.before_rows_commit", "imports.after_rows"):
        assert worker(die_at=place).wait(timeout=120) == -signal.SIGKILL, place
        assert honest(batch).total % 1_000 == 0
        assert batch.state == Batch.State.READING
    kill_at_random(worker(), chance)
    honest(batch)
    until(batch, Batch.State.DRAFT, worker)
    assert honest(batch).ready == number
    assert not BatchPiece.objects.exists()

    start(admin, batch)
    for place in ("imports.before_chunk_commit", "imports.after_chunk"):
        assert worker(die_at=place).wait(timeout=120) == -signal.SIGKILL, place
        assert honest(batch).done % 1_000 == 0
        assert batch.state == Batch.State.RUNNING
    for _ in range(2):
        kill_at_random(worker(), chance)
        honest(batch)
    until(batch, Batch.State.DONE, worker)
    everybody_once(batch, number)


def test_two_workers_at_once_add_everybody_once(admin, worker):
    batch = take_in(admin, people(2_000))
    for state in (Batch.State.DRAFT, Batch.State.DONE):
        if state == Batch.State.DONE:
            start(admin, batch)
        for process in [worker(), worker()]:
            assert process.wait(timeout=120) == 0
        until(batch, state, worker)

    everybody_once(batch, 2_000)


def test_a_stopped_import_keeps_what_is_made_and_makes_no_more(admin, worker, client):
    batch = start(admin, reviewed(admin, 4_000))
    process = worker()
    assert wait_until(lambda: count_rows(batch).done > 0, seconds=60, step=0.02)

    imports.cancel_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    made = count_rows(batch).done
    process.wait(timeout=120)

    assert 0 < made < 4_000
    assert honest(batch).done == made == Member.objects.exclude(pk=admin.pk).count()
    client.force_login(admin.user)
    page = client.get(f"/architectes/members/imports/{batch.pk}/").content.decode()
    assert f"This was stopped after {made} accounts were created." in page.replace(f"{made:,}", str(made))


@contextmanager
def rival(name):
    """Somebody who takes a Skype Name and has not committed it yet; commits in the end."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            take_name(cursor, name)
            yield cursor
            cursor.execute("COMMIT")
    finally:
        other.close()


def take_name(cursor, name):
    cursor.execute(
        "INSERT INTO members_user (password, skype_name, email, first_name, last_name, language, kind, is_active,"
        " is_operator, must_change_password, created_at, session_version)"
        " VALUES ('!', %s, 'rival@elsewhere.example', '', '', '', 'personal', true, false, false, now(), 0)",
        [name],
    )


@contextmanager
def at_work(batch, *, at_once=True):
    """A thread that carries ``batch`` on, begun already or to be started; its error is raised at the end."""
    errors = []

    def work():
        try:
            import_work.advance(batch)
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    if at_once:
        thread.start()
    yield thread
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert not errors, errors


def waits_for_the_rival(cursor):
    """The process id of the session that waits for the rival's."""
    cursor.execute("SELECT pg_backend_pid()")
    [rivals] = cursor.fetchone()
    found = []

    def is_waiting():
        with connection.cursor() as own:
            own.execute("SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", [rivals])
            found[:] = own.fetchall()
        return bool(found)

    assert wait_until(is_waiting, seconds=20, step=0.02)
    return found[0][0]


def test_whoever_stops_an_import_waits_for_no_chunk_and_nobody_of_it_is_made(admin):
    batch = start(admin, reviewed(admin, 300))
    with rival("Person200") as cursor, at_work(batch):
        waits_for_the_rival(cursor)

        begun = time.monotonic()
        imports.cancel_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)

        assert time.monotonic() - begun < 2
        # The name is free after all, so nothing but the stop keeps the chunk from being made.
        cursor.execute("ROLLBACK")
    assert honest(batch).done == 0
    assert Member.objects.count() == 1


def conflict(cursor, waiting):
    """The rival has the name now."""


def deadlock(cursor, waiting):
    """The rival waits for the chunk that waits for the rival; the chunk asked first, so it is the one to give way."""
    take_name(cursor, "Person3")


def cancel(cursor, waiting):
    """The statement is canceled, as a timeout does."""
    cursor.execute("SELECT pg_cancel_backend(%s)", [waiting])


@pytest.mark.parametrize(("trouble", "renamed"), [(conflict, 1), (deadlock, 2), (cancel, 1)])
def test_trouble_in_the_middle_of_a_chunk_loses_nobody(admin, trouble, renamed):
    batch = start(admin, reviewed(admin, 400))
    with at_work(batch, at_once=False) as worker, rival("Person200") as cursor:
        worker.start()
        trouble(cursor, waits_for_the_rival(cursor))

    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    everybody_once(batch, 400)
    changed = User.objects.filter(email__startswith="worker", skype_name__regex=r"^Person(200|3)\.\d$")
    assert changed.count() == renamed


def test_a_row_that_the_database_always_refuses_fails_alone(admin):
    batch = start(admin, reviewed(admin, 1_000))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'unique_violation'; END$$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON members_user FOR EACH ROW"
            " WHEN (NEW.email = 'worker617@people.example') EXECUTE FUNCTION refuse()"
        )
    try:
        import_work.advance(batch)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse ON members_user; DROP FUNCTION refuse()")

    failed = batch.rows.get(outcome="failed")
    assert failed.data["email"] == "worker617@people.example"
    assert failed.problems[0]["code"] == "conflict"
    assert honest(batch).done == 999
    assert batch.state == Batch.State.DONE

    retry(admin, batch)
    everybody_once(batch, 1_000)


def retry(admin, batch):
    count = imports.retry_failed_rows(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    batch.refresh_from_db()
    import_work.advance(batch)
    batch.refresh_from_db()
    return count


def test_a_thousand_failed_rows_are_tried_again_and_made_once(admin):
    batch = reviewed(admin, 1_500)
    typed = batch.rows.filter(number__gt=500)
    for row in typed:
        row.data["typed"] = True
    BatchRow.objects.bulk_update(typed, ["data"])
    rivals = [
        User(skype_name=f"Person{n}", email="rival@elsewhere.example", kind="personal") for n in range(500, 1_500)
    ]
    insert_rows(rivals)
    start(admin, batch)
    import_work.advance(batch)
    assert honest(batch).failed == 1_000
    User.objects.filter(email="rival@elsewhere.example").delete()

    assert retry(admin, batch) == 1_000

    assert batch.state == Batch.State.DONE
    everybody_once(batch, 1_500)


def test_a_file_in_two_tabs_is_carried_out_once_and_the_second_leads_to_the_first(admin, client):
    client.force_login(admin.user)
    one, other = reviewed(admin, 500), reviewed(admin, 500)
    client.post(f"/architectes/members/imports/{one.pk}/create/")

    answer = client.post(f"/architectes/members/imports/{other.pk}/create/", follow=True)

    page = answer.content.decode()
    assert "This file was already taken in on" in page
    assert f'href="/architectes/members/imports/{one.pk}/"' in page
    assert f'action="/architectes/members/imports/{other.pk}/create/"' not in page
    other.refresh_from_db()
    assert other.state == Batch.State.DRAFT


def command(file, *options):
    return ["manage.py", "import_members", str(file), "--organization", "architectes", "--json", *options]


def test_one_file_in_two_commands_at_once_adds_everybody_once(admin, worker, tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes(people(1_500))

    processes = [worker(*command(file)) for _ in range(2)]

    for process in processes:
        output, _ = process.communicate(timeout=120)
        answer = json.loads(output)
        assert process.returncode == 0
        assert answer["created"] + answer["skipped"] == answer["rows"] == 1_500
    everybody_once(Batch.objects.get(state="done"), 1_500)


def test_a_killed_command_is_finished_by_the_next_and_the_one_after_creates_nobody(admin, worker, tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes(people(6_000))
    killed = worker(*command(file), die_at="imports.after_chunk")
    assert killed.wait(timeout=120) == -signal.SIGKILL
    made = honest(Batch.objects.get()).done
    assert 0 < made < 6_000

    answers = [json.loads(worker(*command(file)).communicate(timeout=120)[0]) for _ in range(2)]

    assert [(answer["created"], answer["skipped"]) for answer in answers] == [(6_000 - made, made), (0, 6_000)]
    everybody_once(Batch.objects.get(state="done"), 6_000)


def test_correcting_a_row_reads_no_more_of_a_large_batch_than_of_a_small_one(admin):
    batch = reviewed(admin, 3_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as captured:
        imports.change_row(
            actor=Actor.of_member(admin),
            organization=admin.organization,
            batch=batch,
            number=2_000,
            values={"email": "worker17@people.example", "skype_name": "Person18"},
        )

    assert batch.rows.get(number=2_000).outcome == "skipped"
    selects = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert sum(map(rows_read, selects)) < 50


def rows_read(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}")
        [plan] = cursor.fetchone()[0]

    def count(node):
        own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return own + sum(map(count, node.get("Plans", [])))

    return count(plan["Plan"])


def test_leaving_out_everything_to_correct_lets_the_rest_be_created(admin, client):
    lines = people(300).decode() + "".join(f"nonsense{n}\n" for n in range(50))
    batch = take_in(admin, lines.encode())
    import_work.advance(batch)
    client.force_login(admin.user)

    client.post(f"/architectes/members/imports/{batch.pk}/leave-out-problems/")

    counts = count_rows(batch)
    assert (counts.ready, counts.problem, counts.left_out) == (300, 0, 50)
    assert "Create accounts" in client.get(f"/architectes/members/imports/{batch.pk}/").content.decode()


def test_the_first_of_many_namesakes_that_is_left_out_lets_exactly_the_next_one_in(admin):
    lines = "".join("anna@people.example\n" for _ in range(1_200))
    batch = take_in(admin, f"E-mail\n{lines}".encode())
    import_work.advance(batch)
    batch.refresh_from_db()

    imports.leave_out_row(actor=Actor.of_member(admin), organization=admin.organization, batch=batch, number=1)

    counts = count_rows(batch)
    assert (counts.left_out, counts.ready, counts.skipped) == (1, 1, 1_198)
    assert batch.rows.get(outcome="ready").number == 2
    assert batch.rows.get(number=1_200).notes == [{"code": "same_as_row", "facts": {"row": 2}}]
