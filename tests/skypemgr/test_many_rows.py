import pytest
from django.db import DataError, IntegrityError, ProgrammingError, transaction

from members.models import AuditEntry, BatchRow, User
from members.models import Batch as BatchModel
from skypemgr.many_rows import check_references, insert_rows, update_rows
from tests.factories import MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


def users(*names, **values):
    return [User(skype_name=name, email=f"{name}@people.example", kind="personal", **values) for name in names]


def test_rows_are_written_as_they_are_and_come_back_with_ids_in_their_order():
    odd = 'Tab\there, "quotes", back\\slash, \\N, new\nline and Åsa'
    made = insert_rows(users("first.one", "second.one", "third.one", first_name=odd))

    assert [user.pk for user in made] == sorted(user.pk for user in made)
    stored = User.objects.in_bulk([user.pk for user in made])
    assert [stored[user.pk].skype_name for user in made] == ["first.one", "second.one", "third.one"]
    assert stored[made[0].pk].first_name == odd
    assert stored[made[0].pk].created_at == made[0].created_at
    assert not made[0]._state.adding


def test_no_rows_are_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert insert_rows([]) == []
        update_rows([], ["first_name"])


def test_a_constraint_refuses_what_it_refuses_one_by_one():
    UserFactory(skype_name="taken.name")

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(users("free.name", "Taken.Name"))

    assert not User.objects.filter(skype_name="free.name").exists()


def test_a_foreign_key_that_leads_nowhere_is_found_when_it_is_asked_for():
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([AuditEntry(organization_id=2**40, actor_kind="system", action="x", subject_type="x")])
        check_references()


def test_triggers_of_the_table_hold():
    [user] = insert_rows(users("frozen.name"))
    user.skype_name = "other.name"

    with pytest.raises(ProgrammingError), transaction.atomic():
        update_rows([user], ["skype_name"])


def test_an_update_changes_the_fields_it_names_and_no_others():
    one, other, third = UserFactory(), UserFactory(), UserFactory()
    for user in (one, other):
        user.first_name, user.last_name, user.is_active = "Åsa", "nothing of this", False

    update_rows([one, other], ["first_name", "is_active"])

    third.refresh_from_db()
    for user in (one, other):
        user.refresh_from_db()
        assert (user.first_name, user.is_active) == ("Åsa", False)
        assert user.last_name != "nothing of this"
    assert third.is_active


def test_what_does_not_fit_is_refused_and_never_cut():
    user = UserFactory()
    user.first_name = "x" * 3_000

    with pytest.raises(DataError), transaction.atomic():
        update_rows([user], ["first_name"])
    with pytest.raises(DataError), transaction.atomic():
        insert_rows(users("long.name", first_name="x" * 3_000))


def test_json_and_empty_references_are_written_by_both():
    organization = OrganizationFactory()
    batch = BatchModel.objects.create(organization=organization, kind="import_members")
    [row] = insert_rows(
        [BatchRow(organization=organization, batch=batch, number=1, outcome="ready", data={"name": 'Å "q" \\ \n'})]
    )
    assert BatchRow.objects.get(pk=row.pk).data == {"name": 'Å "q" \\ \n'}

    row.data, row.notes, row.member = {"x": [1, None]}, [{"code": "ü"}], MemberFactory(organization=organization)
    update_rows([row], ["data", "notes", "member"])

    stored = BatchRow.objects.get(pk=row.pk)
    assert (stored.data, stored.notes, stored.member_id) == ({"x": [1, None]}, [{"code": "ü"}], row.member_id)
