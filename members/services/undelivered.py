"""Once a day in an organization: tell those who manage its members which letters could not be delivered."""

from datetime import date

from django.db import transaction

from members.access import Capability
from members.jobs import Run
from members.mail import personal_letter, write_letters
from members.models import Letter
from members.notices import morning_of, wanted_by, who_may_be_told
from members.undelivered import NOTICE, failures_of
from skypemgr.clock import database_now


@transaction.atomic(durable=True)
def tell_of_failures(run: Run) -> int:
    """Write to each who wants that of all that has failed since the last time; gives how many letters are new.

    What was told is marked in the same transaction, so it is told once, and at most one letter a day goes to each: a
    run that is repeated finds that it was done. Where nobody wants it, it counts as told.
    """
    organization = run.organization
    assert organization is not None
    ours = Letter.objects.filter(organization=organization, kind=Letter.Kind.LETTERS_FAILED)
    if ours.filter(created_at__gte=run.period.start).exists():
        return 0
    now = database_now()
    if not failures_of(organization).filter(told_at=None).update(told_at=now):
        return 0
    members = list(who_may_be_told(organization, Capability.MANAGE_MEMBERS).order_by("pk"))
    wanted = wanted_by(organization, members)
    due_at = max(morning_of(organization, date.fromisoformat(run.period.key)), now)
    letters = []
    for member in members:
        if NOTICE in wanted[member.pk]:
            letter = personal_letter(Letter.Kind.LETTERS_FAILED, member.user, organization=organization, member=member)
            letter.facts, letter.due_at = {"told_at": now.isoformat()}, due_at
            letters.append(letter)
    write_letters(letters)
    return len(letters)
