"""What is done by the clock: once in each hour, day or month, for the installation or for every organization.

An app adds its jobs when it starts, in ``ready()`` of its ``AppConfig``. How they run stands in ``services/jobs.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from members.models import Organization
from members.periods import Every, Period


@dataclass(frozen=True)
class Run:
    """What a job is told: the period that has begun, and the organization if it runs for each."""

    period: Period
    organization: Organization | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something done once per period. ``work`` must be safe to repeat: its worker may die before it is noted.

    Days and months are those of each organization with ``per_organization``, else those of UTC. With
    ``catches_up`` every period that was missed is made up for, oldest first; without it the newest stands for all.
    """

    name: str
    every: Every
    work: Callable[[Run], object]
    per_organization: bool = False
    catches_up: bool = False


_jobs: dict[str, Job] = {}


def add(*jobs: Job) -> None:
    """Register jobs. Raises ValueError for a name that is taken by another."""
    for job in jobs:
        if _jobs.setdefault(job.name, job) != job:
            raise ValueError(f"There are two jobs named {job.name}.")


def all_jobs() -> list[Job]:
    """Every job, by name."""
    return [_jobs[name] for name in sorted(_jobs)]


def find_job(name: str) -> Job:
    """The job of this name. Raises KeyError."""
    return _jobs[name]
