"""The tokens of programs: made at random, kept as digests, found by them."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from members.models import ApiToken
from skypemgr.clock import DatabaseClock

# So that scanners of published code know one when they see it.
PREFIX = "skypemgr_"
LIVE, EXPIRED, REVOKED = "live", "expired", "revoked"
USED_TO = timedelta(minutes=1)


def new_token() -> str:
    """A token of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """What is kept of a token. A quick digest is enough: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def with_state() -> Case:
    """The state of a token at this moment by the database's clock: live, expired or revoked."""
    return Case(
        When(revoked_at__isnull=False, then=Value(REVOKED)),
        When(expires_at__lte=DatabaseClock(), then=Value(EXPIRED)),
        default=Value(LIVE),
    )


def find_token(token: str) -> tuple[ApiToken, str] | None:
    """The row of a token, with whoever made it and their organization, and its state; None for one that never was."""
    found = (
        ApiToken.objects.annotate(state=with_state())
        .select_related("organization", "made_by__user")
        .filter(digest=digest_of(token))
        .first()
    )
    return (found, found.state) if found else None


def note_use(token: ApiToken) -> None:
    """Remember that ``token`` is used, to the minute."""
    seen = token.last_used_at
    if seen is None or timezone.now() - seen > USED_TO:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=Now())


@transaction.atomic(savepoint=False)
def end_tokens(members: Sequence[int]) -> None:
    """Revoke what ``members`` (keys) have made, for good: whoever may come back begins anew."""
    ApiToken.objects.filter(made_by__in=members, revoked_at=None).update(revoked_at=Now())
