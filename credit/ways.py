"""Where on our pages something is done about credit."""

from django.urls import NoReverseMatch, reverse

from members.models import Organization


def buy_url(organization: Organization) -> str:
    """Where credit is bought."""
    return reverse("credit:buy", args=[organization.slug])


def allocate_url(organization: Organization) -> str:
    """Where credit is allocated to many."""
    return _url("credit:allocate", organization)


def _url(name: str, organization: Organization) -> str:
    try:
        return reverse(name, args=[organization.slug])
    except NoReverseMatch:
        return reverse("credit:wallet", args=[organization.slug])
