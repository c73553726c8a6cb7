"""Saved reports, sent in the morning of the day on which they are due: one letter for each reader and day."""

from datetime import date

from django.db import connection, transaction

from credit.selectors.spans import zone_of
from members.access import Capability
from members.jobs import Run
from members.mail import personal_letter, write_letters
from members.models import Letter, Organization
from members.notices import morning_of, who_may_be_told
from reports.models import ReportReader, SavedReport
from reports.schedules import due_on
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point

_SEND_ONCE = """
    INSERT INTO reports_reportsending (organization_id, saved_id, member_id, due_on)
    SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::date[])
    ON CONFLICT (saved_id, member_id, due_on) DO NOTHING RETURNING saved_id, member_id, due_on
"""


@transaction.atomic(durable=True)
def send_reports(run: Run) -> None:
    """Once a day in an organization: write a letter for each report that is due to each of its readers.

    What was due on a day that nobody saw begin is made up for, the last of each report. People who have left, or may
    see no reports any more, get none.
    """
    organization = run.organization
    assert organization is not None
    today = date.fromisoformat(run.period.key)
    people = {
        member.pk: member
        for member in who_may_be_told(organization, Capability.VIEW_REPORTS).filter(
            pk__in=ReportReader.objects.filter(organization=organization).values("member")
        )
    }
    letters = []
    for saved, member, due in _send_once(organization, today, list(people)):
        letter = personal_letter(
            Letter.Kind.REPORT, people[member].user, organization=organization, member=people[member]
        )
        letter.facts = {"saved": saved, "due_on": due.isoformat()}
        letter.due_at = max(morning_of(organization, due), database_now())
        letters.append(letter)
    write_letters(letters)
    kill_point("reports.letters_written")


def _send_once(organization: Organization, today: date, people: list[int]) -> list[tuple[int, int, date]]:
    """Write down what is due today or was due before; gives those that were not written down yet, in order."""
    due: list[tuple[int, int, date]] = []
    readers = ReportReader.objects.filter(organization=organization, member__in=people).select_related("saved")
    for reader in readers.exclude(saved__sent=SavedReport.Sent.NEVER).order_by("saved", "member"):
        day = due_on(reader.saved.sent, today)
        # What was saved on that day or after is first due the next time.
        if day is not None and day > reader.saved.saved_at.astimezone(zone_of(organization)).date():
            due.append((reader.saved_id, reader.member_id, day))
    saved, members, days = ([one[place] for one in due] for place in range(3))
    with connection.cursor() as cursor:
        cursor.execute(_SEND_ONCE, [organization.pk, saved, members, days])
        return sorted(cursor.fetchall())
