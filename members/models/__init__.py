from .audit import AuditEntry, AuditOrigin
from .batches import Batch, BatchContent, BatchRow
from .invitations import Invitation
from .jobs import Heartbeat, JobRun
from .letters import Letter
from .operations import Operation
from .organizations import Department, Organization
from .people import Member, User
from .throttles import Throttle

__all__ = [
    "AuditEntry",
    "AuditOrigin",
    "Batch",
    "BatchContent",
    "BatchRow",
    "Department",
    "Heartbeat",
    "Invitation",
    "JobRun",
    "Letter",
    "Member",
    "Operation",
    "Organization",
    "Throttle",
    "User",
]
