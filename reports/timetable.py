"""The jobs of this app, registered when it starts."""

from members import jobs
from members.jobs import Job
from members.periods import Every
from reports.services.report_letters import send_reports


def register() -> None:
    """Register the jobs of this app."""
    jobs.add(Job(name="send_reports", every=Every.DAY, work=send_reports, per_organization=True))
