"""The links of letters: signed when sent, bound to an address and a version, single use (decision 6)."""

import hashlib

from django.core import signing

from members.models import Invitation, User


def _seal(address: str) -> str:
    # A link stands in logs and histories: it is bound to the address without spelling it out.
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def invitation_token(invitation: Invitation) -> str:
    """The token of the link that opens ``invitation``; it dies when version or address change."""
    return signing.Signer(salt="members.invitation").sign_object(
        [invitation.pk, invitation.version, _seal(invitation.email)]
    )


def read_invitation_token(token: str) -> tuple[Invitation, bool] | None:
    """The invitation a link speaks of, and whether it is its newest link; None for a forged one."""
    try:
        pk, version, seal = signing.Signer(salt="members.invitation").unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    invitation = (
        Invitation.objects.select_related("organization", "member__user", "user", "invited_by__user")
        .filter(pk=pk)
        .first()
    )
    if invitation is None:
        return None
    return invitation, invitation.version == version and _seal(invitation.email) == seal


def address_token(user: User) -> str:
    """The token that proves that ``user`` reads the mail of the address they have now."""
    return signing.TimestampSigner(salt="members.address").sign_object([user.pk, _seal(user.email)])


def read_address_token(token: str, *, max_age: int = 14 * 24 * 3600) -> User | None:
    """The user whose address is proven, or None when the link is forged, older than ``max_age`` seconds or stale."""
    try:
        pk, seal = signing.TimestampSigner(salt="members.address").unsign_object(token, max_age=max_age)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=pk).first()
    return user if user is not None and _seal(user.email) == seal else None
