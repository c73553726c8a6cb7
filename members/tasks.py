"""The index that Celery discovers; each task stands at the foot of the service it wakes."""

from members.services.import_work import advance_batches_task
from members.services.jobs import run_jobs_task
from members.services.letters import send_letters_task

__all__ = ["advance_batches_task", "run_jobs_task", "send_letters_task"]
