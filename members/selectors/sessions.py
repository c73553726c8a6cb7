"""The browsers in which somebody is signed in."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from members.models import User, UserSession


def list_sessions(user: User) -> list[UserSession]:
    """The sessions of ``user`` that go on, the one that was used last first."""
    now = timezone.now()
    alive = Session.objects.filter(session_key=OuterRef("key"), expire_date__gt=now)
    used = now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    sessions = UserSession.objects.filter(Exists(alive), user=user, seen_at__gt=used)
    return list(sessions.order_by("-seen_at", "-pk"))
