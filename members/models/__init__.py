from .api_tokens import ApiToken
from .audit import AuditEntry, AuditOrigin
from .batches import Batch, BatchPiece, BatchRow, BatchSlice
from .consents import CallDetailConsent
from .factors import AuthenticatorApp, Passkey, RecoveryCode
from .help import HelpFeedback
from .invitations import Invitation
from .jobs import Heartbeat, JobRun
from .leavings import Leaving
from .letters import Letter
from .moves import DepartmentMove
from .notices import NoticeChoice
from .operations import Operation
from .organizations import Department, Organization
from .people import Member, User
from .restores import DatabaseMark
from .seals import AuditSeal
from .sessions import UserSession
from .tallies import MemberTally
from .tenures import Tenure
from .throttles import Throttle

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditOrigin",
    "AuditSeal",
    "AuthenticatorApp",
    "Batch",
    "BatchPiece",
    "BatchRow",
    "BatchSlice",
    "CallDetailConsent",
    "DatabaseMark",
    "Department",
    "DepartmentMove",
    "Heartbeat",
    "HelpFeedback",
    "Invitation",
    "JobRun",
    "Leaving",
    "Letter",
    "Member",
    "MemberTally",
    "NoticeChoice",
    "Operation",
    "Organization",
    "Passkey",
    "RecoveryCode",
    "Tenure",
    "Throttle",
    "User",
    "UserSession",
]
