"""How often something may be tried, counted before the work, so that refusing costs nothing (decision 10)."""

import logging
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from members.models import Throttle

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limit:
    """At most ``most`` tries in ``minutes``, counted for each key on its own."""

    scope: str
    most: int
    minutes: int


# One account from one place; one account from everywhere; everybody at one place, which may be a whole company.
SIGN_IN = Limit("sign_in", 10, 15)
SIGN_IN_ACCOUNT = Limit("sign_in_account", 50, 60)
SIGN_IN_PLACE = Limit("sign_in_place", 300, 15)
RESET_LETTERS = Limit("reset_letters", 3, 60)
RESET_PLACE = Limit("reset_place", 60, 60)
NAMES_LETTERS = Limit("names_letters", 1, 60)
VERIFICATION_LETTERS = Limit("verification_letters", 5, 60)

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


def _seal(limit: Limit, key: str) -> str:
    # Nobody can read out of the table whom the tries were about.
    return salted_hmac(f"members.throttle.{limit.scope}", key, algorithm="sha256").hexdigest()


@transaction.atomic(savepoint=False)
def count_try(limit: Limit, key: str) -> bool:
    """Count one try; gives whether it is still within ``limit``."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"scope": limit.scope, "key": _seal(limit, key), "minutes": limit.minutes})
        [count] = cursor.fetchone()
    if count > limit.most:
        logger.warning("Too many tries.", extra={"scope": limit.scope})
    return count <= limit.most


@transaction.atomic(savepoint=False)
def take_back_try(limit: Limit, key: str) -> None:
    """Count one try less: it was no failure."""
    Throttle.objects.filter(scope=limit.scope, key=_seal(limit, key), count__gt=0).update(count=F("count") - 1)


@transaction.atomic(savepoint=False)
def forget_tries(limit: Limit, key: str) -> None:
    """Begin to count from nothing."""
    Throttle.objects.filter(scope=limit.scope, key=_seal(limit, key)).delete()
