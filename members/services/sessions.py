"""Ending sessions of one's own in other browsers."""

from django.contrib.sessions.models import Session
from django.db import transaction

from members.access import Actor
from members.audit import Action
from members.factors import log_of_owner
from members.models import User, UserSession


@transaction.atomic(durable=True)
def end_session(*, actor: Actor, key: int) -> bool:
    """End one session of the actor, by the key of its row; gives whether there was such a one."""
    return bool(_end(actor, key=key))


@transaction.atomic(durable=True)
def end_other_sessions(*, actor: Actor, keep: str) -> int:
    """End every session of the actor but the one with the session key ``keep``; gives how many."""
    return _end(actor, keep=keep)


def _end(actor: Actor, *, key: int | None = None, keep: str = "") -> int:
    assert actor.user is not None
    ending = UserSession.objects.filter(user=actor.user).exclude(key=keep)
    if key is not None:
        ending = ending.filter(pk=key)
    keys = list(ending.select_for_update().order_by("pk").values_list("key", flat=True))
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(key__in=keys).delete()
        log_of_owner(actor, User.objects.select_related("owner").get(pk=actor.user.pk), Action.SESSIONS_ENDED)
    return len(keys)
