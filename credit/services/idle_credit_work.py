"""Once a day in an organization: warn whose credit lies unused, and make inactive what still does a week after that.

Nobody's credit becomes inactive before a letter has left for them and seven days have passed, whatever was unused for
how long. Each step finds what is left to do, so any number of workers may be at it.
"""

from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from credit.idling import allowed
from credit.models import IdleCredit, LedgerAccount
from credit.models.idle import WARNING
from members.access import Actor
from members.audit import Action
from members.audit_sets import record_for_members
from members.jobs import Run
from members.locks import take_time
from members.mail import personal_letter, write_letters
from members.models import Letter, Member, Organization
from members.notices import morning_of
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from skypemgr.many_rows import update_rows

# Accounts that one transaction looks at.
AT_ONCE = 2_000

# Credit that was used meanwhile; what was reactivated so long ago that it may be warned of again, or was warned of when
# less time was allowed; and warnings that were taken back, or refused at an address that has changed since.
_FORGET = """
    DELETE FROM credit_idlecredit WHERE id IN (
        SELECT idle.id FROM credit_idlecredit idle JOIN credit_ledgeraccount account ON account.id = idle.account_id
        WHERE idle.organization_id = %s AND (
            account.version <> idle.version
            OR (idle.letter_id IS NULL) = (idle.used_at <= %s)
            OR (idle.inactive_at IS NULL AND EXISTS (
                SELECT FROM members_letter letter JOIN members_user person ON person.id = letter.user_id
                WHERE letter.id = idle.letter_id
                    AND (letter.state = 'canceled' OR (letter.state = 'failed' AND letter.email <> person.email))
            ))
        ) ORDER BY idle.id FOR UPDATE OF "idle"
    )
"""
# Of each account its last transfer, which has the number of its version. Whom no letter reaches is not warned, so that
# nothing happens to their credit.
_NOTE = """
    INSERT INTO credit_idlecredit (organization_id, account_id, version, used_at)
    SELECT account.organization_id, account.id, account.version, used.at
    FROM credit_ledgeraccount account
    JOIN members_member member ON member.id = account.member_id
    JOIN members_user person ON person.id = member.user_id
    CROSS JOIN LATERAL (
        SELECT recorded_at AS at FROM credit_transfer
        WHERE source_id = account.id AND source_version = account.version
        UNION ALL
        SELECT recorded_at FROM credit_transfer WHERE target_id = account.id AND target_version = account.version
    ) used
    WHERE account.organization_id = %s AND account.id = ANY (%s) AND used.at <= %s
        AND member.state = 'active' AND person.is_active AND person.email_verified_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM credit_idlecredit known WHERE known.account_id = account.id)
    ORDER BY account.id ON CONFLICT (account_id) DO NOTHING
    RETURNING id, (SELECT member_id FROM credit_ledgeraccount WHERE id = account_id)
"""
_CLOSE = """
    UPDATE credit_idlecredit idle SET warned_at = letter.closed_at, inactive_at = clock_timestamp()
    FROM members_letter letter, credit_ledgeraccount account
    WHERE idle.id = ANY (%s) AND letter.id = idle.letter_id
        AND account.id = idle.account_id AND account.version = idle.version
    RETURNING account.member_id
"""


def watch_idle_credit(run: Run) -> None:
    """Warn those whose credit becomes inactive in a week, and make inactive what was warned of a week ago."""
    organization = run.organization
    assert organization is not None
    time_allowed, now = allowed(), database_now()
    if time_allowed is None:
        forget_all(organization=organization)
        return
    since = now + WARNING - time_allowed
    forget_used(organization=organization, since=since)
    due_at = max(now, morning_of(organization, date.fromisoformat(run.period.key)))
    place: int | None = 0
    while place is not None:
        place = warn_some(organization=organization, since=since, due_at=due_at, after=place)
    while make_some_inactive(organization=organization, time_allowed=time_allowed, now=now):
        pass


@transaction.atomic(durable=True)
def forget_all(*, organization: Organization) -> None:
    """Forget what is known of idle credit: where it may lie for ever, nobody is warned and nothing is inactive."""
    IdleCredit.objects.filter(organization=organization).delete()


@transaction.atomic(durable=True)
def forget_used(*, organization: Organization, since: datetime) -> None:
    """Forget what isn't true of idle credit any more; it is idle when it was not used after ``since``."""
    take_time()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [organization.pk, since])


@transaction.atomic(durable=True)
def warn_some(*, organization: Organization, since: datetime, due_at: datetime, after: int) -> int | None:
    """Write to those whose credit was not used after ``since``, of some accounts ``after`` one; gives the last of them.

    None when there are no more.
    """
    take_time()
    accounts = LedgerAccount.objects.filter(organization=organization, kind=LedgerAccount.Kind.MEMBER, pk__gt=after)
    some = list(accounts.filter(balance__gt=0).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [organization.pk, some, since])
        noted: dict[int, int] = {member: key for key, member in cursor.fetchall()}
    members = Member.objects.filter(pk__in=noted).select_related("user").order_by("pk")
    letters = {member.pk: _warning(member, organization, due_at) for member in members}
    if letters:
        write_letters(letters.values())
        update_rows([IdleCredit(pk=noted[member], letter=letter) for member, letter in letters.items()], ["letter"])
    kill_point("idle_credit.warned")
    return some[-1] if some else None


def _warning(member: Member, organization: Organization, due_at: datetime) -> Letter:
    letter = personal_letter(Letter.Kind.CREDIT_INACTIVE, member.user, organization=organization, member=member)
    letter.due_at = due_at
    return letter


@transaction.atomic(durable=True)
def make_some_inactive(*, organization: Organization, time_allowed: timedelta, now: datetime) -> int:
    """Make some of the credit inactive that lies for ``time_allowed`` and was warned of a week ago; gives how much."""
    take_time()
    ripe = IdleCredit.objects.filter(
        organization=organization,
        inactive_at=None,
        version=F("account__version"),
        used_at__lte=now - time_allowed,
        letter__state=Letter.State.SENT,
        letter__closed_at__lte=now - WARNING,
    )
    locked = ripe.select_for_update(no_key=True, of=("self",)).order_by("pk")
    keys = list(locked.values_list("pk", flat=True)[:AT_ONCE])
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [keys])
        members = [member for (member,) in cursor.fetchall()]
    record_for_members(
        organization=organization,
        actor=Actor.system(),
        action=Action.CREDIT_INACTIVE,
        keys=members,
        before={},
        after={},
    )
    kill_point("idle_credit.inactive")
    return len(members)
