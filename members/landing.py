from django.urls import reverse

from members.models import User
from members.selectors.memberships import list_consoles


def landing_url(user: User) -> str:
    """Where somebody arrives who signs in: their console, the choice between several, or their own page."""
    if user.must_change_password:
        return reverse("accounts:first_password")
    consoles = list_consoles(user)
    if len(consoles) == 1:
        return reverse("reports:dashboard", args=[consoles[0].organization.slug])
    return reverse("accounts:choose" if consoles else "me:home")
