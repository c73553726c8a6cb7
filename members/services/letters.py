"""Sending what the outbox holds. The rows are the memory; tasks and ticks only say "look now"."""

import logging
from datetime import datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.core.mail import mailers
from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now
from django.utils import timezone, translation

from members.gateways.mail import LetterRefused, MailUnavailable, deliver, render_letter
from members.letter_texts import compose
from members.models import Letter

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 20
# These prove an address or give an account back; they leave before the founder's address is verified.
OWN_ACCOUNT = [
    Letter.Kind.ADDRESS_VERIFICATION,
    Letter.Kind.PASSWORD_RESET,
    Letter.Kind.PASSWORD_CHANGED,
    Letter.Kind.SKYPE_NAMES,
]


def send_letters(*, limit: int = 200) -> int:
    """Send up to ``limit`` letters that are due; gives how many were sent. Safe to run anywhere, any number at once."""
    sent = 0
    while sent < limit:
        letters = claim_letters(limit=min(50, limit - sent))
        if not letters:
            return sent
        try:
            with mailers.default as connection:
                for letter in letters:
                    sent += _send(connection, letter)
        except OSError as error:
            # The conversation could not even begin; what was claimed goes back, each with its backoff.
            logger.warning("The mail server could not be reached: %s", type(error).__name__)
            for letter in letters:
                postpone_letter(letter, reason=type(error).__name__)
            return sent
    return sent


@transaction.atomic(durable=True)
def claim_letters(*, limit: int) -> list[Letter]:
    """Take letters that are due for ourselves, for two minutes; a sender that dies leaves them to the next."""
    now = timezone.now()
    full = (
        Letter.objects.filter(state=Letter.State.SENT, closed_at__gt=now - timedelta(days=1))
        .exclude(organization=None)
        .values("organization")
        .annotate(count=Count("id"))
        .filter(count__gte=settings.LETTERS_PER_DAY)
        .values("organization")
    )
    due = (
        Letter.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=Letter.State.WAITING, due_at__lte=Now())
        .filter(Q(leased_until=None) | Q(leased_until__lte=Now()))
        .filter(
            Q(kind__in=OWN_ACCOUNT)
            | Q(organization=None)
            | (Q(organization__letters_released_at__isnull=False) & ~Q(organization__in=full))
        )
        .order_by("due_at", "id")[:limit]
    )
    pks = [letter.pk for letter in due]
    # The attempt is counted before the work: a letter that kills its sender is given up in the end.
    Letter.objects.filter(pk__in=pks).update(leased_until=now + LEASE, attempts=F("attempts") + 1)
    return list(
        Letter.objects.filter(pk__in=pks)
        .select_related("organization", "user__owner", "member__department", "invitation__invited_by__user")
        .order_by("due_at", "id")
    )


def _send(connection, letter: Letter) -> int:
    if letter.attempts > MOST_ATTEMPTS:
        settle_letter(letter, state=Letter.State.FAILED, reason="attempts")
        return 0
    composed = compose(letter)
    if composed is None:
        settle_letter(letter, state=Letter.State.CANCELED, reason="")
        return 0
    try:
        with translation.override(composed.language):
            message = render_letter(
                template=letter.kind,
                context=composed.context,
                address=letter.email,
                message_id=letter.message_id,
                created_at=letter.created_at,
            )
            deliver(connection, message)
    except LetterRefused as refusal:
        settle_letter(letter, state=Letter.State.FAILED, reason=str(refusal))
        return 0
    except MailUnavailable as trouble:
        postpone_letter(letter, reason=str(trouble))
        return 0
    settle_letter(letter, state=Letter.State.SENT, reason="")
    return 1


@transaction.atomic(durable=True)
def settle_letter(letter: Letter, *, state: Letter.State, reason: str) -> None:
    """Close a letter that was sent, refused or became pointless."""
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(
        state=state, last_error=reason[:300], closed_at=Now(), leased_until=None
    )


@transaction.atomic(durable=True)
def postpone_letter(letter: Letter, *, reason: str) -> None:
    """Try again later: after 15 seconds, then twice as long each time, at most four hours."""
    Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING).update(
        due_at=_next_try(letter.attempts), last_error=reason[:300], leased_until=None
    )


def _next_try(attempts: int) -> datetime:
    return timezone.now() + min(timedelta(seconds=15) * 2 ** min(attempts - 1, 12), timedelta(hours=4))


@shared_task(name="members.send_letters")
def send_letters_task() -> None:
    send_letters()
