"""Organizations whose end has come."""

from datetime import timedelta

from django.utils import timezone

from members.models import Organization
from members.services.closing_work import finish_closing


def let_come(organization: Organization) -> None:
    """The day at which it closes has come."""
    Organization.objects.filter(pk=organization.pk).update(closes_at=timezone.now() - timedelta(minutes=1))


def close(organization: Organization) -> None:
    """Close it, to the end."""
    let_come(organization)
    assert finish_closing(organization=organization)
    organization.refresh_from_db()
