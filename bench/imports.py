"""Adding people from a file: against a bare COPY of the same rows, one person after the other, and in memory."""

import csv
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from django import forms
from django.db import connection, transaction
from django.utils import timezone

from bench.measure import Figure, seconds
from members.access import Actor
from members.models import AuditEntry, Batch, Invitation, Letter, Member, Organization, User
from members.newcomers import sorting_of
from members.selectors.batches import count_rows
from members.services import import_work, imports

ROWS = 100_000
SAMPLE = 1_000
SMALL = 200
FIRST = ("Anna", "Åsa", "Björn", "Camille", "Élodie", "Jean-Luc", "Karl", "Łucja", "Märta", "Noël", "Olga", "Renée")
LAST = (
    "Åkesson",
    "Berg",
    "Dubois",
    "Église",
    "Fournier",
    "Gößmann",
    "Håkansson",
    "Île",
    "Jönsson",
    "Lefèvre",
    "Näslund",
)
MEGABYTE = 1024 * 1024
# What the creation writes, in the order in which the tables refer to each other.
TABLES = ["members_user", "members_member", "members_invitation", "members_letter", "members_auditentry"]


def measure(scale: float) -> Iterator[Figure]:
    """Read and create 100,000 people in a process of its own, then what that is measured against."""
    rows = max(int(ROWS * scale), 100)
    sample = min(SAMPLE, rows)
    content = people(rows)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        made = _in_its_own_process(f"import_people({file.name!r})")
    yield Figure(name="taking in the file, growth of the process", value=made["upload_growth"], most=200, unit="MB")
    yield Figure(name="reading and creating, growth of the process", value=made["growth"], most=200, unit="MB")
    yield Figure(name="starting the creation", value=made["start"], most=1, unit="s")
    yield Figure(
        name="correcting a row of so many, against one of a few",
        value=made["correct_large"] / made["correct_small"],
        most=3,
    )
    yield Figure(
        name="a page of the review of so many, against one of a few",
        value=made["show_large"] / made["show_small"],
        most=3,
    )
    yield Figure(name="counting so many by outcome", value=made["count_large"] * 1_000, most=250, unit="ms")
    bare = _cpu(lambda: list(csv.reader(io.StringIO(content.decode()))))
    yield Figure(
        name="reading, checking and storing, CPU, against reading the CSV bare", value=made["read_cpu"] / bare, most=250
    )
    form = _cpu(lambda: _check_by_form(content, sample)) / sample * rows
    yield Figure(
        name="checking by a form for each row, CPU, against all of reading", value=form / made["read_cpu"], least=1
    )
    copied = _copy_the_same_rows()
    yield Figure(name="creating, against a bare COPY of the same rows", value=made["create"] / copied, most=8)
    each = seconds(lambda: _add_one_by_one(sample)) / sample * rows
    yield Figure(name="creating one person after the other, against all of them", value=each / made["create"], least=8)


def _in_its_own_process(call: str) -> dict[str, float]:
    """What a function of this module prints as JSON when nothing else has been done in its process."""
    command = [sys.executable, "-c", f"import django; django.setup(); from bench import imports; imports.{call}"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    sys.stdout.write(f"  {answer.stdout.strip()}\n")
    return json.loads(answer.stdout)


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def people(rows: int) -> bytes:
    """The CSV file of a directory with so many people in 200 departments."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["E-mail", "User name", "First name", "Last name", "Department"])
    for number in range(rows):
        first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
        department = f"Area {number % 20} / Team {number % 200}"
        writer.writerow([f"person{number}@people.example", f"{first}.{last}{number}", first, last, department])
    return text.getvalue().encode()


def administrator() -> Member:
    """An administrator of an organization of their own."""

    mark = uuid4().hex[:8]
    organization = Organization.objects.create(
        name="Architectes", slug=mark, country="FR", currency="EUR", time_zone="Europe/Paris", language="fr"
    )
    user = User.objects.create(skype_name=f"admin.{mark}", email=f"{mark}@people.example", kind="personal")
    return Member.objects.create(
        organization=organization,
        user=user,
        email=user.email,
        role=Member.Role.ADMINISTRATOR,
        state=Member.State.ACTIVE,
        **sorting_of(user, organization, user.email),
    )


def import_people(path: str) -> None:
    """Take in, read and create what a file holds; print seconds, CPU seconds and megabytes as JSON."""

    admin = administrator()
    actor, organization = Actor.of_member(admin), admin.organization
    figures: dict[str, float] = {}

    def take(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        figures[name] = round(time.perf_counter() - wall, 2)
        figures[f"{name}_cpu"] = round(time.process_time() - cpu, 2)
        return result

    small = imports.start_import_of_file(
        actor=actor, organization=organization, content=people(SMALL), file_name="small.csv", key=uuid4()
    )
    import_work.advance(small)
    before = _peak()
    with Path(path).open("rb") as file:
        batch: Batch = take(
            "upload",
            lambda: imports.start_import_of_file(
                actor=actor, organization=organization, content=file, file_name="people.csv", key=uuid4()
            ),
        )
    figures["upload_growth"] = round(_peak() - before, 1)
    take("read", lambda: import_work.advance(batch))
    figures |= _review(admin, small, "small") | _review(admin, batch, "large")
    batch = take("start", lambda: imports.start_batch(actor=actor, organization=organization, batch=batch))
    take("create", lambda: import_work.advance(batch))
    figures["growth"] = round(_peak() - before, 1)
    batch.refresh_from_db()
    assert (batch.state, batch.rows.filter(outcome="done").count()) == ("done", batch.total)
    sys.stdout.write(json.dumps(figures))


def _review(admin: Member, batch: Batch, size: str) -> dict[str, float]:
    """Seconds that it takes to correct a row of a batch under review, and to ask what its page shows; the median."""

    batch.refresh_from_db()
    middle = batch.total // 2

    def correct() -> None:
        imports.change_row(
            actor=Actor.of_member(admin),
            organization=admin.organization,
            batch=batch,
            number=middle,
            values={"first_name": uuid4().hex},
        )

    def show() -> None:
        list(batch.rows.filter(number__gt=middle).order_by("number")[:51])
        list(batch.rows.filter(outcome="problem").order_by("number")[:10])

    def count() -> None:
        count_rows(batch)

    return {
        f"{name}_{size}": statistics.median(seconds(work) for _ in range(9))
        for name, work in {"correct": correct, "show": show, "count": count}.items()
    }


def _peak() -> float:
    """The most memory that this process has ever held, in megabytes."""
    # Not what getrusage says, which a process inherits from the one that started it.
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _check_by_form(file: bytes, number: int) -> None:
    """The checks of a row as a Django form makes them."""

    class PersonForm(forms.Form):
        email = forms.EmailField(max_length=254)
        skype_name = forms.RegexField(r"^[A-Za-z][A-Za-z0-9.,_-]{5,31}$", required=False)
        first_name = forms.CharField(max_length=100, required=False)
        last_name = forms.CharField(max_length=100, required=False)
        department = forms.CharField(max_length=700, required=False)

    reader = csv.reader(io.StringIO(file.decode()))
    next(reader)
    for _, row in zip(range(number), reader, strict=False):
        PersonForm(dict(zip(PersonForm.base_fields, row, strict=True))).is_valid()


def _add_one_by_one(number: int) -> None:
    """People as a loop would add them: their rows one after the other, a transaction for each person."""

    organization = administrator().organization
    for at in range(number):
        first, last = FIRST[at % len(FIRST)], LAST[at // len(FIRST) % len(LAST)]
        email = f"single{at}@people.example"
        with transaction.atomic():
            user = User.objects.create(
                skype_name=f"single.{at}",
                email=email,
                first_name=first,
                last_name=last,
                kind="business",
                owner=organization,
            )
            sorting = sorting_of(user, organization, email)
            member = Member.objects.create(organization=organization, user=user, email=email, **sorting)
            invitation = Invitation.objects.create(
                organization=organization,
                kind="business",
                member=member,
                user=user,
                email=email,
                expires_at=timezone.now(),
            )
            Letter.objects.create(
                organization=organization,
                kind="invitation",
                user=user,
                member=member,
                invitation=invitation,
                email=email,
            )
            AuditEntry.objects.create(
                organization=organization,
                actor_kind="system",
                action="member.added",
                subject_type="member",
                subject_id=member.pk,
                subject_member=member,
            )


def _copy_the_same_rows() -> float:
    """How long it takes to copy what the tables hold into the same tables, emptied; constraints and indexes stay."""

    with tempfile.TemporaryDirectory() as place, connection.cursor() as cursor:
        for table in TABLES:
            with (Path(place) / table).open("wb") as file, cursor.copy(f"COPY {table} TO STDOUT") as copy:
                for data in copy:
                    file.write(data)
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")

        def copy_in() -> None:
            with transaction.atomic():
                for table in TABLES:
                    with (Path(place) / table).open("rb") as file, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        while data := file.read(MEGABYTE):
                            copy.write(data)

        return seconds(copy_in)
