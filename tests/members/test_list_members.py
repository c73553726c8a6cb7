import io
import json

import pytest
from django.core.management import CommandError, call_command

from members.models import Member
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


def run(*arguments):
    out = io.StringIO()
    call_command("list_members", "--organization", "acme", *arguments, stdout=out)
    return out.getvalue()


def listed(*arguments):
    return json.loads(run("--json", *arguments))


def test_each_member_is_told_in_full(organization):
    sales = DepartmentFactory(organization=organization, name="Sales")
    MemberFactory(
        organization=organization,
        role=Member.Role.VOICE_MANAGER,
        department=DepartmentFactory(organization=organization, name="Berlin", parent=sales),
        user__skype_name="ann.berg",
        user__email="ann@example.com",
        user__first_name="Ann",
        user__last_name="Berg",
    )

    assert listed() == [
        {
            "skype_name": "ann.berg",
            "email": "ann@example.com",
            "first_name": "Ann",
            "last_name": "Berg",
            "job_title": "",
            "department": "Sales / Berlin",
            "kind": "business",
            "state": "active",
            "role": "voice_manager",
            "balance": "0.0000",
        }
    ]


def test_members_are_listed_by_name_and_filtered_by_state(organization):
    for name, state in (("Cy", "active"), ("Åsa", "invited"), ("Bo", "left"), ("Ann", "active")):
        MemberFactory(organization=organization, state=state, user__first_name=name)
    MemberFactory(user__first_name="Stranger")

    assert [row["first_name"] for row in listed()] == ["Ann", "Åsa", "Bo", "Cy"]
    assert [row["first_name"] for row in listed("--state", "active")] == ["Ann", "Cy"]


@pytest.mark.parametrize("path", ["Sales", "SALES", "/Sales/", "sales"])
def test_a_department_holds_those_under_it(organization, path):
    sales = DepartmentFactory(organization=organization, name="Sales")
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    for name, department in (("Ann", sales), ("Bo", berlin), ("Cy", None)):
        MemberFactory(organization=organization, department=department, user__first_name=name)

    assert [row["first_name"] for row in listed("--department", path)] == ["Ann", "Bo"]
    assert [row["first_name"] for row in listed("--department", "Sales / Berlin")] == ["Bo"]


def test_people_get_lines_and_a_count(organization):
    MemberFactory(organization=organization, user__skype_name="ann.berg")

    text = run()

    assert text.startswith("ann.berg ")
    assert text.endswith("\n1 member.\n")


def test_an_unknown_department_is_refused(organization):
    with pytest.raises(CommandError, match="no department “Nowhere”"):
        run("--department", "Nowhere")


def test_many_members_cost_few_queries(organization, django_assert_max_num_queries):
    MemberFactory.create_batch(25, organization=organization)

    with django_assert_max_num_queries(4):
        assert len(listed()) == 25
