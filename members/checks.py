import datetime as dt

from django.utils import timezone

from members.models import Letter
from skypemgr.installation import Findings, installation_check

PATIENCE = dt.timedelta(minutes=10)


@installation_check
def letters_leave() -> Findings:
    late = Letter.objects.filter(state=Letter.State.WAITING, due_at__lt=timezone.now() - PATIENCE).count()
    if late:
        yield f"{late} letters have waited for more than ten minutes. See whether a worker and beat run."
