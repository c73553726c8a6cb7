"""The jobs of this app, registered when it starts."""

from members import jobs
from members.jobs import Job
from members.periods import Every
from members.services.closing_work import close_due
from members.services.purge import purge_personal_data
from members.services.seals import seal_audit_logs
from members.services.tallies import fold_long_tallies
from members.services.undelivered import tell_of_failures
from skypemgr.invariants import check_invariants


def register() -> None:
    """Register the jobs of this app, and those that no app below could."""
    jobs.add(
        Job(name="purge_personal_data", every=Every.HOUR, work=lambda run: purge_personal_data()),
        Job(name="seal_audit_logs", every=Every.HOUR, work=lambda run: seal_audit_logs()),
        Job(name="fold_tallies", every=Every.HOUR, work=lambda run: fold_long_tallies()),
        Job(name="close_organizations", every=Every.HOUR, work=lambda run: close_due()),
        Job(name="tell_of_failed_letters", every=Every.DAY, work=tell_of_failures, per_organization=True),
        Job(name="check_invariants", every=Every.HOUR, work=lambda run: check_invariants()),
    )
