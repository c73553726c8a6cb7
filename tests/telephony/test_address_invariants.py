import pytest
from django.db import connection

from skypemgr.invariants import find_violations
from telephony.models import EmergencyAddress, EmergencyAddressVersion
from tests.factories import EmergencyAddressFactory

pytestmark = pytest.mark.django_db


def told():
    return [violation for violation in find_violations() if "emergency" in str(violation)]


def as_superuser(statement):
    """Change what no statement of ours may."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE telephony_emergencyaddressversion DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE telephony_emergencyaddressversion ENABLE TRIGGER USER")


def test_an_address_without_a_version_that_counts_is_found():
    EmergencyAddressFactory()
    assert told() == []

    EmergencyAddress.objects.update(current=None)

    assert len(told()) == 1


def test_a_version_that_is_missing_is_found():
    EmergencyAddressFactory()

    as_superuser("UPDATE telephony_emergencyaddressversion SET number = 2")

    assert len(told()) == 1


def test_a_version_that_was_not_validated_is_found():
    EmergencyAddressFactory()

    as_superuser("""UPDATE telephony_emergencyaddressversion SET fields = '{"city": "invalid"}'""")

    assert len(told()) == 1
    assert EmergencyAddressVersion.objects.count() == 1
