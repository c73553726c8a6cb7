"""The end of an organization: asked for, and called off before its day has come."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.closing_letters import ASKED, CALLED_OFF, tell_administrators
from members.errors import ClosingObstructed, OtherName
from members.locks import lock_organization
from members.models import Organization
from members.registry import ClosingStep, registry
from skypemgr.clock import database_now


@transaction.atomic(durable=True)
def ask_to_close(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    closes_at: datetime | None = None,
    despite_obstacles: bool = False,
) -> Organization:
    """Have an organization close after CLOSING_DAYS, unless that is called off; its administrators are told.

    ``name`` is its name as it was typed. Operators may say when it closes, and ``despite_obstacles``. One that was
    asked for already closes when it was said then. Raises OtherName, and ClosingObstructed with what has to end first.
    """
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    if (closes_at is not None or despite_obstacles) and not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    lock_organization(organization)
    organization = Organization.objects.get(pk=organization.pk)
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    if organization.closes_at is not None and closes_at is None:
        return organization
    if name.strip() != organization.name:
        raise OtherName(name=organization.name)
    steps = registry.all(ClosingStep)
    problems = [obstacle.text for step in steps for obstacle in step.obstacles(organization)]
    if problems and not despite_obstacles:
        raise ClosingObstructed(problems)
    organization.closes_at = closes_at or database_now() + timedelta(days=settings.CLOSING_DAYS)
    organization.save(update_fields=["closes_at"])
    record(
        organization=organization,
        actor=actor,
        action=Action.ORGANIZATION_CLOSING,
        subject=organization,
        after={"closes": organization.closes_at.isoformat(timespec="minutes")},
    )
    tell_administrators(organization, ASKED)
    return organization


@transaction.atomic(durable=True)
def call_closing_off(*, actor: Actor, organization: Organization) -> bool:
    """Let an organization go on that was to close; False when it wasn't. Raises OrganizationClosed when it is."""
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    lock_organization(organization)
    organization = Organization.objects.get(pk=organization.pk)
    require(actor, organization, Capability.MANAGE_ORGANIZATION)
    if organization.closes_at is None:
        return False
    organization.closes_at = None
    organization.save(update_fields=["closes_at"])
    record(organization=organization, actor=actor, action=Action.ORGANIZATION_KEPT, subject=organization)
    tell_administrators(organization, CALLED_OFF)
    return True
