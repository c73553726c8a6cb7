"""Beginning, following and ending sessions. Nothing else signs anybody in (decision 17).

A session keeps when it began, when it was last used and when its owner last showed who they are; a row of
``UserSession`` shows it to its owner. It ends when it isn't used, after some hours, and with its row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from members.factors import has_second_factor
from members.known_browsers import remember_browser
from members.landing import landing_url
from members.models import Member, User, UserSession

BEGAN, SEEN, PROVED, HOURS = "began", "seen", "proved", "hours"
PENDING = "second_step"
CHALLENGE = "passkey_challenge"
# How long somebody may take for the second step, and a browser for its answer.
PENDING_SECONDS = 600
CHALLENGE_SECONDS = 300
# How exactly the last use is known.
SEEN_SECONDS = 60


@dataclass(frozen=True)
class Pending:
    """Somebody who has shown their password, and has a second factor to show."""

    user: User
    stay: bool
    then: str


def open_session(
    request: HttpRequest, user: User, *, stay: bool = False, then: str = "", verified: bool = False
) -> HttpResponse:
    """Sign ``user`` in and go on to ``then``, or first to the second step when they have a second factor.

    ``verified`` says that they have shown one. ``stay`` keeps the session when the browser is closed.
    """
    if not verified and has_second_factor(user):
        return _wait_for_second_step(request, user, stay=stay, then=then)
    if request.user.is_authenticated:
        # Signed in as somebody already: their session ends, whoever it was.
        logout(request)
    request.session.pop(PENDING, None)
    login(request, user)
    if stay:
        request.session.set_expiry(timezone.now() + timedelta(hours=request.session[HOURS]))
    else:
        request.session.set_expiry(0)
    response = redirect(landing_url(user) if then in ("", "/") or user.must_change_password else then)
    remember_browser(request, response, user)
    return response


def _wait_for_second_step(request: HttpRequest, user: User, *, stay: bool, then: str) -> HttpResponse:
    if request.user.is_authenticated:
        logout(request)
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": timezone.now().timestamp(),
        "stay": stay,
        "then": then,
    }
    return redirect("accounts:second_step")


def pending_second_step(request: HttpRequest) -> Pending | None:
    """Who has to take the second step in this browser; None when nobody has, or they took too long.

    A new password, a block or whatever else ends sessions ends this too.
    """
    facts = request.session.get(PENDING)
    if not facts or timezone.now().timestamp() - facts["at"] > PENDING_SECONDS:
        return None
    user = User.objects.select_related("owner").filter(pk=facts["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != facts["hash"]:
        return None
    return Pending(user=user, stay=facts["stay"], then=facts["then"])


def drop_second_step(request: HttpRequest) -> None:
    """Begin again at the password."""
    request.session.pop(PENDING, None)


def end_this_session(request: HttpRequest) -> None:
    """Sign out of this browser."""
    logout(request)


def renew_session(request: HttpRequest, user: User) -> None:
    """Go on after a change that has ended every session of ``user``, as one whose owner has just shown who they are.

    ``user`` is the account as that change has left it: what has ended every session since then ends this one too.
    """
    kept = {name: request.session[name] for name in (BEGAN, HOURS) if name in request.session}
    update_session_auth_hash(request, user)
    _mark(request, user, **kept)


def prove(request: HttpRequest) -> None:
    """Note that the session's owner has just shown who they are."""
    request.session[PROVED] = timezone.now().timestamp()


def is_proved(request: HttpRequest) -> bool:
    """Whether the session's owner has shown lately who they are (setting PROOF_MINUTES)."""
    age = timezone.now().timestamp() - request.session.get(PROVED, 0)
    return 0 <= age <= settings.PROOF_MINUTES * 60


def is_too_old_to_administer(request: HttpRequest) -> bool:
    """Whether the session began longer ago than that of an administrator may (setting ADMIN_SESSION_HOURS)."""
    began = request.session.get(BEGAN, 0)
    return timezone.now().timestamp() - began > settings.ADMIN_SESSION_HOURS * 3600


def follow_session(request: HttpRequest) -> bool:
    """Note that the session is used; False when it is over, and then nobody is signed in any more."""
    now = timezone.now()
    session = request.session
    began, seen = session.get(BEGAN, 0), session.get(SEEN, 0)
    idle = now.timestamp() - seen
    too_old = now.timestamp() - began > session.get(HOURS, 0) * 3600
    if too_old or idle > settings.SESSION_IDLE_MINUTES * 60 or (idle > SEEN_SECONDS and not _see(request)):
        logout(request)
        return False
    return True


def _see(request: HttpRequest) -> bool:
    now = timezone.now()
    request.session[SEEN] = now.timestamp()
    rows = UserSession.objects.filter(key=request.session.session_key, user=request.user.pk)
    return bool(rows.update(seen_at=now, address=_address(request)))


def keep_challenge(request: HttpRequest, purpose: str, challenge: Any) -> None:
    """Keep what a passkey has to sign until the browser answers."""
    request.session[CHALLENGE] = {"purpose": purpose, "at": timezone.now().timestamp(), **challenge}


def take_challenge(request: HttpRequest, purpose: str) -> dict[str, Any]:
    """What a passkey had to sign for ``purpose``, once; empty when it was asked for too long ago, or never."""
    kept = request.session.pop(CHALLENGE, None)
    if not kept or kept["purpose"] != purpose or timezone.now().timestamp() - kept["at"] > CHALLENGE_SECONDS:
        return {}
    return kept


def begin_following(sender: object, request: HttpRequest, user: User, **facts: object) -> None:
    """Whatever signs somebody in, their session has a beginning, an end and a row from here on."""
    hours = settings.SESSION_HOURS
    administers = user.is_operator or Member.objects.administrators().filter(user=user).exists()
    if administers:
        hours = min(hours, settings.ADMIN_SESSION_HOURS)
    _mark(request, user, hours=hours)


def stop_following(sender: object, request: HttpRequest, user: User | None, **facts: object) -> None:
    """Whoever signs out is in the list of sessions no more."""
    UserSession.objects.filter(key=request.session.session_key).delete()


def _mark(request: HttpRequest, user: User, **kept: Any) -> None:
    now = timezone.now().timestamp()
    request.session.update({BEGAN: now, SEEN: now, PROVED: now} | kept)
    if not request.session.session_key:
        request.session.save()
    UserSession.objects.create(
        user=user,
        key=request.session.session_key or "",
        browser=request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:300],
        address=_address(request),
        began_at=datetime.fromtimestamp(request.session[BEGAN], tz=UTC),
        seen_at=timezone.now(),
    )


def _address(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


def register() -> None:
    """Called once at start-up."""
    user_logged_in.connect(begin_following, dispatch_uid="members.sessions.begin")
    user_logged_out.connect(stop_following, dispatch_uid="members.sessions.stop")
