from django.db import models

from .organizations import Organization


class JobRun(models.Model):
    """One period's run of a job, for one organization or for the whole installation.

    The row is planned once, whoever sees first that the period has begun, and carried out by whoever leases it.
    """

    job = models.CharField(max_length=60)
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="+")
    # As in ``members.periods``: it sorts as time does, among the periods of one job.
    period = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "organization", "period"], nulls_distinct=False, name="job_run_once_per_period"
            )
        ]
        indexes = [models.Index(fields=["job", "id"], condition=models.Q(finished_at=None), name="job_run_open")]

    def __str__(self) -> str:
        return f"{self.job} {self.period}"


class Heartbeat(models.Model):
    """When work of one kind was last begun by a worker, written by the task itself: a sign of life, not of being."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
