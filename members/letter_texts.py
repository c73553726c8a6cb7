"""What a letter says: its language, and the facts and links its templates show. Made when it is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from members.addresses import same_address_key
from members.authentication import resettable
from members.models import Letter, Organization, User
from members.sign_in_texts import EVENTS
from members.tokens import address_token, invitation_token

# In the facts of a letter about something that the organization did to an account of its own.
BY_ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a letter. Made when it is sent, and not kept."""

    name: str
    content: bytes
    content_type: str


# Gives the context of a letter's templates, or None when there is nothing to say any more. ``attached`` in it is a
# tuple of Attachment, where something goes with the letter.
type Composer = Callable[[Letter], dict[str, Any] | None]


@dataclass(frozen=True)
class Composed:
    """What a letter's templates get, the language they are in, and the time zone of its dates."""

    language: str
    time_zone: str
    context: dict[str, Any]


def language_of(user: User | None, organization: Organization | None) -> str:
    """The language to write in: the person's, then the organization's, then the installation's."""
    if user is not None and user.language:
        return user.language
    if organization is not None:
        return organization.language
    return settings.LANGUAGE_CODE


def absolute_url(name: str, *args: object) -> str:
    """A link for a letter, on the configured base URL, never on the host of a request (decision 6)."""
    return settings.BASE_URL + reverse(name, args=args)


def compose(letter: Letter) -> Composed | None:
    """The context of a letter's templates, or None when there is nothing to say any more."""
    if not letter.email:
        return None
    organization = letter.organization or (letter.user.owner if letter.user else None)
    context = _COMPOSERS[Letter.Kind(letter.kind)](letter)
    if context is None:
        return None
    language = letter.language or language_of(letter.user, organization)
    time_zone = organization.time_zone if organization else settings.TIME_ZONE
    return Composed(
        language=language,
        time_zone=time_zone,
        context={
            "organization": organization,
            "account": letter.user,
            "language": language,
            "time_zone": time_zone,
            **context,
        },
    )


def _invitation(letter: Letter) -> dict[str, Any] | None:
    invitation = letter.invitation
    if invitation is None or not invitation.is_open(timezone.now()):
        return None
    return {
        "invitation": invitation,
        "inviter": invitation.inviter_name,
        "department": letter.member.department if letter.member else invitation.department,
        "expires_at": invitation.expires_at,
        "url": absolute_url("join:invitation", invitation_token(invitation)),
    }


def _address_verification(letter: Letter) -> dict[str, Any] | None:
    # A later change of address makes this letter pointless, and its link dead.
    if letter.user is None or letter.user.email != letter.email or letter.user.email_verified_at is not None:
        return None
    return {"url": absolute_url("accounts:verify_address", address_token(letter.user))}


def reset_url(user: User) -> str:
    """The link that lets ``user`` choose a new password; it dies with the next sign-in or new password."""
    return absolute_url(
        "accounts:reset_password",
        urlsafe_base64_encode(force_bytes(user.pk)),
        default_token_generator.make_token(user),
    )


def _accounts(letter: Letter) -> list[User]:
    # They may have moved to another address, or been blocked, since the letter was asked for.
    users = resettable(User.objects.filter(pk__in=letter.facts.get("users", []))).select_related("owner")
    address = same_address_key(letter.email)
    return [user for user in users.order_by("skype_name") if same_address_key(user.email) == address]


def _by_administrator(letter: Letter) -> bool:
    return letter.facts.get("by") == BY_ADMINISTRATOR


def _password_reset(letter: Letter) -> dict[str, Any] | None:
    links = [(user, reset_url(user)) for user in _accounts(letter)]
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return {"links": links, "hours": hours, "by_administrator": _by_administrator(letter)} if links else None


def _skype_names(letter: Letter) -> dict[str, Any] | None:
    users = _accounts(letter)
    return {"accounts": users, "url": absolute_url("accounts:sign_in")} if users else None


def _password_changed(letter: Letter) -> dict[str, Any] | None:
    return {"at": letter.created_at, "url": absolute_url("accounts:reset_request")}


def _address_changed(letter: Letter) -> dict[str, Any] | None:
    return {
        "at": letter.created_at,
        "url": absolute_url("accounts:sign_in"),
        "by_administrator": _by_administrator(letter),
    }


def _sign_in_changed(letter: Letter) -> dict[str, Any] | None:
    if letter.facts.get("event") not in EVENTS:
        return None
    heading, sentence = EVENTS[letter.facts["event"]]
    return {
        "heading": heading,
        "sentence": sentence,
        "at": letter.created_at,
        "url": absolute_url("me:security"),
        "reset_url": absolute_url("accounts:reset_request"),
    }


_COMPOSERS: dict[Letter.Kind, Composer] = {
    Letter.Kind.INVITATION: _invitation,
    Letter.Kind.ADDRESS_VERIFICATION: _address_verification,
    Letter.Kind.PASSWORD_RESET: _password_reset,
    Letter.Kind.SKYPE_NAMES: _skype_names,
    Letter.Kind.PASSWORD_CHANGED: _password_changed,
    Letter.Kind.ADDRESS_CHANGED: _address_changed,
    Letter.Kind.SIGN_IN_CHANGED: _sign_in_changed,
}


def register_composer(kind: Letter.Kind, composer: Composer) -> None:
    """Say what letters of a kind hold. A higher app calls it once for each of its kinds, when it starts."""
    _COMPOSERS[kind] = composer
