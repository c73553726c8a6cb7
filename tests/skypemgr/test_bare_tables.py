import pytest
from django.db import IntegrityError, connection, transaction

from members.models import Member
from skypemgr.bare_tables import bare_tables
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ["members_user", "members_member"]
OF_THE_TABLES = """
    SELECT indexdef FROM pg_indexes WHERE tablename = ANY (%(tables)s)
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[])
"""


def definitions():
    with connection.cursor() as cursor:
        cursor.execute(OF_THE_TABLES, {"tables": TABLES})
        return sorted(definition for (definition,) in cursor.fetchall())


def test_indexes_and_references_are_away_meanwhile_and_come_back_as_they_were():
    before = definitions()
    with transaction.atomic():
        MemberFactory()
        with bare_tables(TABLES):
            left = definitions()
            MemberFactory()

    assert definitions() == before
    assert sum("FOREIGN KEY" in definition for definition in left) == 0
    # Primary keys, and the one to which others refer.
    assert sum("INDEX" in definition for definition in left) == 3
    assert Member.objects.count() == 2


@pytest.mark.parametrize(
    "change", [{"user_id": 999_999}, {"email": "SAME@people.example"}], ids=["a reference", "a unique index"]
)
def test_rows_that_break_a_constraint_are_refused_at_the_end(change):
    first, second = MemberFactory.create_batch(2, organization=OrganizationFactory())
    Member.objects.filter(pk=first.pk).update(email="same@people.example")
    before = definitions()

    with pytest.raises(IntegrityError), transaction.atomic(), bare_tables(TABLES):
        Member.objects.filter(pk=second.pk).update(**change)

    assert definitions() == before
