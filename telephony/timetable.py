"""The jobs of this app, registered when it starts."""

from members import jobs
from members.jobs import Job
from members.periods import Every
from telephony.services.call_upload_work import forget_tried
from telephony.services.call_work import make_room_ahead
from telephony.services.license_work import renew_licenses, retry_licenses
from telephony.services.number_work import renew_numbers
from telephony.services.rate_work import forget_uploads
from telephony.services.reservation_work import expire_reservations
from telephony.services.stock_work import count_stock


def register() -> None:
    """Register the jobs of this app."""
    jobs.add(
        # What is over is over without it.
        Job(name="expire_reservations", every=Every.HOUR, work=lambda run: expire_reservations()),
        Job(name="renew_numbers", every=Every.DAY, work=renew_numbers, per_organization=True),
        Job(name="count_stock", every=Every.HOUR, work=lambda run: count_stock()),
        Job(name="forget_rate_files", every=Every.HOUR, work=lambda run: forget_uploads()),
        Job(name="forget_tried_calls", every=Every.HOUR, work=lambda run: forget_tried()),
        # An import makes what it lacks; ahead of time nobody waits for it.
        Job(name="make_room_for_calls", every=Every.DAY, work=lambda run: make_room_ahead()),
        # What is due is found by its own day, so one run makes up for all that were missed.
        Job(name="renew_licenses", every=Every.DAY, work=renew_licenses, per_organization=True),
        Job(name="retry_licenses", every=Every.HOUR, work=lambda run: retry_licenses()),
    )
