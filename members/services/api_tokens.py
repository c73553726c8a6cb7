"""Making and revoking the tokens of programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now

from members.access import Actor, Capability, require
from members.api_tokens import digest_of, new_token
from members.audit import Action, record
from members.models import ApiToken, Member, Organization
from members.operations import claim, settle
from members.registry import ApiScope, registry
from skypemgr.clock import database_now


@dataclass(frozen=True)
class NewToken:
    """A row, and the token itself: only whoever made it gets that, and once ("" when the request is repeated)."""

    row: ApiToken
    token: str


@transaction.atomic(durable=True)
def make_api_token(
    *, actor: Actor, organization: Organization, name: str, scopes: Sequence[str], days: int, key: UUID
) -> NewToken:
    """Make a token that may do what ``scopes`` name, for so many days of 24 hours; it acts for the actor.

    Nobody gives a token what they may not do themselves. The same ``key`` again makes no other one.
    Raises KeyReused.
    """
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    known = {scope.key: scope.capability for scope in registry.all(ApiScope)}
    if not scopes or not all(scope in known and actor.can(known[scope]) for scope in scopes):
        raise PermissionDenied
    maker = _lock_maker(actor)
    facts = {"name": name, "scopes": sorted(scopes), "days": days}
    if before := claim(organization=organization, name="make_api_token", key=key, facts=facts):
        return NewToken(ApiToken.objects.get(organization=organization, pk=before.result["token"]), "")
    token = new_token()
    row = ApiToken.objects.create(
        organization=organization,
        name=name,
        digest=digest_of(token),
        ending=token[-4:],
        scopes=sorted(scopes),
        made_by=maker,
        expires_at=database_now() + timedelta(days=days),
    )
    expires = row.expires_at.astimezone(ZoneInfo(organization.time_zone)).date()
    record(
        organization=organization,
        actor=actor,
        action=Action.API_TOKEN_MADE,
        subject=row,
        after={"name": name, "scopes": ", ".join(sorted(scopes)), "expires": expires.isoformat()},
    )
    settle(organization=organization, name="make_api_token", key=key, result={"token": row.pk})
    return NewToken(row, token)


@transaction.atomic(durable=True)
def revoke_api_token(*, actor: Actor, organization: Organization, token: ApiToken) -> bool:
    """Let ``token`` open nothing from the next request on, for good; False when it was revoked before."""
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    live = ApiToken.objects.filter(organization=organization, pk=token.pk, revoked_at=None)
    if not live.update(revoked_at=Now()):
        return False
    record(
        organization=organization,
        actor=actor,
        action=Action.API_TOKEN_REVOKED,
        subject=token,
        before={"name": token.name},
    )
    return True


def _lock_maker(actor: Actor) -> Member:
    """Whoever makes a token, as they are now: a block that ends their tokens is over, or waits and ends this one."""
    if actor.member is None:
        raise PermissionDenied
    present = Member.objects.filter(pk=actor.member.pk, state=Member.State.ACTIVE)
    maker = present.select_for_update(no_key=True).first()
    if maker is None:
        raise PermissionDenied
    return maker
