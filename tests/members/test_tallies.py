"""How many members are alike: kept by the database in the statement that changes it."""

from django.db import connection
from django.db.models import Q

from members import tallies
from members.models import Member, MemberTally
from members.services.tallies import fold_long_tallies
from members.tallies import present, tally
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

State = Member.State


def test_a_tally_follows_who_comes_changes_and_goes(db):
    organization = OrganizationFactory()
    sales = DepartmentFactory(organization=organization)
    MemberFactory.create_batch(3, organization=organization)
    blocked = MemberFactory(organization=organization, department=sales, state=State.BLOCKED, personal=True)
    MemberFactory()

    assert tally(organization, "state") == {"active": 3, "blocked": 1}
    assert tally(organization, "department_id", present()) == {None: 3, sales.pk: 1}
    assert tally(organization, "account_kind", Q(department=sales)) == {"personal": 1}

    Member.objects.of(organization).update(state=State.LEFT, role=Member.Role.VOICE_MANAGER)
    assert tally(organization, "state") == {"left": 4}
    assert tally(organization, "department_id", present()) == {}

    blocked.delete()
    assert tally(organization, "role") == {"voice_manager": 3}
    assert tallies.wrong_tallies() == []


def test_a_tally_is_summed_up_and_says_the_same(db, monkeypatch):
    monkeypatch.setattr("members.services.tallies.LONG", 5)
    organization, other = OrganizationFactory(), OrganizationFactory()
    MemberFactory.create_batch(10, organization=organization)
    MemberFactory.create_batch(2, organization=other)

    assert tallies.organizations_to_fold(5) == [organization.pk]
    tallies.fold_tallies(organization_id=organization.pk)

    assert MemberTally.objects.filter(organization=organization).count() == 2
    assert tally(organization, "state") == {"active": 10}
    assert tally(other, "state") == {"active": 2}


def test_long_tallies_are_summed_up_by_themselves(transactional_db, monkeypatch):
    monkeypatch.setattr("members.services.tallies.LONG", 5)
    MemberFactory.create_batch(10, organization=OrganizationFactory())

    assert fold_long_tallies() == 1
    assert fold_long_tallies() == 0
    assert tallies.wrong_tallies() == []


def test_two_who_sum_up_at_once_lose_nothing(race):
    organization = OrganizationFactory()
    MemberFactory.create_batch(20, organization=organization)
    people = Member.objects.of(organization)

    race(
        lambda: tallies.fold_tallies(organization_id=organization.pk),
        lambda: tallies.fold_tallies(organization_id=organization.pk),
        lambda: people.update(state=State.BLOCKED),
        lambda: tallies.fold_tallies(organization_id=organization.pk),
    )

    assert tally(organization, "state") == {"blocked": 20}
    assert tallies.wrong_tallies() == []


def test_a_wrong_tally_is_found(db):
    member = MemberFactory()
    MemberFactory()
    MemberTally.objects.filter(organization=member.organization).update(number=2)

    assert tallies.wrong_tallies() == [member.organization_id]


def test_the_kind_of_a_member_is_that_of_the_account_whatever_is_written(db):
    person = MemberFactory(personal=True, account_kind="business")
    employee = MemberFactory()
    Member.objects.filter(pk=employee.pk).update(account_kind="personal")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_member SET account_kind = 'business' WHERE id = %s", [person.pk])

    kinds = dict(Member.objects.values_list("pk", "account_kind"))
    assert kinds == {person.pk: "personal", employee.pk: "business"}
