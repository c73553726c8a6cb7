"""Deleting a department of more people than a page can wait for: they leave slice by slice, then it goes."""

from uuid import uuid4

import pytest
from django.urls import reverse

from members import batches
from members.access import Actor
from members.audit import Action
from members.invariants import changes_of_many_are_made_once, tallies_are_what_counting_gives
from members.models import AuditEntry, Batch, Department, Member
from members.services import run_work
from members.services.departments import add_department
from members.services.runs import cancel_run
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory

State = Member.State
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """What is many, and what a slice is, so that a handful of people is enough."""
    monkeypatch.setattr("members.batches.AT_ONCE", 3)
    monkeypatch.setattr(batches, "SLICE", 2)


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def sales(organization):
    return DepartmentFactory(organization=organization, name="Sales")


@pytest.fixture
def berlin(organization, sales):
    department = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    MemberFactory.create_batch(4, organization=organization, department=department)
    MemberFactory(organization=organization, department=department, state=State.LEFT)
    return department


def url(department):
    return reverse("members:department_delete", args=["acme", department.pk])


@pytest.fixture
def begun(client, boss, sales, berlin):
    """The run that deletes Berlin, whose people go to Sales."""
    answer = client.post(url(berlin), {"successor": sales.pk, "count": 5, "key": uuid4()})
    batch = Batch.objects.get()
    assert answer.headers["Location"] == reverse("members:run_detail", args=["acme", batch.pk])
    return batch


def people_of(department):
    return Member.objects.filter(department=department).count()


def state_of(batch):
    batch.refresh_from_db()
    return batch.state


def test_the_page_says_that_it_goes_on_and_the_run_shows_whose_people_go_where(client, boss, sales, berlin):
    page = client.get(url(berlin))
    assert "4 people go there" in page.text
    assert "That goes on behind the pages." in page.text
    assert '<input type="hidden" name="count" value="5">' in page.text

    run = client.post(url(berlin), {"successor": sales.pk, "count": 5, "key": uuid4()}, follow=True)

    assert "Deleting a department" in run.text
    assert "Sales / Berlin; its people go to Sales." in run.text
    assert Department.objects.filter(pk=berlin.pk).exists()


def test_everybody_goes_slice_by_slice_and_the_department_last(organization, sales, berlin, begun):
    waiting = InvitationFactory(member__organization=organization, member__department=sales, department=berlin)
    run_work.apply_slice(batch=begun)
    assert (people_of(berlin), people_of(sales)) == (3, 3)

    run_work.advance_run(begun)

    assert state_of(begun) == Batch.State.DONE
    assert not Department.objects.filter(pk=berlin.pk).exists()
    assert people_of(sales) == 6
    waiting.refresh_from_db()
    assert waiting.department == sales
    assert AuditEntry.objects.filter(action=Action.MEMBER_MOVED).count() == 5
    entry = AuditEntry.objects.get(action=Action.DEPARTMENT_DELETED)
    assert entry.before == {"department": "Sales / Berlin"}
    assert entry.after == {"people": 5, "moved_to": "Sales"}
    assert [*changes_of_many_are_made_once(), *tallies_are_what_counting_gives()] == []


def test_whoever_comes_meanwhile_goes_too_and_whoever_left_meanwhile_stays_away(organization, sales, berlin, begun):
    paris = DepartmentFactory(organization=organization, name="Paris")
    gone = Member.objects.filter(department=berlin).order_by("pk").last()
    Member.objects.filter(pk=gone.pk).update(department=paris)
    late = MemberFactory(organization=organization, department=berlin)

    run_work.advance_run(begun)

    late.refresh_from_db()
    gone.refresh_from_db()
    assert (late.department, gone.department) == (sales, paris)
    assert batches.progress_of(begun) == batches.Progress(changed=4, untouched=1, failed=0, total=5)
    assert AuditEntry.objects.get(action=Action.DEPARTMENT_DELETED).after["people"] == 5


def test_a_department_that_got_others_under_it_meanwhile_stays(client, organization, boss, berlin, begun):
    add_department(actor=Actor.of_member(boss), organization=organization, name="Mitte", parent=berlin)

    run_work.advance_run(begun)

    assert state_of(begun) == Batch.State.CANCELED
    assert Department.objects.filter(pk=berlin.pk).exists()
    assert people_of(berlin) == 0
    page = client.get(reverse("members:run_detail", args=["acme", begun.pk]))
    assert "so it is not deleted" in page.text


def test_a_run_that_is_stopped_after_its_last_slice_leaves_the_department(organization, boss, berlin, begun):
    while begun.slices.filter(changed=None).exists():
        run_work.apply_slice(batch=begun)
    cancel_run(actor=Actor.of_member(boss), organization=organization, batch=begun)

    run_work.advance_run(begun)

    assert Department.objects.filter(pk=berlin.pk).exists()
    assert state_of(begun) == Batch.State.CANCELED


def test_nobody_deletes_what_they_may_not_delete_any_more(organization, boss, berlin, begun):
    while begun.slices.filter(changed=None).exists():
        run_work.apply_slice(batch=begun)
    Member.objects.filter(pk=boss.pk).update(state=State.BLOCKED)

    run_work.advance_run(begun)

    assert Department.objects.filter(pk=berlin.pk).exists()
    assert state_of(begun) == Batch.State.CANCELED


def test_a_run_whose_successor_is_gone_goes_no_further(organization, boss, sales, berlin, begun):
    run_work.apply_slice(batch=begun)
    Member.objects.filter(department=sales).update(department=None)
    Department.objects.filter(pk=berlin.pk).update(parent=None)
    sales.delete()

    run_work.advance_run(begun)

    assert state_of(begun) == Batch.State.CANCELED
    assert people_of(berlin) == 3


def test_when_they_are_not_as_many_as_were_shown_nothing_begins(client, boss, sales, berlin):
    answer = client.post(url(berlin), {"successor": sales.pk, "count": 4, "key": uuid4()})

    assert answer.status_code == 422
    assert not Batch.objects.exists()


def test_a_form_that_is_sent_twice_begins_one_run(client, boss, sales, berlin):
    form = {"successor": sales.pk, "count": 5, "key": uuid4()}

    places = [client.post(url(berlin), form).headers["Location"] for _time in range(2)]

    assert len(set(places)) == 1
    assert Batch.objects.count() == 1


def test_two_workers_delete_a_department_once(race, berlin, begun):
    race(*[lambda: run_work.advance_run(begun)] * 3)
    run_work.advance_run(begun)

    assert AuditEntry.objects.filter(action=Action.DEPARTMENT_DELETED).count() == 1
    assert AuditEntry.objects.filter(action=Action.MEMBER_MOVED).count() == 5


def test_many_people_are_merged_behind_the_pages_all_at_once(client, organization, boss, sales, berlin):
    lyon = DepartmentFactory(organization=organization, name="Lyon")
    merge = reverse("members:department_merge", args=["acme", sales.pk])
    page = client.get(merge)
    assert "5 people of Sales go there" in page.text
    facts = {"into": lyon.pk, "count": 5, "key": page.context["key"]}

    response = client.post(merge, facts)
    batch = Batch.objects.get()
    while run_work.apply_slice(batch=batch):
        pass

    assert response.url == reverse("members:run_detail", args=["acme", batch.pk])
    assert "Sales into Lyon" in client.get(response.url).text
    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert list(Department.objects.order_by("path").values_list("path", flat=True)) == ["Lyon", "Lyon / Berlin"]
    assert Member.objects.filter(department__path="Lyon / Berlin").count() == 5
