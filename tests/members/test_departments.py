import pytest
from django.db import transaction

from members.access import Actor
from members.audit import Action
from members.departments import find_or_add_departments, same_path, split_path
from members.errors import DepartmentTooDeep
from members.models import AuditEntry, Department
from members.names import NameProblem
from tests.factories import DepartmentFactory, OrganizationFactory

DEEPEST = "/".join("abcdef")


@pytest.fixture
def organization(db):
    return OrganizationFactory()


def find(organization, *paths):
    return find_or_add_departments(organization=organization, actor=Actor.system(), paths=paths)


@pytest.mark.parametrize(
    "path", ["Sales / Berlin", "Sales/Berlin", "/Sales/Berlin", " Sales /  Berlin / ", "//Sales//Berlin"]
)
def test_a_path_is_read_however_it_is_written(path):
    assert split_path(path) == ["Sales", "Berlin"]


@pytest.mark.parametrize("path", ["", " ", "/", " / / "])
def test_a_path_without_a_name_is_no_department(organization, path):
    assert split_path(path) == []
    assert find(organization, path) == {}
    assert not Department.objects.exists()


def test_missing_departments_are_made_with_their_parents(organization):
    found = find(organization, "Sales/Berlin", "Sales", "Sales / Paris", "Research")

    assert list(found) == ["Sales/Berlin", "Sales", "Sales / Paris", "Research"]
    assert found["Sales/Berlin"].parent == found["Sales"] == found["Sales / Paris"].parent
    paths = Department.objects.order_by("sort_key").values_list("path", flat=True)
    assert list(paths) == ["Research", "Sales", "Sales / Berlin", "Sales / Paris"]
    assert AuditEntry.objects.filter(action=Action.DEPARTMENT_ADDED).count() == 4


def test_what_is_there_is_found_in_any_case_and_nothing_is_written(organization, django_assert_num_queries):
    sales = DepartmentFactory(organization=organization, name="Sales")
    berlin = DepartmentFactory(organization=organization, name="Köln", parent=sales)

    with django_assert_num_queries(1):
        found = find(organization, "SALES/kÖLN", "sales")

    assert found == {"SALES/kÖLN": berlin, "sales": sales}
    assert not AuditEntry.objects.exists()


def test_a_department_under_an_existing_one_keeps_the_name_of_its_parent(organization):
    DepartmentFactory(organization=organization, name="Sales")

    assert find(organization, "SALES/Berlin")["SALES/Berlin"].path == "Sales / Berlin"


def test_two_ways_to_write_one_missing_department_make_one(organization):
    found = find(organization, "Sales/Berlin", "sales / BERLIN")

    assert found["Sales/Berlin"] == found["sales / BERLIN"]
    assert Department.objects.count() == 2


def test_departments_of_another_organization_are_not_found(organization):
    DepartmentFactory(name="Sales")

    assert find(organization, "Sales")["Sales"].organization == organization


def test_too_deep_or_unseen_names_are_refused_and_nothing_is_made(organization):
    assert find(organization, DEEPEST)[DEEPEST].path == " / ".join("abcdef")
    before = Department.objects.count()

    with pytest.raises(DepartmentTooDeep), transaction.atomic():
        find(organization, "New", f"{DEEPEST}/g")
    with pytest.raises(NameProblem), transaction.atomic():
        find(organization, "New", "Sales/\u200b")
    assert Department.objects.count() == before


def test_ten_thousand_rows_cost_no_more_queries_than_one(organization, django_assert_max_num_queries):
    paths = [f"Company/Division {n % 7}/Team {n % 70}" for n in range(10_000)]

    with django_assert_max_num_queries(14):
        found = find(organization, *paths)

    assert len(found) == 70
    assert Department.objects.count() == 1 + 7 + 70


@pytest.mark.django_db(transaction=True)
def test_imports_that_need_the_same_departments_at_once_make_them_once(race):
    organization = OrganizationFactory()
    orders = [("A/X", "B/Y"), ("B/Y", "A/X"), ("b/y", "a/x"), ("B", "A/X")]

    outcomes = race(*(lambda paths=paths: find(organization, *paths) for paths in orders))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert sorted(path.lower() for path in Department.objects.values_list("path", flat=True)) == [
        "a",
        "a / x",
        "b",
        "b / y",
    ]
    assert AuditEntry.objects.count() == 4


@pytest.mark.parametrize(("one", "other"), [("İzmir", "izmir"), ("ΟΔΟΣ", "οδος"), ("ÉCOLE", "école"), ("\u212a", "k")])
def test_the_same_name_in_another_case_is_the_same_department(organization, one, other):
    assert same_path(one) == same_path(other)

    first = find(organization, one)[one]

    assert find(organization, other)[other] == first
