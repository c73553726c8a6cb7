import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from members.models import Batch, Department, Letter, Member, Organization, User
from members.services import demo
from skypemgr.invariants import find_violations
from tests.factories import MemberFactory, OrganizationFactory

DIRECTORIES = Path(__file__).parent.parent / "data" / "directories"

pytestmark = pytest.mark.django_db


def run(*arguments, **options):
    """The JSON that a command printed, and what made it exit with 1 (None when nothing did)."""
    out = io.StringIO()
    refusal = None
    try:
        call_command(*map(str, arguments), json=True, stdout=out, **options)
    except CommandError as error:
        refusal = str(error)
    return json.loads(out.getvalue()), refusal


def create(*arguments, **options):
    return run("create_organization", "Architectes", "--country", "FR", "--admin-email", "a@a.example", *arguments)


def test_an_organization_is_created_without_a_browser():
    answer, refusal = create("--currency", "EUR", "--time-zone", "Europe/Paris")

    assert refusal is None
    assert answer == {"slug": "architectes", "admin": "architectes.admin"}
    member = Member.objects.get()
    assert (member.role, member.state) == ("administrator", "invited")
    assert Letter.objects.get().kind == "invitation"


def test_an_administrator_with_a_password_can_sign_in_at_once(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("four pigeons on a slate roof\n"))

    _answer, refusal = create("--admin-password-stdin", "--admin-skype-name", "helene.marchand")

    assert refusal is None
    user = User.objects.get(skype_name="helene.marchand")
    assert user.check_password("four pigeons on a slate roof")
    assert Member.objects.get(user=user).state == "active"


def test_a_weak_password_is_refused_and_nothing_is_made(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))

    answer, refusal = create("--admin-password-stdin")

    assert "too short" in refusal
    assert answer["slug"] is None
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--currency", "XXX"],
        ["--time-zone", "Mars/Olympus"],
        ["--slug", "setup"],
        ["--admin-skype-name", "a"],
    ],
)
def test_what_can_not_be_is_refused_with_the_reason(arguments):
    answer, refusal = create(*arguments)

    assert refusal
    assert answer["error"]
    assert not Organization.objects.exists()


def test_a_dry_run_creates_nothing():
    _answer, refusal = create("--dry-run")

    assert refusal is None
    assert not Organization.objects.exists()


def test_everybody_in_a_file_is_added(tmp_path):
    organization = OrganizationFactory()

    answer, refusal = run("import_members", DIRECTORIES / "google-workspace-users.csv")

    assert refusal is None
    assert answer["rows"] == answer["created"] == Member.objects.of(organization).count()
    assert answer["errors"] == []
    assert "Password [Required]" in answer["ignored_columns"]


def test_the_same_file_again_changes_nothing_and_is_no_error():
    OrganizationFactory()
    first, _refusal = run("import_members", DIRECTORIES / "seed-format-fr.csv")

    again, refusal = run("import_members", DIRECTORIES / "seed-format-fr.csv")

    assert refusal is None
    assert (again["created"], again["rows"], again["skipped"]) == (0, first["rows"], first["rows"])


def test_one_bad_row_stops_all_of_them_and_every_one_is_named():
    organization = OrganizationFactory()

    answer, refusal = run("import_members", DIRECTORIES / "messy.csv")

    assert "Nobody was added" in refusal
    assert (answer["rows"], answer["created"]) == (14, 0)
    assert all(set(error) == {"row", "field", "message"} for error in answer["errors"])
    assert not Member.objects.of(organization).exists()
    assert not Batch.objects.exists()


def test_the_rows_that_are_right_are_added_when_asked_for():
    organization = OrganizationFactory()

    answer, refusal = run("import_members", DIRECTORIES / "messy.csv", "--valid-rows-only")

    assert refusal is None
    bad = {error["row"] for error in answer["errors"]}
    assert answer["created"] + answer["skipped"] + len(bad) == 14
    assert Member.objects.of(organization).count() == answer["created"]


def test_a_dry_run_of_an_import_leaves_no_trace():
    organization = OrganizationFactory()

    answer, refusal = run("import_members", DIRECTORIES / "seed-format-fr.csv", "--dry-run")

    assert refusal is None
    assert answer["created"] == 0
    assert answer["would_create"] == answer["rows"]
    assert not Member.objects.of(organization).exists()
    assert not Batch.objects.exists()


def test_letters_are_left_unwritten_when_asked():
    OrganizationFactory()

    run("import_members", DIRECTORIES / "seed-format-fr.csv", "--no-email")

    assert not Letter.objects.exists()


def test_a_file_that_is_not_there_is_told(tmp_path):
    OrganizationFactory()

    _answer, refusal = run("import_members", tmp_path / "none.csv")

    assert "No such file" in refusal


def test_a_member_without_the_capability_imports_nobody():
    member = MemberFactory()

    _answer, refusal = run("import_members", DIRECTORIES / "seed-format-fr.csv", "--actor", member.user.skype_name)

    assert refusal == "The actor may not do this."
    assert Member.objects.count() == 1


def test_the_demo_company_has_forty_people_some_of_them_invited():
    answer, refusal = run("seed_demo")

    assert refusal is None
    assert answer["members"] == 40
    states = set(Member.objects.values_list("state", flat=True))
    assert states == {"active", "invited"}
    assert Letter.objects.filter(kind="invitation").count() == Member.objects.filter(state="invited").count()
    for sign_in in answer["sign_ins"]:
        assert User.objects.get(skype_name=sign_in["skype_name"]).check_password(demo.PASSWORD)


def test_the_demo_company_is_made_once():
    run("seed_demo")

    answer, refusal = run("seed_demo")

    assert refusal is None
    assert answer["members"] == 40
    assert Organization.objects.count() == 1


def test_no_demo_in_production(settings):
    settings.LOCAL = False

    _answer, refusal = run("seed_demo")

    assert "local mode only" in refusal
    assert not Organization.objects.exists()


def test_a_demo_company_can_be_large():
    answer, _refusal = run("seed_demo", "--members", "500")

    assert answer["members"] == 500


@pytest.mark.django_db(transaction=True)
def test_a_demo_company_grows_to_what_is_asked_and_is_the_same_each_time(monkeypatch):
    monkeypatch.setattr("members.crowd.MOST_INDEXED", 500)
    run("seed_demo")
    definitions = indexes_and_constraints()

    run("seed_demo", "--members", "2500")

    members = Member.objects.filter(organization__slug="architectes")
    assert members.count() == 2500
    assert Department.objects.count() == 203
    assert set(members.values_list("state", flat=True)) == set(Member.State.values)
    assert set(members.values_list("role", flat=True)) == set(Member.Role.values)
    assert indexes_and_constraints() == definitions
    before = list(members.order_by("pk").values_list("sort_key", "state", "role", "department__path"))
    run("seed_demo", "--members", "2500")
    assert list(members.order_by("pk").values_list("sort_key", "state", "role", "department__path")) == before
    assert find_violations() == []


def indexes_and_constraints():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes UNION ALL SELECT conrelid::regclass || pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE convalidated"
        )
        # PostgreSQL tells the same condition with casts and brackets elsewhere, once it has read what it told.
        return sorted(re.sub(r"::(character varying|text)(\[\])?|[()]", "", found) for (found,) in cursor.fetchall())
