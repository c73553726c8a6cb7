"""Members as files name them: by Skype Name or by address."""

from collections.abc import Collection

from django.db.models.functions import Lower

from members.models import Member, Organization

_AT_ONCE = 5_000


def find_by_names(organization: Organization, names: Collection[str]) -> dict[str, tuple[int, str]]:
    """Key and state of whom each name means, a Skype Name or an address; one who is present before one who left.

    Names are in lower case. Those of nobody are left out.
    """
    everybody = Member.objects.of(organization).order_by("pk")
    found: dict[str, tuple[int, str]] = {}
    asked = list(names)
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        by_name = everybody.annotate(key=Lower("user__skype_name")).filter(
            key__in=[one for one in some if "@" not in one]
        )
        by_address = everybody.annotate(key=Lower("email")).filter(key__in=[one for one in some if "@" in one])
        for members in (by_name, by_address):
            for key, pk, state in members.values_list("key", "pk", "state"):
                if key not in found or found[key][1] == Member.State.LEFT:
                    found[key] = pk, state
    return found
