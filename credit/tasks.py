"""The index that Celery discovers; each task stands at the foot of the service it wakes."""

from credit.services.recharge_sweep import recharge_members_task

__all__ = ["recharge_members_task"]
