"""What is done to files of rates without anybody asking for it."""

from datetime import timedelta

from django.db import transaction

from skypemgr.clock import DatabaseClock
from telephony.models import RateUpload

# So long a file is kept that was not loaded.
KEPT = timedelta(days=1)


@transaction.atomic(durable=True)
def forget_uploads() -> int:
    """Forget the files that nobody loaded for a day; gives how many."""
    return RateUpload.objects.filter(uploaded_at__lt=DatabaseClock() - KEPT).delete()[0]
