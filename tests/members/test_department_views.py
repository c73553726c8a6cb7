from uuid import uuid4

import pytest
from django.urls import reverse

from members.access import Capability
from members.models import Batch, Department, Member
from members.registry import DepartmentFigure, registry
from tests.credit.moves import allocate, buy
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


# One department


def test_the_page_of_a_department_tells_its_people_credit_and_what_lies_under_it(client, organization, sales, berlin):
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    buy(organization)
    allocate(MemberFactory(organization=organization, department=sales), "5")
    allocate(MemberFactory(organization=organization, department=berlin), "7.5")
    allocate(MemberFactory(organization=organization), "9")

    page = client.get(url("department_detail", sales.pk))

    assert [(row.department.name, row.whole) for row in page.context["under"]] == [("Berlin", 1)]
    assert page.context["row"].whole == 2
    assert "€12.50" in page.text
    assert f'href="/acme/members/?department={sales.pk}"' in page.text
    nested = client.get(url("department_detail", berlin.pk)).text
    assert f'href="{url("department_detail", sales.pk)}"' in nested
    assert "€7.50" in nested


def test_what_an_app_adds_to_a_department_is_for_those_who_may_see_it(client, organization, manager, sales):
    spent = DepartmentFigure(
        key="spent", label="Spent", capability=Capability.VIEW_REPORTS, order=20, show=lambda organization, some: "77"
    )
    registry.add(spent)
    try:
        hidden = client.get(url("department_detail", sales.pk)).text
        client.force_login(MemberFactory(organization=organization, role=Member.Role.REPORTS_VIEWER).user)
        shown = client.get(url("department_detail", sales.pk)).text
    finally:
        registry.remove(DepartmentFigure, "spent")

    assert ("Spent" in hidden, "Spent" in shown) == (False, True)


# Merging


def test_a_department_is_merged_into_another_after_saying_what_goes(client, organization, manager, sales, berlin):
    member = MemberFactory(organization=organization, department=berlin)
    lyon = DepartmentFactory(organization=organization, name="Lyon")

    page = client.get(url("department_merge", berlin.pk))
    assert "1 person of Sales / Berlin goes there" in page.text
    assert f'<option value="{berlin.pk}"' not in page.text
    response = client.post(url("department_merge", berlin.pk), {"into": lyon.pk}, follow=True)

    assert "Sales / Berlin is part of Lyon now. 1 person was moved." in response.text
    member.refresh_from_db()
    assert member.department == lyon
    assert not Department.objects.filter(pk=berlin.pk).exists()


def test_too_deep_a_merger_is_refused_next_to_the_choice(client, organization, manager):
    deep = deepest(organization)
    other = DepartmentFactory(organization=organization, name="Other")
    DepartmentFactory(organization=organization, name="Under", parent=other)

    response = client.post(url("department_merge", other.pk), {"into": deep.pk})

    assert response.status_code == 422
    assert 'href="#id_into"' in response.text
    assert "at most 6 levels deep" in response.text
    assert Department.objects.filter(pk=other.pk).exists()


# Made where it is needed


def test_a_department_is_made_where_people_are_moved(client, organization, manager, sales):
    people = MemberFactory.create_batch(2, organization=organization)
    chosen = {"member": [person.pk for person in people], "to": "new", "new_name": "Berlin", "new_parent": sales.pk}

    forecast = client.get(url("members_move"), chosen)
    assert "2 of 2 people will be moved." in forecast.text
    assert '<input type="hidden" name="new_name" value="Berlin">' in forecast.text
    assert not Department.objects.filter(name="Berlin").exists()
    done = client.post(url("members_move"), chosen, follow=True)

    assert "2 people moved to Sales / Berlin." in done.text
    assert set(Member.objects.filter(department__path="Sales / Berlin")) == set(people)


def test_more_than_a_page_changes_go_to_a_department_that_is_made_first(client, organization, manager, monkeypatch):
    monkeypatch.setattr("members.batches.AT_ONCE", 1)
    people = MemberFactory.create_batch(2, organization=organization)
    chosen = {"member": [person.pk for person in people], "to": "new", "new_name": "Berlin", "new_parent": "none"}

    changed = client.post(url("members_move"), {**chosen, "count": 5, "key": uuid4()})
    berlin = Department.objects.get()
    begun = client.post(url("members_move"), {**chosen, "to": berlin.pk, "count": 2, "key": uuid4()})

    assert changed.url.endswith(f"&to={berlin.pk}")
    assert Batch.objects.get().facts == {"department": berlin.pk, "path": "Berlin"}
    assert begun.status_code == 302


@pytest.mark.parametrize(
    ("name", "parent", "sentence", "field"),
    [
        ("", "none", "Enter a name.", "new_name"),
        ("a/b", "none", "A name can’t hold a slash.", "new_name"),
        ("SALES", "none", "There is already a department “SALES”.", "new_name"),
        ("Below", "deepest", "at most 6 levels deep", "new_parent"),
    ],
)
def test_what_is_wrong_with_a_new_department_is_said_next_to_it_and_nothing_typed_is_lost(
    client, organization, manager, sales, name, parent, sentence, field
):
    member = MemberFactory(organization=organization, user__first_name="Ann")
    sent = {
        "first_name": "Typed",
        "email": member.email,
        "department": "new",
        "new_name": name,
        "new_parent": deepest(organization).pk if parent == "deepest" else parent,
    }

    response = client.post(url("member_profile", member.user.skype_name), sent)

    assert response.status_code == 422
    assert sentence in response.text
    assert f'href="#id_{field}"' in response.text
    assert 'value="Typed"' in response.text
    member.user.refresh_from_db()
    assert member.user.first_name == "Ann"


def test_a_new_department_of_a_profile_is_made_and_what_is_unchosen_is_ignored(client, organization, manager, sales):
    member = MemberFactory(organization=organization)
    at = url("member_profile", member.user.skype_name)

    client.post(at, {"email": member.email, "department": "new", "new_name": "Lyon", "new_parent": sales.pk})
    assert Member.objects.get(pk=member.pk).department.path == "Sales / Lyon"
    client.post(at, {"email": member.email, "department": sales.pk, "new_name": "http://x.example", "new_parent": "x"})

    assert Member.objects.get(pk=member.pk).department == sales


def deepest(organization):
    parent = None
    for number in range(Department.MAX_DEPTH):
        parent = DepartmentFactory(organization=organization, name=f"D{number}", parent=parent)
    return parent
