"""When members joined, as the filter of the list asks for it: by days of the organization's time zone."""

from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DAYS = {"7": 7, "30": 30, "90": 90}
THIS_YEAR, EARLIER = "year", "earlier"
JOINED = [
    ("7", _("Joined in the last 7 days")),
    ("30", _("Joined in the last 30 days")),
    ("90", _("Joined in the last 90 days")),
    (THIS_YEAR, _("Joined this year")),
    (EARLIER, _("Joined before this year")),
]


def joined_when(choice: str) -> Q:
    """The condition of a choice of JOINED, in the active time zone; who has not joined yet meets none.

    Days are whole: the last 7 are today and the six before it.
    """
    today = timezone.localdate()
    if choice == EARLIER:
        return Q(joined_at__lt=_begin(today.replace(month=1, day=1)))
    first = today.replace(month=1, day=1) if choice == THIS_YEAR else today - timedelta(days=DAYS[choice] - 1)
    return Q(joined_at__gte=_begin(first))


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
