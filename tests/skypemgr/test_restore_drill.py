"""A backup is one when its restore has been compared; a tampered or incomplete copy is found."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from credit.funding import fund
from credit.services.allocation import allocate_credit
from credit.services.seals import seal_ledgers
from members.access import Actor
from members.models import Member, Organization
from skypemgr import drill as drills
from skypemgr.drill import DrillError, compare, copy_directly, drill, find_program, find_programs, scratch_database
from skypemgr.embedded.postgres import Postgres
from skypemgr.fingerprints import differences, fingerprint
from skypemgr.invariants import find_violations
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Postgres(Path("unused"), Path("unused")).programs
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{folder}")


@pytest.fixture
def member(programs: None) -> Member:
    member = MemberFactory(admin=True, organization=OrganizationFactory(name="Fondation Åkesson"))
    fund(organization=member.organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    allocate_credit(
        actor=Actor.system(), organization=member.organization, members=[member], amount=Decimal(30), key=uuid4()
    )
    seal_ledgers()
    return member


def parameters() -> dict:
    return {name: value for name, value in connection.get_connection_params().items() if name in drills.PARAMETERS}


@pytest.fixture
def copy(member: Member) -> Iterator[dict]:
    """A copy as pg_dump and pg_restore make it, which a test may then spoil."""
    with scratch_database(parameters()) as made, psycopg.connect(**parameters()) as source:
        source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = source.execute("SELECT pg_export_snapshot()").fetchone()[0]
        copy_directly(find_programs(180_000), parameters(), made, snapshot=snapshot)
        yield made


def found_in(copy: dict) -> list[str]:
    with psycopg.connect(**parameters()) as source, psycopg.connect(**copy) as other:
        return differences(fingerprint(source), fingerprint(other))


def scratches() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'drill_%'")
        return cursor.fetchone()[0]


def test_a_good_restore_is_equal_and_leaves_nothing_behind(member: Member) -> None:
    output = StringIO()
    violated = len(find_violations())

    if violated:
        with pytest.raises(SystemExit):
            call_command("restore_drill", "--json", stdout=output)
    else:
        call_command("restore_drill", "--json", stdout=output)

    result = json.loads(output.getvalue())
    assert result["differences"] == []
    assert len(result["violations"]) == violated
    assert result["tables"] > 15
    assert result["rows"] > 3
    assert set(result["seconds"]) == {"read", "restore", "compare"}
    assert scratches() == 0
    assert Organization.objects.get().name == "Fondation Åkesson"


TAMPERED = {
    "a changed value": (
        "UPDATE members_organization SET name = 'Another'",
        "The rows of public.members_organization differ.",
    ),
    "a missing row": (
        """
        ALTER TABLE credit_ledgeraccount DISABLE TRIGGER never_emptied;
        ALTER TABLE credit_transfer DISABLE TRIGGER never_emptied;
        ALTER TABLE credit_ledgerseal DISABLE TRIGGER never_emptied;
        TRUNCATE members_member CASCADE
        """,
        "The table public.members_member has 1 rows in the source and 0 in the copy.",
    ),
    "a transfer": (
        "ALTER TABLE credit_transfer DISABLE TRIGGER USER; UPDATE credit_transfer SET reason = 'A gift.'",
        "The rows of public.credit_transfer differ.",
    ),
    "a balance": (
        """
        ALTER TABLE credit_ledgeraccount DISABLE TRIGGER USER;
        UPDATE credit_ledgeraccount SET balance = 31 WHERE kind = 'member'
        """,
        "The rows of public.credit_ledgeraccount differ.",
    ),
    "a trigger that is off": ("ALTER TABLE members_auditentry DISABLE TRIGGER USER", "The trigger members_auditentry."),
    "a constraint that is gone": (
        "ALTER TABLE members_letter DROP CONSTRAINT letter_state_known",
        "The constraint members_letter.letter_state_known is only in the source.",
    ),
    "an index that is gone": ("DROP INDEX letter_due", "The index letter_due is only in the source."),
    "a sequence set back": (
        "SELECT setval('members_organization_id_seq', 100000)",
        "The sequence public.members_organization_id_seq is not the same in the copy.",
    ),
    "one more table": ("CREATE TABLE planted (id int)", "The table public.planted is only in the copy."),
    "one more trigger": (
        "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "The function planted() is only in the copy.",
    ),
}


@pytest.mark.parametrize(("statement", "finding"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_copy_is_found(copy: dict, statement: str, finding: str) -> None:
    assert found_in(copy) == []
    with psycopg.connect(**copy, autocommit=True) as other:
        other.execute(statement)

    assert any(finding in found for found in found_in(copy)), found_in(copy)


def test_data_that_contradict_themselves_are_found_in_the_copy(copy: dict) -> None:
    with psycopg.connect(**parameters()) as source:
        saved = fingerprint(source)
    with psycopg.connect(**copy, autocommit=True) as other:
        other.execute("UPDATE members_member SET role = 'member'")

    outcome = compare(saved, copy)

    assert "The rows of public.members_member differ." in outcome.differences
    assert any("administrator" in found for found in outcome.violations), outcome.violations
    # Afterwards our own database is asked again.
    assert Member.objects.get().role == Member.Role.ADMINISTRATOR


def test_a_dump_that_is_not_the_database_any_more_fails(member: Member, tmp_path: Path) -> None:
    file = tmp_path / "night.dump"
    subprocess.run(
        [find_program("pg_dump", 18), "--format=custom", "--file", file, "--dbname", drills.public_part(parameters())],
        check=True,
    )
    assert drill(dump=file).differences == []

    Organization.objects.update(name="Changed since")

    assert drill(dump=file).differences == ["The rows of public.members_organization differ."]
    with pytest.raises(CommandError, match="The rows of public"):
        call_command("restore_drill", dump=file)


@pytest.mark.parametrize("content", [b"", b"PGDMP and then nothing"])
def test_a_broken_dump_fails(member: Member, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "night.dump"
    file.write_bytes(content)

    with pytest.raises(DrillError, match="pg_restore has failed"):
        drill(dump=file)
    with pytest.raises(DrillError, match="can't be read"):
        drill(dump=tmp_path / "none.dump")
    assert scratches() == 0


def test_programs_older_than_the_server_are_refused(
    member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.9'\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DrillError, match=r"pg_dump is of version 14: install .* PostgreSQL 18"):
        drill()


def test_without_programs_it_says_what_to_install(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(CommandError, match="install the client programs"):
        call_command("restore_drill")


def test_the_copy_may_be_made_on_another_server(member: Member) -> None:
    here = parameters()
    outcome = drill(into=f"postgresql://app@/postgres?host={here['host']}")

    assert outcome.differences == []
