import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor
from members.audit import Action
from members.departments import find_or_add_departments, same_path, split_path
from members.errors import DepartmentExists, DepartmentInsideItself, DepartmentNotEmpty, DepartmentTooDeep
from members.invariants import tallies_are_what_counting_gives
from members.models import AuditEntry, Department, Invitation, Member
from members.names import NameProblem
from members.selectors.departments import count_without_department, list_department_rows
from members.services.departments import add_department, change_department, delete_department, merge_departments
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory

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


@pytest.fixture
def tree(organization):
    """Sales (Berlin (North), Paris) and Research, by name."""
    found = find(organization, "Sales/Berlin/North", "Sales/Paris", "Research", "Sales", "Sales/Berlin")
    return {path.rpartition("/")[2]: department for path, department in found.items()}


def paths():
    return list(Department.objects.order_by("sort_key").values_list("path", flat=True))


SYSTEM = Actor.system()


def test_a_department_is_added_where_it_belongs(organization, tree):
    added = add_department(actor=SYSTEM, organization=organization, name="Lyon", parent=tree["Paris"])

    assert added.path == "Sales / Paris / Lyon"
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.subject_id, entry.after) == (
        Action.DEPARTMENT_ADDED,
        added.pk,
        {"department": added.path},
    )


def test_names_are_unique_under_one_parent_without_regard_to_case(organization, tree):
    before = paths()
    with pytest.raises(DepartmentExists) as refusal:
        add_department(actor=SYSTEM, organization=organization, name="BERLIN", parent=tree["Sales"])
    assert refusal.value.path == "Sales / BERLIN"
    assert paths() == before

    assert add_department(actor=SYSTEM, organization=organization, name="BERLIN").path == "BERLIN"
    add_department(actor=SYSTEM, organization=OrganizationFactory(), name="Sales")


def test_departments_nest_six_deep_and_no_deeper(organization):
    deepest = find(organization, DEEPEST)[DEEPEST]

    with pytest.raises(DepartmentTooDeep):
        add_department(actor=SYSTEM, organization=organization, name="g", parent=deepest)
    with pytest.raises(DepartmentTooDeep):
        tops = {entry.path: entry for entry in Department.objects.all()}
        other = add_department(actor=SYSTEM, organization=organization, name="z")
        change_department(actor=SYSTEM, organization=organization, department=tops["a"], name="a", parent=other)


def test_renaming_renames_the_paths_of_all_that_lie_under_it(organization, tree):
    change_department(actor=SYSTEM, organization=organization, department=tree["Sales"], name="Vertrieb", parent=None)

    assert paths() == [
        "Research",
        "Vertrieb",
        "Vertrieb / Berlin",
        "Vertrieb / Berlin / North",
        "Vertrieb / Paris",
    ]
    entry = AuditEntry.objects.latest("id")
    assert (entry.before, entry.after) == ({"department": "Sales"}, {"department": "Vertrieb"})


def test_only_the_case_of_a_name_can_change(organization, tree):
    change_department(actor=SYSTEM, organization=organization, department=tree["Sales"], name="SALES", parent=None)

    assert paths()[1:3] == ["SALES", "SALES / Berlin"]


def test_moving_takes_the_subtree_along(organization, tree):
    change_department(
        actor=SYSTEM, organization=organization, department=tree["Berlin"], name="Berlin", parent=tree["Research"]
    )

    assert paths() == ["Research", "Research / Berlin", "Research / Berlin / North", "Sales", "Sales / Paris"]
    assert Department.objects.get(name="Berlin").parent == tree["Research"]


def test_moving_to_the_top_is_possible(organization, tree):
    change_department(actor=SYSTEM, organization=organization, department=tree["Berlin"], name="Berlin", parent=None)

    assert paths() == ["Berlin", "Berlin / North", "Research", "Sales", "Sales / Paris"]


@pytest.mark.parametrize("under", ["Sales", "Berlin", "North"])
def test_a_department_cannot_go_inside_itself(organization, tree, under):
    before = paths()

    with pytest.raises(DepartmentInsideItself):
        change_department(
            actor=SYSTEM, organization=organization, department=tree["Sales"], name="Sales", parent=tree[under]
        )
    assert paths() == before


def test_moving_onto_a_name_that_is_there_is_refused(organization, tree):
    DepartmentFactory(organization=organization, name="berlin")

    with pytest.raises(DepartmentExists):
        change_department(
            actor=SYSTEM, organization=organization, department=tree["Berlin"], name="Berlin", parent=None
        )


def test_saving_without_a_change_writes_nothing_into_the_log(organization, tree):
    entries = AuditEntry.objects.count()

    change_department(actor=SYSTEM, organization=organization, department=tree["Sales"], name="Sales", parent=None)

    assert AuditEntry.objects.count() == entries


def test_deleting_sends_the_people_where_they_are_wanted(organization, tree):
    ann, bo = MemberFactory.create_batch(2, organization=organization, department=tree["Paris"])
    gone = MemberFactory(organization=organization, department=tree["Paris"], state=Member.State.LEFT)
    waiting = InvitationFactory(member__organization=organization, department=tree["Paris"])

    moved = delete_department(
        actor=SYSTEM, organization=organization, department=tree["Paris"], successor=tree["Berlin"]
    )

    assert moved == 3
    assert {Member.objects.get(pk=member.pk).department for member in (ann, bo, gone)} == {tree["Berlin"]}
    waiting.refresh_from_db()
    assert waiting.department == tree["Berlin"]
    assert "Sales / Paris" not in paths()
    entry = AuditEntry.objects.get(action=Action.DEPARTMENT_DELETED)
    assert entry.after == {"people": 3, "moved_to": "Sales / Berlin"}
    assert AuditEntry.objects.filter(action=Action.MEMBER_MOVED, subject_member=ann).count() == 1


def test_deleting_without_a_successor_leaves_the_people_in_no_department(organization, tree):
    ann = MemberFactory(organization=organization, department=tree["Paris"])

    delete_department(actor=SYSTEM, organization=organization, department=tree["Paris"])

    ann.refresh_from_db()
    assert ann.department is None


def test_a_department_with_others_under_it_is_not_deleted(organization, tree):
    with pytest.raises(DepartmentNotEmpty):
        delete_department(actor=SYSTEM, organization=organization, department=tree["Berlin"])
    assert "Sales / Berlin" in paths()


def test_a_department_of_another_organization_is_nobodys_to_name(organization, tree):
    foreign = DepartmentFactory(name="Elsewhere")
    manager = Actor.of_member(MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER))
    acts = [
        lambda: add_department(actor=manager, organization=organization, name="x", parent=foreign),
        lambda: change_department(actor=manager, organization=organization, department=foreign, name="x", parent=None),
        lambda: change_department(
            actor=manager, organization=organization, department=tree["Sales"], name="x", parent=foreign
        ),
        lambda: delete_department(actor=manager, organization=organization, department=foreign),
        lambda: delete_department(
            actor=manager, organization=organization, department=tree["Paris"], successor=foreign
        ),
        lambda: add_department(actor=manager, organization=foreign.organization, name="x"),
    ]
    before = paths()

    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
    assert paths() == before


@pytest.mark.parametrize("role", [Member.Role.MEMBER, Member.Role.REPORTS_VIEWER, Member.Role.VOICE_MANAGER])
def test_departments_need_somebody_who_manages_members(organization, tree, role):
    actor = Actor.of_member(MemberFactory(organization=organization, role=role))

    with pytest.raises(PermissionDenied):
        add_department(actor=actor, organization=organization, name="x")
    with pytest.raises(PermissionDenied):
        change_department(actor=actor, organization=organization, department=tree["Sales"], name="x", parent=None)
    with pytest.raises(PermissionDenied):
        delete_department(actor=actor, organization=organization, department=tree["Paris"])


def test_the_shape_of_the_tree_is_locked_before_it_is_changed(organization, tree, locks_before_writes):
    with locks_before_writes():
        change_department(actor=SYSTEM, organization=organization, department=tree["Sales"], name="S", parent=None)
    MemberFactory(organization=organization, department=tree["Paris"])
    with locks_before_writes():
        delete_department(actor=SYSTEM, organization=organization, department=tree["Paris"])


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle(race):
    organization = OrganizationFactory()
    one, other = (DepartmentFactory(organization=organization, name=name) for name in ("One", "Other"))

    outcomes = race(
        lambda: change_department(actor=SYSTEM, organization=organization, department=one, name="One", parent=other),
        lambda: change_department(actor=SYSTEM, organization=organization, department=other, name="Other", parent=one),
    )

    assert sum(isinstance(outcome, DepartmentInsideItself) for outcome in outcomes) == 1
    assert paths() in (["One", "One / Other"], ["Other", "Other / One"])


def test_the_tree_counts_people_own_and_rolled_up(organization, tree):
    MemberFactory(organization=organization, department=tree["Sales"])
    MemberFactory.create_batch(2, organization=organization, department=tree["North"])
    MemberFactory(organization=organization, department=tree["Paris"], state=Member.State.BLOCKED)
    MemberFactory(organization=organization, department=tree["Paris"], state=Member.State.LEFT)
    MemberFactory(organization=organization)

    rows = {row.department.name: (row.depth, row.own, row.whole) for row in list_department_rows(organization)}

    assert rows == {
        "Research": (1, 0, 0),
        "Sales": (1, 1, 4),
        "Berlin": (2, 0, 2),
        "North": (3, 2, 2),
        "Paris": (2, 1, 1),
    }
    assert count_without_department(organization) == 1


# Merging


def merge(department, into):
    return merge_departments(
        actor=Actor.system(), organization=department.organization, department=department, into=into
    )


def all_paths(organization):
    return list(organization.departments.order_by("path").values_list("path", flat=True))


def test_people_invitations_and_departments_under_it_go_along(organization):
    sales, lyon = (DepartmentFactory(organization=organization, name=name) for name in ("Sales", "Lyon"))
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    port = DepartmentFactory(organization=organization, name="Port", parent=berlin)
    here, there = (
        MemberFactory(organization=organization, department=sales),
        MemberFactory(organization=organization, department=port),
    )
    InvitationFactory(
        member=None, organization=organization, kind="personal", user=None, email="p@home.example", department=sales
    )

    assert merge(sales, lyon) == 1

    assert all_paths(organization) == ["Lyon", "Lyon / Berlin", "Lyon / Berlin / Port"]
    here.refresh_from_db()
    there.refresh_from_db()
    assert (here.department, there.department) == (lyon, port)
    assert Invitation.objects.get().department == lyon
    merged = AuditEntry.objects.get(action=Action.DEPARTMENT_MERGED)
    assert (merged.before, merged.after) == ({"department": "Sales"}, {"people": 1, "moved_to": "Lyon"})
    changed = AuditEntry.objects.filter(action=Action.DEPARTMENT_CHANGED).order_by("pk")
    assert [(entry.before["department"], entry.after["department"]) for entry in changed] == [
        ("Sales / Berlin", "Lyon / Berlin"),
        ("Sales / Berlin / Port", "Lyon / Berlin / Port"),
    ]
    assert not list(tallies_are_what_counting_gives())


def test_departments_of_one_name_become_one_at_every_level(organization):
    sales, lyon = (DepartmentFactory(organization=organization, name=name) for name in ("Sales", "Lyon"))
    ours = DepartmentFactory(organization=organization, name="berlin", parent=sales)
    theirs = DepartmentFactory(organization=organization, name="Berlin", parent=lyon)
    DepartmentFactory(organization=organization, name="Port", parent=ours)
    DepartmentFactory(organization=organization, name="Port", parent=theirs)
    DepartmentFactory(organization=organization, name="Quay", parent=ours)
    people = MemberFactory.create_batch(3, organization=organization, department=ours)

    assert merge(sales, lyon) == 3

    assert all_paths(organization) == ["Lyon", "Lyon / Berlin", "Lyon / Berlin / Port", "Lyon / Berlin / Quay"]
    assert set(Member.objects.filter(department=theirs)) == set(people)


def test_one_is_merged_into_the_one_above_it_also_when_one_under_it_has_its_name(organization):
    sales = DepartmentFactory(organization=organization, name="Sales")
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    inner = DepartmentFactory(organization=organization, name="Berlin", parent=berlin)
    member = MemberFactory(organization=organization, department=inner)

    assert merge(berlin, sales) == 0

    assert all_paths(organization) == ["Sales", "Sales / Berlin"]
    member.refresh_from_db()
    assert member.department.path == "Sales / Berlin"
    assert member.department.parent == sales


@pytest.mark.parametrize("under", [False, True])
def test_none_is_merged_into_itself_or_one_under_it(organization, under):
    sales = DepartmentFactory(organization=organization, name="Sales")
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)

    with pytest.raises(DepartmentInsideItself):
        merge(sales, berlin if under else sales)

    assert all_paths(organization) == ["Sales", "Sales / Berlin"]


def test_what_would_nest_too_deep_is_not_merged(organization):
    found = find(organization, DEEPEST, "x/y")
    deep = found[DEEPEST]
    before = all_paths(organization)

    with pytest.raises(DepartmentTooDeep):
        merge(organization.departments.get(path="x"), deep)

    assert all_paths(organization) == before


def test_the_other_one_may_not_be_another_company_s(organization):
    sales = DepartmentFactory(organization=organization, name="Sales")

    with pytest.raises(PermissionDenied):
        merge(sales, DepartmentFactory())
