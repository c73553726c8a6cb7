from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability
from members.locks import take_time
from telephony.postcodes import load


@transaction.atomic(durable=True)
def load_postcodes(*, actor: Actor, country: str) -> tuple[int, int]:
    """Make the table hold what this machine knows of a country: how many rows were written, and how many went.

    It is the same for every organization. Raises NoSource.
    """
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    take_time()
    return load(country)
