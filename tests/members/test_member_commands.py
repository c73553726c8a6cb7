"""Changing members and departments by command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from members.models import AuditEntry, Department, Letter, Member
from tests.factories import AuthenticatorAppFactory, DepartmentFactory, MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def sales(organization):
    return DepartmentFactory(organization=organization, name="Sales")


@pytest.fixture
def ann(organization, sales):
    return MemberFactory(organization=organization, department=sales, user__skype_name="ann.berg")


def run(*arguments):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        run(*arguments)
    return str(refusal.value)


def test_what_is_given_changes_and_the_rest_stays(organization, ann, sales):
    result = run("change_member", "--member", "ann.berg", "--job-title", "Pilot", "--language", "sv")

    assert result == {"skype_name": "ann.berg", "changed": ["job_title", "language"]}
    now = Member.objects.select_related("user").get(pk=ann.pk)
    assert (now.job_title, now.user.language, now.department, now.email) == ("Pilot", "sv", sales, ann.email)
    assert now.user.full_name == ann.user.full_name


@pytest.mark.parametrize(("path", "expected"), [("", None), ("lyon", "Lyon")])
def test_somebody_is_put_into_another_department_or_none(organization, ann, path, expected):
    DepartmentFactory(organization=organization, name="Lyon")

    run("change_member", "--member", ann.email, "--department", path)

    now = Member.objects.get(pk=ann.pk).department
    assert (now.path if now else None) == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--job-title", "www.evil.example"], "can't hold a web address"),
        (["--email", "nobody"], "it has no @"),
        (["--department", "Nowhere"], "There is no department “Nowhere”."),
        (["--member", "nobody.here"], "There is no member “nobody.here”"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(ann, arguments, reason):
    assert reason in refused("change_member", "--member", "ann.berg", *arguments)

    assert not AuditEntry.objects.exists()


def test_a_dry_run_says_what_would_change(ann):
    result = run("change_member", "--member", "ann.berg", "--job-title", "Pilot", "--dry-run")

    assert (result["changed"], result["would_change"]) == ([], ["job_title"])
    assert Member.objects.get(pk=ann.pk).job_title == ""


def test_a_letter_to_choose_a_password_is_sent(ann):
    assert not run("send_password_letter", "--member", "ann.berg", "--dry-run")["sent"]
    assert not Letter.objects.exists()

    assert run("send_password_letter", "--member", "ann.berg")["sent"]
    assert Letter.objects.get().email == ann.email


def test_departments_are_listed_and_merged(organization, ann, sales):
    DepartmentFactory(organization=organization, name="Lyon")
    listed = [(row["department"], row["people"], row["people_with_under"]) for row in run("list_departments")]
    assert sorted(listed) == [("Lyon", 0, 0), ("Sales", 1, 1)]

    dry = run("merge_departments", "--department", "Sales", "--into", "Lyon", "--dry-run")
    merged = run("merge_departments", "--department", "Sales", "--into", "Lyon")

    assert (dry["moved"], dry["would_merge"]) == (0, 1)
    assert merged == {"department": "Sales", "into": "Lyon", "merged": 1, "moved": 1}
    assert [department.path for department in Department.objects.all()] == ["Lyon"]


# Roles, and who may sign in


def test_a_role_is_given_and_taken_away(organization, ann):
    dry = run("assign_role", "--member", "ann.berg", "--role", "credit_manager", "--dry-run")
    assert (dry["changed"], dry["would_change"]) == (False, True)
    assert not AuditEntry.objects.exists()

    given = run("assign_role", "--member", "ann.berg", "--role", "credit_manager")
    taken = run("assign_role", "--member", ann.email, "--role", "member")

    assert given == {"skype_name": "ann.berg", "role_before": "member", "role": "credit_manager", "changed": True}
    assert (taken["role_before"], taken["changed"]) == ("credit_manager", True)
    assert not run("assign_role", "--member", "ann.berg", "--role", "member")["changed"]


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    "command", [["assign_role", "--role", "member"], ["block_member"]], ids=["assign_role", "block_member"]
)
def test_the_last_administrator_stays(organization, command, dry):
    boss = MemberFactory(organization=organization, admin=True, user__skype_name="the.boss")

    assert "administrator" in refused(*command, "--member", "the.boss", *dry)

    boss.refresh_from_db()
    assert (boss.role, boss.state) == ("administrator", "active")


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_manager_gives_no_role_above_their_own(organization, ann, dry):
    MemberFactory(organization=organization, role="members_manager", user__skype_name="the.manager")

    for role in ("administrator", "member"):
        told = refused("assign_role", "--member", "ann.berg", "--role", role, "--actor", "the.manager", *dry)
        assert told == "The actor may not do this."


def test_somebody_is_blocked_and_let_in_again(ann):
    assert run("block_member", "--member", "ann.berg", "--dry-run")["would_block"]
    assert Member.objects.get(pk=ann.pk).state == "active"

    assert run("block_member", "--member", "ann.berg", "--reason", "On leave")["blocked"]
    assert Member.objects.get(pk=ann.pk).state == "blocked"
    assert AuditEntry.objects.get(action="member.blocked").reason == "On leave"
    assert "Blocked" in refused("block_member", "--member", "ann.berg")
    assert run("unblock_member", "--member", "ann.berg", "--dry-run")["would_unblock"]
    assert run("unblock_member", "--member", "ann.berg") == {"skype_name": "ann.berg", "unblocked": True}
    assert Member.objects.get(pk=ann.pk).state == "active"
    for dry in ([], ["--dry-run"]):
        assert "Active" in refused("unblock_member", "--member", "ann.berg", *dry)


def test_nobody_blocks_themselves_by_command_nor_with_a_reason_that_cannot_be_kept(organization, ann):
    MemberFactory(organization=organization, admin=True)
    MemberFactory(organization=organization, admin=True, user__skype_name="the.boss")

    assert refused("block_member", "--member", "the.boss", "--actor", "the.boss") == "Nobody blocks themselves."
    assert "too long" in refused("block_member", "--member", "ann.berg", "--reason", "x" * 301)
    assert not AuditEntry.objects.exists()


# Departments


def test_a_department_is_added_at_its_place(organization, sales):
    assert run("add_department", "--department", "sales/Berlin", "--dry-run")["would_add"]
    assert run("add_department", "--department", "sales/Berlin") == {"department": "Sales / Berlin", "added": True}
    assert run("add_department", "--department", "Lyon")["department"] == "Lyon"

    for dry in ([], ["--dry-run"]):
        assert "Sales" in refused("add_department", "--department", "Sales", *dry)
        assert "There is no department “Nowhere”." in refused("add_department", "--department", "Nowhere/Berlin", *dry)
    assert refused("add_department", "--department", " / ") == "Give the department a name."


def test_a_department_is_renamed_and_moved(organization, sales):
    DepartmentFactory(organization=organization, name="Lyon")
    dry = run("change_department", "--department", "Sales", "--name", "Trade", "--under", "Lyon", "--dry-run")
    assert (dry["department"], dry["would_change"]) == ("Lyon / Trade", True)

    changed = run("change_department", "--department", "Sales", "--name", "Trade", "--under", "Lyon")
    assert changed == {"department_before": "Sales", "department": "Lyon / Trade", "changed": True}
    assert run("change_department", "--department", "Lyon/Trade", "--under", "")["department"] == "Trade"
    assert not run("change_department", "--department", "Trade")["changed"]
    assert refused("change_department", "--department", "Trade", "--name", "") == "Give the department a name."
    assert "itself" in refused("change_department", "--department", "Lyon", "--under", "Lyon")


def test_a_department_is_deleted_and_its_people_go_elsewhere(organization, ann, sales):
    DepartmentFactory(organization=organization, name="Lyon")
    run("add_department", "--department", "Sales/Berlin")
    for dry in ([], ["--dry-run"]):
        refused("delete_department", "--department", "Sales", *dry)
    run("delete_department", "--department", "Sales/Berlin")
    assert "can’t go" in refused("delete_department", "--department", "Sales", "--successor", "Sales")
    assert run("delete_department", "--department", "Sales", "--dry-run")["would_move"] == 1

    deleted = run("delete_department", "--department", "Sales", "--successor", "Lyon")

    assert deleted == {"department": "Sales", "successor": "Lyon", "deleted": True, "moved": 1}
    assert Member.objects.get(pk=ann.pk).department.path == "Lyon"


# Settings


def test_settings_that_are_given_change_and_the_rest_stays(organization):
    given = ["--time-zone", "Europe/Stockholm", "--allow-personal-accounts", "no", "--name", organization.name]
    assert run("change_settings", *given, "--dry-run")["would_change"] == ["time_zone", "allow_personal_accounts"]
    organization.refresh_from_db()
    assert organization.allow_personal_accounts

    assert run("change_settings", *given) == {"changed": ["time_zone", "allow_personal_accounts"]}

    organization.refresh_from_db()
    assert (organization.time_zone, organization.allow_personal_accounts) == ("Europe/Stockholm", False)
    assert AuditEntry.objects.get().action == "organization.changed"
    assert run("change_settings", "--allow-personal-accounts", "yes")["changed"] == ["allow_personal_accounts"]


def test_the_rule_of_second_factors_is_changed_by_whoever_has_one(organization):
    boss = MemberFactory(organization=organization, admin=True)
    acting = ["--actor", boss.user.skype_name, "--require-second-factor", "yes"]
    for rehearsal in ([], ["--dry-run"]):
        refused("change_settings", *acting, *rehearsal)
    organization.refresh_from_db()
    assert not organization.require_second_factor

    AuthenticatorAppFactory(user=boss.user)
    assert run("change_settings", *acting) == {"changed": ["require_second_factor"]}
    organization.refresh_from_db()
    assert organization.require_second_factor
    assert AuditEntry.objects.get().after == {"require_second_factor": True}
    assert run("change_settings", "--require-second-factor", "no")["changed"] == ["require_second_factor"]


def test_a_rule_of_second_factors_that_stands_is_asked_for_again_by_anybody(organization):
    organization.require_second_factor = True
    organization.save()
    boss = MemberFactory(organization=organization, admin=True)

    assert run("change_settings", "--actor", boss.user.skype_name, "--require-second-factor", "yes")["changed"] == []


@pytest.mark.parametrize(("option", "value"), [("--name", ""), ("--name", "www.evil.example"), ("--time-zone", "Mars")])
def test_settings_that_cannot_be_are_refused(organization, option, value):
    refused("change_settings", option, value)

    assert not AuditEntry.objects.exists()
