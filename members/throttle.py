"""How often something may be tried, counted before the work, so that refusing costs nothing (decision 10)."""

import logging
import math
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from members.models import Throttle
from skypemgr.metrics import THROTTLED

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limit:
    """At most ``most`` tries in ``minutes``, counted for each key on its own."""

    scope: str
    most: int
    minutes: int


@dataclass(frozen=True)
class Ladder:
    """``most`` failures in a row, then a wait of ``minutes``; twice as long after each further ``most``.

    ``in_all`` failures in a row are the end, until somebody lets the ladder be forgotten.
    """

    scope: str
    most: int = 10
    minutes: int = 15
    in_all: int = 100


@dataclass(frozen=True)
class Wait:
    """For how long nothing is compared; ``for_good`` when only a new beginning helps."""

    seconds: int
    for_good: bool = False


# What was typed; the account it means; the same in a browser that has signed in to the account before, where nobody
# else can use up the tries; the password of somebody who is signed in; codes of a second factor.
SIGN_IN_LOGIN = Ladder("sign_in_login")
SIGN_IN_ACCOUNT = Ladder("sign_in_account")
SIGN_IN_BROWSER = Ladder("sign_in_browser")
PROOF = Ladder("proof")
CODES = Ladder("codes")
LADDERS = [SIGN_IN_LOGIN, SIGN_IN_ACCOUNT, SIGN_IN_BROWSER, PROOF, CODES]
LONGEST_WAIT = 24 * 3600
# Everybody at one place, which may be a whole company.
SIGN_IN_PLACE = Limit("sign_in_place", 300, 15)
RESET_LETTERS = Limit("reset_letters", 3, 60)
RESET_PLACE = Limit("reset_place", 60, 60)
NAMES_LETTERS = Limit("names_letters", 1, 60)
VERIFICATION_LETTERS = Limit("verification_letters", 5, 60)
HELP_FEEDBACK_PLACE = Limit("help_feedback", 60, 60)

_COUNT = """
INSERT INTO members_throttle AS tries (scope, key, began_at, count)
VALUES (%(scope)s, %(key)s, clock_timestamp(), 1)
ON CONFLICT (scope, key) DO UPDATE SET
    count = CASE WHEN tries.began_at < clock_timestamp() - make_interval(mins => %(minutes)s)
                 THEN 1 ELSE LEAST(tries.count + 1, 1000000) END,
    began_at = CASE WHEN tries.began_at < clock_timestamp() - make_interval(mins => %(minutes)s)
                    THEN clock_timestamp() ELSE tries.began_at END
RETURNING count
"""

# A try that is refused changes nothing: whoever goes on trying doesn't prolong the wait of others.
_CLIMB = """
INSERT INTO members_throttle AS tries (scope, key, began_at, count)
VALUES (%(scope)s, %(key)s, clock_timestamp(), 1)
ON CONFLICT (scope, key) DO UPDATE SET count = tries.count + 1, began_at = clock_timestamp()
    WHERE tries.count < %(in_all)s AND (tries.count = 0 OR tries.count %% %(most)s <> 0
        OR clock_timestamp() >= tries.began_at + make_interval(secs => LEAST(
            %(longest)s, %(minutes)s * 60 * power(2, tries.count / %(most)s - 1))))
RETURNING 0
"""
_WAIT = """
SELECT count, EXTRACT(epoch FROM began_at - clock_timestamp())
    + LEAST(%(longest)s, %(minutes)s * 60 * power(2, GREATEST(count / %(most)s - 1, 0)))
FROM members_throttle WHERE scope = %(scope)s AND key = %(key)s
"""


def _seal(limit: Limit | Ladder, key: str) -> str:
    # Nobody can read out of the table whom the tries were about.
    return salted_hmac(f"members.throttle.{limit.scope}", key, algorithm="sha256").hexdigest()


@transaction.atomic(savepoint=False)
def count_try(limit: Limit, key: str) -> bool:
    """Count one try; gives whether it is still within ``limit``."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"scope": limit.scope, "key": _seal(limit, key), "minutes": limit.minutes})
        [count] = cursor.fetchone()
    if count > limit.most:
        THROTTLED.labels(limit.scope).inc()
        logger.warning("Too many tries.", extra={"scope": limit.scope})
    return count <= limit.most


@transaction.atomic(savepoint=False)
def climb(ladder: Ladder, key: str) -> Wait | None:
    """Count one try as failed, until it is forgotten because it was right; gives the wait when it may not be made."""
    facts: dict[str, str | int] = {
        "scope": ladder.scope,
        "key": _seal(ladder, key),
        "most": ladder.most,
        "minutes": ladder.minutes,
        "in_all": ladder.in_all,
        "longest": LONGEST_WAIT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLIMB, facts)
        if cursor.fetchone() is not None:
            return None
        cursor.execute(_WAIT, facts)
        row = cursor.fetchone()
    if row is None:
        # Forgotten between the two statements: somebody was right just now.
        return Wait(seconds=1)
    count, seconds = row
    if count >= ladder.in_all:
        return Wait(seconds=LONGEST_WAIT, for_good=True)
    return Wait(seconds=max(1, math.ceil(seconds)))


@transaction.atomic(savepoint=False)
def take_back_try(limit: Limit, key: str) -> None:
    """Count one try less: it was no failure."""
    Throttle.objects.filter(scope=limit.scope, key=_seal(limit, key), count__gt=0).update(count=F("count") - 1)


@transaction.atomic(savepoint=False)
def forget_tries(limit: Limit | Ladder, key: str) -> None:
    """Begin to count from nothing."""
    Throttle.objects.filter(scope=limit.scope, key=_seal(limit, key)).delete()
