import pytest
from django.urls import reverse

from members.models import Department, Member
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def manager(organization, client):
    member = MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER)
    client.force_login(member.user)
    return member


@pytest.fixture
def sales(organization):
    return DepartmentFactory(organization=organization, name="Sales")


@pytest.fixture
def berlin(organization, sales):
    return DepartmentFactory(organization=organization, name="Berlin", parent=sales)


def url(name, *args):
    return reverse(f"members:{name}", args=["acme", *args])


def test_the_tree_is_listed_with_people_own_and_rolled_up(client, organization, manager, sales, berlin):
    MemberFactory.create_batch(2, organization=organization, department=berlin)

    response = client.get(url("department_list"))

    rows = [(row.department.name, row.depth, row.own, row.whole) for row in response.context["rows"]]
    assert rows == [("Sales", 1, 0, 2), ("Berlin", 2, 2, 2)]
    assert f'href="/acme/members/?department={berlin.pk}"' in response.text
    assert response.context["without"] == 1


def test_without_departments_the_page_says_how_they_come(client, manager):
    assert "No departments yet" in client.get(url("department_list")).text


def test_a_department_is_added_under_another(client, organization, manager, sales):
    page = client.get(url("department_add") + f"?parent={sales.pk}")
    assert f'<option value="{sales.pk}" selected>' in page.text
    response = client.post(url("department_add"), {"name": "Lyon", "parent": sales.pk}, follow=True)

    assert "Sales / Lyon is added." in response.text
    assert organization.departments.get(name="Lyon").parent == sales


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SALES", "There is already a department “SALES”."),
        ("", "This field is required."),
        ("a/b", "A name can’t hold a slash."),
        ("\u3164", "no character that can be seen"),
        ("www.evil.example", "can't hold a web address"),
    ],
)
def test_a_name_that_cannot_be_is_refused(client, organization, manager, sales, name, sentence):
    response = client.post(url("department_add"), {"name": name, "parent": "none"})

    assert response.status_code == 422
    assert sentence in response.content.decode().replace("&#x27;", "'")
    assert list(organization.departments.all()) == [sales]


def test_a_department_is_renamed_and_moved(client, organization, manager, sales, berlin):
    response = client.post(url("department_change", berlin.pk), {"name": "Köln", "parent": "none"}, follow=True)

    assert "Köln is saved." in response.text
    berlin.refresh_from_db()
    assert (berlin.path, berlin.parent) == ("Köln", None)


def test_a_department_is_not_offered_itself_as_its_parent(client, organization, manager, sales, berlin):
    page = client.get(url("department_change", sales.pk))
    assert f'<option value="{berlin.pk}"' not in page.text

    response = client.post(url("department_change", sales.pk), {"name": "Sales", "parent": berlin.pk})
    assert response.status_code == 422


def test_too_deep_a_place_is_refused_next_to_it(client, organization, manager):
    parent = None
    for number in range(Department.MAX_DEPTH):
        parent = DepartmentFactory(organization=organization, name=f"D{number}", parent=parent)

    response = client.post(url("department_add"), {"name": "Deeper", "parent": parent.pk})

    assert response.status_code == 422
    assert "at most 6 levels deep" in response.text


def test_a_department_is_deleted_and_its_people_go_where_they_are_sent(client, organization, manager, sales, berlin):
    member = MemberFactory(organization=organization, department=berlin)

    page = client.get(url("department_delete", berlin.pk))
    assert "1 person goes there" in page.text
    assert f'<option value="{sales.pk}" selected>' in page.text
    response = client.post(url("department_delete", berlin.pk), {"successor": sales.pk}, follow=True)

    assert "Sales / Berlin is deleted. 1 person was moved." in response.text
    member.refresh_from_db()
    assert member.department == sales


def test_a_department_with_others_under_it_says_so(client, manager, sales, berlin):
    assert "still has departments under it" in client.get(url("department_delete", sales.pk)).text
    response = client.post(url("department_delete", sales.pk), {"successor": "none"})

    assert response.status_code == 422
    assert Department.objects.filter(pk=sales.pk).exists()


@pytest.mark.parametrize("pk", [0, 999_999_999_999, 99_999_999_999_999_999_999])
def test_a_department_that_is_not_there_is_not_found(client, manager, pk):
    assert client.get(f"/acme/members/departments/{pk}/").status_code == 404
    assert client.post(f"/acme/members/departments/{pk}/delete/").status_code == 404


@pytest.mark.parametrize("parent", ["x", "-1", "99999999999999999999", "%D9%A3"])
def test_nonsense_as_a_proposed_parent_is_ignored(client, manager, parent):
    assert client.get(url("department_add") + f"?parent={parent}").status_code == 200


def test_who_only_looks_sees_the_tree_and_no_way_to_change_it(client, organization, sales):
    client.force_login(MemberFactory(organization=organization, role=Member.Role.REPORTS_VIEWER).user)

    page = client.get(url("department_list"))

    assert "Sales" in page.text
    assert "Add department" not in page.text
    assert "Rename" not in page.text


def test_the_tree_costs_as_many_queries_for_twenty_as_for_one(
    client, organization, manager, sales, django_assert_num_queries
):
    with django_assert_num_queries(7):
        client.get(url("department_list"))
    for number in range(20):
        MemberFactory(
            organization=organization, department=DepartmentFactory(organization=organization, name=f"D{number}")
        )
    with django_assert_num_queries(7):
        client.get(url("department_list"))
