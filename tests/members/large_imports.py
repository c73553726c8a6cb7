"""Imports of many people for tests: what to take in, how a worker carries it on, and what must be true of it."""

import os
import random
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

from members.access import Actor
from members.models import AuditEntry, Batch, Invitation, Letter, Member, User
from members.selectors.batches import count_rows
from members.services import import_work, imports
from tests.skypemgr.processes import ROOT, environment

WORK = """
import django; django.setup()
from members.services import import_work
import_work.READ_CHUNK = import_work.CREATE_CHUNK = 1_000
import_work.advance_batches_task()
"""
SEED = random.SystemRandom().randrange(10**6)
SIZES = [10_000, pytest.param(100_000, marks=pytest.mark.slow)]


def its_environment(folder: Path):
    database = os.environ["DATABASE_URL"].replace("/app?", f"/{connection.settings_dict['NAME']}?")
    return environment(
        folder / "var",
        DATABASE_URL=database,
        REDIS_URL="redis://127.0.0.1:1/0",
        KILL_POINTS=str(folder),
        PYTHONPATH=str(ROOT),
    )


def people(number):
    lines = (f"worker{n}@people.example,Person{n},Åsa,Öberg,Area {n % 7}\n" for n in range(number))
    return ("E-mail,User name,First name,Last name,Department\n" + "".join(lines)).encode()


def take_in(admin, content):
    return imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=content,
        file_name="people.csv",
        key=uuid4(),
    )


def reviewed(admin, number):
    batch = take_in(admin, people(number))
    import_work.advance(batch)
    batch.refresh_from_db()
    assert batch.state == Batch.State.DRAFT
    return batch


def start(admin, batch, **options):
    return imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch, **options)


def everybody_once(batch, number):
    """Every row was made into exactly one account with all that belongs to it."""
    added = Member.objects.filter(organization=batch.organization, user__email__startswith="worker")
    assert added.count() == number
    assert User.objects.filter(email__startswith="worker").count() == number
    assert set(batch.rows.values_list("outcome", flat=True)) == {"done"}
    assert batch.rows.values("member").distinct().count() == number
    for model in (Invitation, Letter):
        assert model.objects.filter(member__in=added).count() == number
    assert AuditEntry.objects.filter(action="member.added").count() == number


def honest(batch):
    """What pages show of a batch is what there is: rows as counted, accounts as rows that are done."""
    batch.refresh_from_db()
    counts = count_rows(batch)
    assert counts.total == batch.total
    assert counts.done == User.objects.filter(email__startswith="worker").count()
    return counts


def kill_at_random(process, chance):
    seconds = chance.uniform(0.8, 3)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(batch, state, worker):
    """One worker after the other, as ticks start them, until the batch has come so far."""
    for _ in range(20):
        batch.refresh_from_db()
        if batch.state == state:
            return
        assert worker().wait(timeout=300) == 0, f"seed {SEED}"
    raise AssertionError(f"not {state}, seed {SEED}")
