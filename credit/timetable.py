"""The jobs of this app, registered when it starts."""

from credit.services.orders import expire_orders
from members import jobs
from members.jobs import Job
from members.periods import Every


def register() -> None:
    """Register the jobs of this app."""
    jobs.add(Job(name="expire_orders", every=Every.HOUR, work=lambda run: expire_orders()))
