"""Where on our pages something is done about credit."""

from django.urls import reverse

from members.models import Organization


def buy_url(organization: Organization) -> str:
    """Where credit is bought."""
    return reverse("credit:buy", args=[organization.slug])


def allocate_url(organization: Organization) -> str:
    """Where credit is allocated to many."""
    return reverse("credit:allocate", args=[organization.slug])
