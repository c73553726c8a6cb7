from django.db import transaction

from members import tallies

# So many rows are read in a blink.
LONG = 1_000


@transaction.atomic(durable=True)
def fold_long_tallies() -> int:
    """Sum up the tallies that have become long; gives of how many organizations."""
    long = tallies.organizations_to_fold(LONG)
    for organization_id in long:
        tallies.fold_tallies(organization_id=organization_id)
    return len(long)
