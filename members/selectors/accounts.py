from django.core.exceptions import ValidationError
from django.utils.http import urlsafe_base64_decode

from members.models import User


def find_account_of_link(uid: str) -> User | None:
    """The account that the link of a reset letter speaks of, or None for nonsense."""
    try:
        return User.objects.select_related("owner").filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError, ValidationError):
        return None
