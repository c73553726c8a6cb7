"""Sending what the outbox holds. The rows are the memory; tasks and ticks only say "look now"."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation

from members.delivery import SENDER_DIED
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
from members.restores import hold_after_restore, hold_waiting_letters
from members.services.jobs import knock, show_life
from members.tenures import know_predecessors
from skypemgr.clock import DatabaseClock
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

# A sender that dies holds its letters no longer than this; one that waits for its server renews what it has in hand.
LEASE = timedelta(seconds=40)
RENEWAL = 15.0
MOST_RENEWALS = 16
# Given up when it was tried often *and* for long: a server that is away for an hour is no reason.
MOST_ATTEMPTS = 20
LONGEST_WAY = timedelta(days=2)
LONGEST_WAIT = timedelta(hours=4)
# When the server is back, letters follow within minutes.
LONGEST_OUTAGE = timedelta(minutes=2)
# As often in a row may a letter kill its sender.
MOST_DEATHS = 5
AT_ONCE = 50
# A run ends well before Celery would end it in the middle of a conversation.
PATIENCE = 45.0
TASK_LIMIT = 270
# So long a letter that the mail server has taken waits for a database that is away. Nobody else can claim it while that
# is so; a sender that gave up would have it sent twice.
MEMORY = 60.0
# Those of an organization's making: they wait for its founder's address, and are capped by the day. The others
# prove an address or give an account back.
CAPPED = Letter.Kind.INVITATION


def send_letters(*, limit: int = 2_000) -> int:
    """Send up to ``limit`` letters that are due; gives how many were sent. Safe to run anywhere, any number at once."""
    sent = tried = 0
    until = time.monotonic() + PATIENCE
    # Letters whose sender died come last and each alone: whatever they do, they do it to no other letter.
    suspects = False
    while tried < limit:
        suspects = suspects or time.monotonic() >= until
        letters = claim_letters(limit=min(AT_ONCE, limit - tried), suspects=suspects)
        kill_point("letters.after_claim")
        if not letters:
            if suspects:
                break
            suspects = True
            continue
        tried += len(letters)
        try:
            sent += _send_all(letters)
        except MailUnavailable as trouble:
            logger.warning("The mail server is not available: %s", trouble)
            break
        if time.monotonic() >= until and suspects:
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
        if len(waiting) == len(letters):
            note_trouble(waiting.pop(0), reason=str(trouble))
        raise
    finally:
        release_letters(waiting)
    return sent


def _send(connection: BaseEmailBackend, letter: Letter) -> bool:
    if letter.interrupted >= MOST_DEATHS:
        settle_letter(letter, state=Letter.State.FAILED, reason=SENDER_DIED)
        return False
    if letter.attempts >= MOST_ATTEMPTS and timezone.now() - letter.created_at > LONGEST_WAY:
        settle_letter(letter, state=Letter.State.FAILED, reason=letter.last_error or "attempts")
        return False
    if not begin_letter(letter):
        return False
    kill_point("letters.after_begin")
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
        with _lease_kept(letter):
            deliver(connection, message)
        kill_point("letters.after_send")
    except LetterRefused as refusal:
        settle_letter(letter, state=Letter.State.FAILED, reason=str(refusal))
        return False
    except LetterPostponed as trouble:
        postpone_letter(letter, reason=str(trouble))
        return False
    except MailUnavailable as trouble:
        postpone_letter(letter, reason=str(trouble), most=LONGEST_OUTAGE)
        raise
    except BaseException as error:
        # Also when it is our own mistake: the letters behind this one must not wait for it.
        postpone_letter(letter, reason=type(error).__name__)
        raise
    _note_sent(letter)
    kill_point("letters.after_settle")
    return True


def _note_sent(letter: Letter) -> None:
    until = time.monotonic() + MEMORY
    while True:
        try:
            settle_letter(letter, state=Letter.State.SENT, reason="")
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() >= until:
                raise
            logger.warning("A letter has left, and the database can't be told yet: %s", type(error).__name__)
            connection.close()
            time.sleep(0.5)
        else:
            return


@contextmanager
def _lease_kept(letter: Letter) -> Iterator[None]:
    """Keep ``letter`` ours while the mail server takes its time."""
    done = threading.Event()

    def keep() -> None:
        try:
            for _renewal in range(MOST_RENEWALS):
                if done.wait(RENEWAL):
                    return
                renew_lease(letter)
        except DatabaseError:
            # Whoever sends it next does so under the same Message-ID.
            logger.warning("The lease of a letter could not be renewed.")
        finally:
            connection.close()

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


@transaction.atomic(durable=True)
def claim_letters(*, limit: int, suspects: bool = False) -> list[Letter]:
    """Take letters that are due for ourselves, for a while; a sender that dies leaves them to the next.

    With ``suspects`` it is one of those whose last sender died, if there is any.
    """
    hold_after_restore()
    due = _due_letters().filter(interrupted__gt=0) if suspects else _due_letters().filter(interrupted=0)
    limit = 1 if suspects else limit
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
    letters = list(
        Letter.objects.filter(pk__in=claimed)
        .select_related("organization", "user__owner", "member__department", "invitation__invited_by__user")
        .order_by("due_at", "id")
    )
    know_predecessors(letter.invitation.invited_by for letter in letters if letter.invitation)
    return letters


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
        Letter.objects.filter(state=Letter.State.WAITING, due_at__lte=Now(), held_at=None)
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
        attempts=F("attempts") + 1, interrupted=F("interrupted") + 1, leased_until=DatabaseClock() + LEASE
    )
    letter.attempts += 1
    return bool(begun)


@transaction.atomic(durable=True)
def renew_lease(letter: Letter) -> None:
    """Keep a letter that is in hand."""
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(leased_until=DatabaseClock() + LEASE)


@transaction.atomic(durable=True)
def settle_letter(letter: Letter, *, state: Letter.State, reason: str) -> None:
    """Close a letter that was sent, refused or became pointless."""
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(
        state=state, last_error=reason[:300], closed_at=DatabaseClock(), leased_until=None, interrupted=0
    )


@transaction.atomic(durable=True)
def postpone_letter(letter: Letter, *, reason: str, most: timedelta = LONGEST_WAIT) -> None:
    """Try again later: after 15 seconds, then twice as long each time, at most ``most``."""
    wait = min(timedelta(seconds=15) * 2 ** min(max(letter.attempts - 1, 0), 12), most)
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(
        due_at=DatabaseClock() + wait, last_error=reason[:300], leased_until=None, interrupted=0
    )


@transaction.atomic(durable=True)
def note_trouble(letter: Letter, *, reason: str) -> None:
    """Say at a claimed letter why none leaves. It was not tried, and is not to blame."""
    Letter.objects.filter(pk=letter.pk, leased_until=letter.leased_until).update(
        due_at=DatabaseClock() + timedelta(seconds=15), last_error=reason[:300], leased_until=None
    )


@transaction.atomic(durable=True)
def retry_letters() -> int:
    """Try again the letters that were given up since their senders died; gives how many those are."""
    return Letter.objects.filter(state=Letter.State.FAILED, last_error=SENDER_DIED).update(
        state=Letter.State.WAITING, closed_at=None, told_at=None, attempts=0, interrupted=0, due_at=DatabaseClock()
    )


@transaction.atomic(durable=True)
def hold_letters() -> int:
    """Let no letter leave that waits now, for a restore that we can't notice; gives how many those are."""
    return hold_waiting_letters()


@transaction.atomic(durable=True)
def settle_held_letters(*, cancel: bool = False) -> int:
    """Let the letters leave that are held since a restore, or take them back; gives how many those are."""
    held = Letter.objects.filter(state=Letter.State.WAITING, held_at__isnull=False)
    if cancel:
        return held.update(state=Letter.State.CANCELED, closed_at=DatabaseClock(), held_at=None)
    return held.update(due_at=DatabaseClock(), held_at=None)


@transaction.atomic(durable=True)
def release_letters(letters: Sequence[Letter]) -> None:
    """Give back letters that were claimed and not tried."""
    for letter in letters:
        Letter.objects.filter(pk=letter.pk, leased_until=letter.leased_until).update(leased_until=None)


# Acknowledged before the work, unlike others: a worker that loses its broker cancels what it has not acknowledged, and
# the letter that the mail server has just taken would be sent again. What is lost with a worker, a tick finds.
@shared_task(name="members.send_letters", acks_late=False, soft_time_limit=TASK_LIMIT - 20, time_limit=TASK_LIMIT)
def send_letters_task() -> None:
    show_life(name="mail")
    knock()
    send_letters()
