"""Sending what the outbox holds. The rows are the memory; tasks and ticks only say "look now"."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation

from members.gateways.mail import (
    LetterPostponed,
    LetterRefused,
    MailUnavailable,
    deliver,
    mail_server,
    render_letter,
)
from members.letter_texts import compose
from members.models import Letter, Organization
from members.services.jobs import knock, show_life
from skypemgr.clock import DatabaseClock

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 20
AT_ONCE = 50
# A run ends well before Celery would end it in the middle of a conversation.
PATIENCE = 45.0
# Those of an organization's making: they wait for its founder's address, and are capped by the day. The others
# prove an address or give an account back.
CAPPED = Letter.Kind.INVITATION


def send_letters(*, limit: int = 2_000) -> int:
    """Send up to ``limit`` letters that are due; gives how many were sent. Safe to run anywhere, any number at once."""
    sent = tried = 0
    until = time.monotonic() + PATIENCE
    while tried < limit and time.monotonic() < until:
        letters = claim_letters(limit=min(AT_ONCE, limit - tried))
        if not letters:
            break
        tried += len(letters)
        try:
            sent += _send_all(letters)
        except MailUnavailable as trouble:
            logger.warning("The mail server is not available: %s", trouble)
            break
    return sent


def _send_all(letters: Sequence[Letter]) -> int:
    waiting = list(letters)
    sent = 0
    try:
        with mail_server() as connection:
            while waiting:
                sent += _send(connection, waiting.pop(0))
    except MailUnavailable as trouble:
        # One letter has noted the trouble, so that it shows; the others go back as if nothing had been.
        if len(waiting) == len(letters) and begin_letter(letters[0]):
            postpone_letter(waiting.pop(0), reason=str(trouble))
        raise
    finally:
        release_letters(waiting)
    return sent


def _send(connection: BaseEmailBackend, letter: Letter) -> bool:
    if letter.attempts >= MOST_ATTEMPTS:
        settle_letter(letter, state=Letter.State.FAILED, reason=letter.last_error or "attempts")
        return False
    if not begin_letter(letter):
        return False
    try:
        composed = compose(letter)
        if composed is None:
            settle_letter(letter, state=Letter.State.CANCELED, reason="")
            return False
        with translation.override(composed.language), timezone.override(ZoneInfo(composed.time_zone)):
            message = render_letter(
                template=letter.kind,
                context=composed.context,
                address=letter.email,
                message_id=letter.message_id,
            )
        deliver(connection, message)
    except LetterRefused as refusal:
        settle_letter(letter, state=Letter.State.FAILED, reason=str(refusal))
        return False
    except LetterPostponed as trouble:
        postpone_letter(letter, reason=str(trouble))
        return False
    except BaseException as error:
        # Also when it is our own mistake: the letters behind this one must not wait for it.
        postpone_letter(letter, reason=str(error) if isinstance(error, MailUnavailable) else type(error).__name__)
        raise
    settle_letter(letter, state=Letter.State.SENT, reason="")
    return True


@transaction.atomic(durable=True)
def claim_letters(*, limit: int) -> list[Letter]:
    """Take letters that are due for ourselves, for two minutes; a sender that dies leaves them to the next."""
    due = _due_letters()
    capped = due.filter(kind=CAPPED)[:limit].values("organization")
    # Senders count what an organization may still send today one after the other.
    organizations = list(
        Organization.objects.select_for_update(no_key=True)
        .filter(pk__in=capped)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    room = dict.fromkeys(organizations, settings.LETTERS_PER_DAY)
    for organization, count in _letters_of_today(organizations).items():
        room[organization] -= count
    claimed = []
    for letter in due.select_for_update(skip_locked=True, of=("self",))[:limit]:
        if letter.kind == CAPPED:
            if room.get(letter.organization_id, 0) <= 0:
                continue
            room[letter.organization_id] -= 1
        claimed.append(letter.pk)
    Letter.objects.filter(pk__in=claimed).update(leased_until=DatabaseClock() + LEASE)
    return list(
        Letter.objects.filter(pk__in=claimed)
        .select_related("organization", "user__owner", "member__department", "invitation__invited_by__user")
        .order_by("due_at", "id")
    )


def _due_letters() -> QuerySet[Letter]:
    lately = Now() - timedelta(days=1)
    full = (
        Letter.objects.filter(state=Letter.State.SENT, kind=CAPPED, closed_at__gt=lately)
        .values("organization")
        .annotate(count=Count("id"))
        .filter(count__gte=settings.LETTERS_PER_DAY)
        .values("organization")
    )
    released = Q(organization__letters_released_at__isnull=False) & ~Q(organization__in=full)
    return (
        Letter.objects.filter(state=Letter.State.WAITING, due_at__lte=Now())
        .filter(Q(leased_until=None) | Q(leased_until__lte=Now()))
        .filter(~Q(kind=CAPPED) | released)
        .order_by("due_at", "id")
    )


def _letters_of_today(organizations: Sequence[int]) -> Counter[int]:
    """How many letters each organization has sent in a day, or is sending now."""
    sent = Q(state=Letter.State.SENT, closed_at__gt=Now() - timedelta(days=1))
    leaving = Q(state=Letter.State.WAITING, leased_until__gt=Now())
    counts: Counter[int] = Counter()
    for letters in (sent, leaving):
        rows = Letter.objects.filter(letters, kind=CAPPED, organization__in=organizations).values("organization")
        counts.update(dict(rows.annotate(count=Count("id")).values_list("organization", "count")))
    return counts


@transaction.atomic(durable=True)
def begin_letter(letter: Letter) -> bool:
    """Count an attempt before the work, and lease the letter anew; False when it is no longer ours to send.

    A letter that kills its sender is given up in the end, and a slow server makes nobody else send it too.
    """
    begun = Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING, leased_until=letter.leased_until).update(
        attempts=F("attempts") + 1, leased_until=DatabaseClock() + LEASE
    )
    letter.attempts += 1
    return bool(begun)


@transaction.atomic(durable=True)
def settle_letter(letter: Letter, *, state: Letter.State, reason: str) -> None:
    """Close a letter that was sent, refused or became pointless."""
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(
        state=state, last_error=reason[:300], closed_at=DatabaseClock(), leased_until=None
    )


@transaction.atomic(durable=True)
def postpone_letter(letter: Letter, *, reason: str) -> None:
    """Try again later: after 15 seconds, then twice as long each time, at most four hours."""
    wait = min(timedelta(seconds=15) * 2 ** min(letter.attempts - 1, 12), timedelta(hours=4))
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(
        due_at=DatabaseClock() + wait, last_error=reason[:300], leased_until=None
    )


@transaction.atomic(durable=True)
def release_letters(letters: Sequence[Letter]) -> None:
    """Give back letters that were claimed and not tried."""
    for letter in letters:
        Letter.objects.filter(pk=letter.pk, leased_until=letter.leased_until).update(leased_until=None)


@shared_task(name="members.send_letters")
def send_letters_task() -> None:
    show_life(name="mail")
    knock()
    send_letters()
