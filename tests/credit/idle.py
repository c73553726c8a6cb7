"""Time that passes over credit that nobody uses. The database's clock stands where it stands: the past moves away."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from credit.models import IdleCredit
from credit.services.idle_credit_work import watch_idle_credit
from members.jobs import Run
from members.mail import personal_letter
from members.models import Letter, Member, Organization
from members.periods import Every, period_at

MOVED = [
    ("credit_transfer", ["recorded_at"]),
    ("credit_idlecredit", ["used_at", "warned_at", "inactive_at"]),
    ("members_letter", ["due_at", "closed_at"]),
]


def pass_days(days: float) -> None:
    """Let so many days go by, for everything that idle credit goes by."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credit_transfer DISABLE TRIGGER USER")
        for table, columns in MOVED:
            changes = ", ".join(f"{column} = {column} - %(time)s" for column in columns)
            cursor.execute(f"UPDATE {table} SET {changes}", {"time": timedelta(days=days)})  # noqa: S608
        cursor.execute("ALTER TABLE credit_transfer ENABLE TRIGGER USER")


def run_of_today(organization: Organization) -> Run:
    return Run(period_at(timezone.now(), Every.DAY, ZoneInfo(organization.time_zone)), organization)


def watch(organization: Organization) -> None:
    """What is done once a day."""
    watch_idle_credit(run_of_today(organization))


def warnings() -> list[Letter]:
    return list(Letter.objects.filter(kind=Letter.Kind.CREDIT_INACTIVE).order_by("pk"))


def close_letters(state: str = "sent") -> None:
    """Let the letters that wait leave now, or end otherwise."""
    waiting = Letter.objects.filter(kind=Letter.Kind.CREDIT_INACTIVE, state=Letter.State.WAITING)
    waiting.update(state=state, closed_at=timezone.now(), due_at=timezone.now())


def make_inactive(organization: Organization, days: int = 400) -> None:
    """Let everybody's credit lie until it is inactive."""
    pass_days(days)
    watch(organization)
    close_letters()
    pass_days(7)
    watch(organization)
    assert IdleCredit.objects.filter(organization=organization, inactive_at__isnull=False).exists()


def let_lie(*members: Member, inactive: bool = True) -> None:
    """Say that the credit of these members is inactive, or that they were warned; it has moved in truth just now."""
    now = timezone.now()
    for member in members:
        organization, account = member.organization, member.ledger_account
        letter = personal_letter(Letter.Kind.CREDIT_INACTIVE, member.user, organization=organization, member=member)
        letter.state, letter.closed_at = Letter.State.SENT, now - timedelta(days=7 if inactive else 1)
        letter.save()
        IdleCredit.objects.create(
            organization=organization,
            account=account,
            version=account.version,
            used_at=now - timedelta(days=400),
            letter=letter,
            **({"warned_at": letter.closed_at, "inactive_at": now} if inactive else {}),
        )
