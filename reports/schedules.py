"""When a saved report is due, and which days it is about then. Days are those of the organization."""

from datetime import date, timedelta

from reports.asked import Days
from reports.models import SavedReport

Sent = SavedReport.Sent


def due_on(sent: str, today: date) -> date | None:
    """The last day up to ``today`` on which what is sent so often was due; None for what is never sent."""
    match sent:
        case Sent.DAILY:
            return today
        case Sent.WEEKLY:
            return today - timedelta(days=today.weekday())
        case Sent.MONTHLY:
            return today.replace(day=1)
    return None


def days_before(sent: str, due: date) -> Days:
    """The days that a report is about which is due on ``due``: the day, the week or the month before."""
    yesterday = due - timedelta(days=1)
    match sent:
        case Sent.DAILY:
            return Days(yesterday, yesterday, whole=False)
        case Sent.WEEKLY:
            return Days(due - timedelta(days=7), yesterday, whole=False)
    return Days.of_month(yesterday.replace(day=1))
