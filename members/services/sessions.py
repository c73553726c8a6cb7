"""Ending sessions of one's own in other browsers."""

from django.contrib.sessions.models import Session
from django.db import transaction

from members.access import Actor
from members.audit import Action
from members.factors import lock_own_account, log_of_owner
from members.models import UserSession


@transaction.atomic(durable=True)
def end_session(*, actor: Actor, key: int) -> bool:
    """End one session of the actor, by the key of its row; gives whether there was such a one. Raises SessionOver."""
    return bool(_end(actor, key=key))


@transaction.atomic(durable=True)
def end_other_sessions(*, actor: Actor, keep: str) -> int:
    """End every session of the actor but the one with the session key ``keep``; gives how many. Raises SessionOver."""
    return _end(actor, keep=keep)


def _end(actor: Actor, *, key: int | None = None, keep: str = "") -> int:
    user = lock_own_account(actor)
    ending = UserSession.objects.filter(user=user).exclude(key=keep)
    if key is not None:
        ending = ending.filter(pk=key)
    keys = list(ending.values_list("key", flat=True))
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(key__in=keys).delete()
        log_of_owner(actor, user, Action.SESSIONS_ENDED)
    return len(keys)
