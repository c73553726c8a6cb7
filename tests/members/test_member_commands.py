"""Changing members and departments by command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from members.models import AuditEntry, Department, Letter, Member
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

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
