"""F42: what a backup brings back as waiting is not sent blindly again."""

import os
import uuid
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from members.access import Actor
from members.importing import Draft
from members.mail import invitation_letter, write_letters
from members.models import AuditEntry, Batch, DatabaseMark, Letter
from members.restores import hold_after_restore
from members.services import imports
from members.services.import_work import advance_batches_task
from members.services.letters import claim_letters
from skypemgr import drill as drills
from skypemgr.embedded.postgres import Postgres
from tests.factories import AuthenticatorAppFactory, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss():
    return MemberFactory(admin=True, organization=OrganizationFactory(slug="acme"))


@pytest.fixture
def restored(monkeypatch):
    """Inside, everything speaks to a copy that pg_dump and pg_restore have made."""
    folder = Postgres(Path("unused"), Path("unused")).programs
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{folder}")
    here = {name: value for name, value in connection.get_connection_params().items() if name in drills.PARAMETERS}
    with drills.scratch_database(here) as copy:

        def restore():
            with psycopg.connect(**here) as source:
                source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                moment = source.execute("SELECT pg_export_snapshot()").fetchone()[0]
                drills.copy_directly(drills.find_programs(180_000), here, copy, snapshot=moment)
            return drills.working_on(copy)

        yield restore


def waiting_letter(boss):
    invitation = InvitationFactory(member=MemberFactory(invited=True, organization=boss.organization))
    write_letters([invitation_letter(invitation)])
    return Letter.objects.get(invitation=invitation)


def pretend_another_place():
    """As recovery to a point in time does, of which only the timeline tells."""
    mark = DatabaseMark.objects.get()
    mark.identity = mark.identity[:-8] + "000000FF"
    mark.save()


def test_letters_of_a_backup_wait_for_an_operator_and_new_ones_leave(boss, restored):
    claim_letters(limit=5)
    old = waiting_letter(boss)

    with restored():
        new = waiting_letter(boss)
        Letter.objects.filter(pk=new.pk).update(state=Letter.State.CANCELED)
        assert claim_letters(limit=5) == []
        assert Letter.objects.get(pk=old.pk).held_at is not None
        newest = waiting_letter(boss)
        assert claim_letters(limit=5) == [newest]
        assert DatabaseMark.objects.get().restored_at is not None

    # Where they came from, nothing has happened.
    assert claim_letters(limit=5) == [old]


@pytest.mark.parametrize(("words", "state"), [([], Letter.State.WAITING), (["--cancel"], Letter.State.CANCELED)])
def test_an_operator_sends_them_or_takes_them_back(boss, words, state, capsys):
    hold_after_restore()
    letter = waiting_letter(boss)
    pretend_another_place()
    assert claim_letters(limit=5) == []

    call_command("release_letters", *words)

    letter.refresh_from_db()
    assert (letter.state, letter.held_at) == (state, None)
    assert capsys.readouterr().out.startswith("1 letters")
    assert claim_letters(limit=5) == ([letter] if state == Letter.State.WAITING else [])


def test_a_sender_on_the_same_data_holds_nothing_however_often_it_looks(boss):
    assert [hold_after_restore() for _look in range(3)] == [False, False, False]
    letter = waiting_letter(boss)

    assert claim_letters(limit=5) == [letter]


def test_an_import_that_was_under_way_waits_too_and_goes_on_when_told_to(boss, client):
    hold_after_restore()
    acting = {"actor": Actor.of_member(boss), "organization": boss.organization}
    people = [Draft(number=1, email="anna@people.example")]
    batch = imports.start_import_of_people(**acting, people=people, key=uuid.uuid4())
    imports.start_batch(**acting, batch=batch)
    pretend_another_place()

    advance_batches_task()

    batch.refresh_from_db()
    assert batch.is_given_up
    assert AuditEntry.objects.filter(action="batch.given_up").count() == 1
    client.force_login(boss.user)
    assert "restored from a backup" in client.get(reverse("members:import_detail", args=["acme", batch.pk])).text
    client.post(reverse("members:import_continue", args=["acme", batch.pk]))
    advance_batches_task()
    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE


def test_administrators_operators_and_checks_say_that_letters_are_held(boss, client):
    hold_after_restore()
    waiting_letter(boss)
    call_command("hold_letters", "--json")

    client.force_login(boss.user)
    page = client.get(reverse("members:invitation_list", args=["acme"]))
    assert "It may have gone before the data were restored." in page.text
    operator = UserFactory(is_operator=True)
    AuthenticatorAppFactory(user=operator)
    client.force_login(operator)
    assert "release_letters" in client.get(reverse("ops:organization_list")).text
    with pytest.raises(CommandError, match="1 letters are held"):
        call_command("check_installation")


def test_senders_who_notice_a_restore_at_once_hold_everything_once(boss, race):
    assert race(hold_after_restore, hold_after_restore) == [False, False]
    waiting_letter(boss)
    pretend_another_place()

    assert sorted(race(*[hold_after_restore] * 5)) == [False] * 4 + [True]
    assert DatabaseMark.objects.count() == 1
    assert Letter.objects.filter(held_at__isnull=False).count() == 1


def test_a_place_is_known_by_its_cluster_database_table_and_history(boss):
    hold_after_restore()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()), 'members_letter'::regclass::oid,"
            " (SELECT oid FROM pg_database WHERE datname = current_database()),"
            " (SELECT timeline_id FROM pg_control_checkpoint())"
        )
        cluster, table, database, timeline = cursor.fetchone()

    assert DatabaseMark.objects.get().identity == f"{cluster}/{database}/{table}/{timeline:08X}"
