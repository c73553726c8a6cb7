"""Which Skype Names are in use."""

from collections.abc import Collection

from django.db.models.functions import Lower

from members.models import User
from members.names import NameAllocator


def taken_skype_names(names: Collection[str]) -> set[str]:
    """Those of ``names`` (given in lower case) that an account has."""
    found = User.objects.annotate(folded=Lower("skype_name")).filter(folded__in=list(names))
    return set(found.values_list("folded", flat=True))


def free_skype_name(proposal: str) -> str:
    """``proposal``, or the first free one with a number behind it."""
    return NameAllocator(taken_skype_names).claim([proposal])[0]
