"""The door of programs: a token instead of a session, JSON, and problems as RFC 9457 has them."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt

from members.access import Actor
from members.api_tokens import EXPIRED, LIVE, REVOKED, find_token, note_use
from members.decorators import client_address
from members.models import ApiToken, Member, Organization
from members.registry import ApiScope, registry
from skypemgr.plain_json import as_json

type ApiView = Callable[..., HttpResponse]


class ApiRequest(HttpRequest):
    """A request with a token. ``actor`` may do what the token and whoever made it both may."""

    token: ApiToken
    actor: Actor
    organization: Organization


def api_view(scope: str | None) -> Callable[[ApiView], ApiView]:
    """Open a view to programs that bring a token with ``scope`` (None: any token) as ``Authorization: Bearer …``.

    Who made it must be an active member who may do the same; that is asked at each request. No session counts here,
    so no form of another site can bring anything about.
    """

    def decorate(view: ApiView) -> ApiView:
        @csrf_exempt
        @wraps(view)
        def guarded(request: ApiRequest, **kwargs: Any) -> HttpResponse:
            scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
            found = find_token(given.strip()) if scheme.lower() == "bearer" else None
            if found is None:
                return _refuse_token("")
            token, state = found
            ended = token.organization.closed_at is not None
            if state != LIVE or token.made_by.state != Member.State.ACTIVE or ended:
                return _refuse_token(state)
            known = {entry.key: entry.capability for entry in registry.all(ApiScope)}
            granted = {known[name] for name in token.scopes if name in known}
            actor = Actor.of_member(token.made_by, address=client_address(request))
            request.actor = replace(actor, capabilities=actor.capabilities & granted)
            if scope is not None and not (scope in token.scopes and request.actor.can(known[scope])):
                return problem(
                    403,
                    gettext("The token may not do this"),
                    gettext("It takes a token with “{scope}”, of somebody who may do the same.").format(scope=scope),
                    headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
                )
            request.token, request.organization = token, token.organization
            note_use(token)
            response = view(request, **kwargs)
            if response.status_code != 405:
                return response
            title, detail = gettext("Not that way"), gettext("This address takes {methods}.")
            allowed = response.headers["Allow"]
            return problem(405, title, detail.format(methods=allowed), headers={"Allow": allowed})

        guarded.access = "token"  # type: ignore[attr-defined]
        return guarded

    return decorate


def answer(facts: dict[str, object]) -> HttpResponse:
    """``facts`` as JSON: dicts, lists, texts, numbers, and Decimals and moments as commands write them."""
    return HttpResponse(as_json(facts), content_type="application/json")


def problem(status: int, title: str, detail: str, *, headers: dict[str, str] | None = None) -> HttpResponse:
    """What went wrong, for programs and for whoever reads their logs (RFC 9457)."""
    facts = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(facts, status=status, content_type="application/problem+json", headers=headers)


def _refuse_token(state: str) -> HttpResponse:
    # Whoever holds a token may know what became of it.
    if not state:
        text = gettext("Send a token as {header}. Administrators make one under Settings.")
        detail = text.format(header="“Authorization: Bearer skypemgr_…”")
    elif state == EXPIRED:
        detail = gettext("This token has expired. Make another one.")
    elif state == REVOKED:
        detail = gettext("This token was revoked. Make another one.")
    else:
        detail = gettext("Whoever made this token is no active member any more. Let somebody else make another one.")
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"' if state else "Bearer"}
    return problem(401, gettext("No token that opens this"), detail, headers=headers)
