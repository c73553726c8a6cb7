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


def take_turn(kind: str, key: int) -> bool:
    """Whether this transaction is the only one at work on something; a second one gets False and does not wait.

    The turn ends with the transaction, and with a process that dies. A row lock would do as well, but whoever
    wants to stop the work has to change that row, and would wait for a whole chunk of it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [turn_of(kind, key)])
        return bool(cursor.fetchone()[0])


def turn_of(kind: str, key: int) -> str:
    """What a turn is called, for whoever takes it for longer than a transaction."""
    return f"{kind} {key}"
