"""The first lock of the order in which all are taken: organization, then members and accounts by key, then the rest."""

from django.db import connection

from members.models import Organization


def lock_organization(organization: Organization) -> None:
    """Hold an organization's shape until the transaction ends: who administers it, and the tree of its departments.

    Rows that refer to it can still be added meanwhile.
    """
    list(Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).order_by("pk").values("pk"))


def take_time() -> None:
    """Let this transaction's statements run longer than those of a page may; for what is done to many at once."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
