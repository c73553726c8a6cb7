"""The index that Celery discovers; each task stands at the foot of the service it wakes."""

from telephony.services.call_upload_work import advance_uploads_task

__all__ = ["advance_uploads_task"]
