"""Passkeys (WebAuthn): what a browser is asked, and whether its answer holds. The fido2 library verifies.

A passkey is bound to the host name of the installation; a number such as 127.0.0.1 is none. It always verifies its
owner (by finger, face or PIN), so that it is two factors by itself.
"""

import ipaddress
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django.conf import settings
from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from members.errors import PasskeyRefused
from members.models import Passkey, User

MOST_PASSKEYS = 20
LONGEST_ANSWER = 20_000
NAME = "Skype Manager"
# What a parser makes of bytes that somebody invented.
NONSENSE = (
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    IndexError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    OverflowError,
    struct.error,
    InvalidSignature,
    UnsupportedAlgorithm,
)

type Challenge = Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """A passkey that a browser has just made; ``credential`` is what is kept of it."""

    credential_id: str
    credential: bytes
    sign_count: int


@dataclass(frozen=True)
class RelyingParty:
    """Who asks for passkeys: a host name, and the one origin whose answers count."""

    host: str
    origin: str

    def creation_options(self, user: User) -> tuple[dict[str, Any], Challenge]:
        """What a browser needs to make a passkey for ``user``, and the challenge to keep until it answers."""
        options, challenge = self._server().register_begin(
            PublicKeyCredentialUserEntity(id=user.pk.to_bytes(8), name=user.skype_name, display_name=user.display_name),
            credentials=[_credential(passkey) for passkey in user.passkeys.all()],
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(options), challenge

    def request_options(self, user: User | None) -> tuple[dict[str, Any], Challenge]:
        """What a browser needs to use a passkey of ``user``, or of whoever it has one of."""
        options, challenge = self._server().authenticate_begin(
            credentials=[_credential(passkey) for passkey in user.passkeys.all()] if user is not None else None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(options), challenge

    def verify_made(self, challenge: Challenge, answer: str) -> Made:
        """The passkey that ``answer`` (JSON of the browser) tells of. Raises PasskeyRefused."""
        try:
            made = self._server().register_complete(challenge, _read(answer))
            credential = made.credential_data
            assert credential is not None
            return Made(
                credential_id=websafe_encode(credential.credential_id),
                credential=bytes(credential),
                sign_count=made.counter,
            )
        except NONSENSE as error:
            raise PasskeyRefused from error

    def verify_used(self, challenge: Challenge, answer: str, passkey: Passkey | None) -> int:
        """How often ``passkey`` says it was used, now that ``answer`` proves that it was. Raises PasskeyRefused."""
        try:
            response = _read(answer)
            self._server().authenticate_complete(challenge, [_credential(passkey)] if passkey else [], response)
            return AuthenticationResponse.from_dict(response).response.authenticator_data.counter
        except NONSENSE as error:
            raise PasskeyRefused from error

    def _server(self) -> Fido2Server:
        return Fido2Server(
            PublicKeyCredentialRpEntity(id=self.host, name=NAME), verify_origin=lambda origin: origin == self.origin
        )


def relying_party(request: HttpRequest) -> RelyingParty | None:
    """Who asks for passkeys at the address of ``request``, or None where they can't work."""
    host = request.get_host()
    name = urlsplit(f"//{host}").hostname or ""
    if name != passkey_host():
        return None
    return RelyingParty(host=name, origin=f"{request.scheme}://{host}")


def passkey_host() -> str:
    """The host name that passkeys are bound to: that of BASE_URL, on a machine of one's own localhost."""
    name = urlsplit(settings.BASE_URL).hostname or ""
    if not _is_number(name):
        return name
    return "localhost" if settings.LOCAL else ""


def passkey_url(request: HttpRequest) -> str:
    """Where passkeys work when they don't here, or "" when they work nowhere."""
    host = passkey_host()
    if not host:
        return ""
    if settings.LOCAL:
        port = urlsplit(f"//{request.get_host()}").port
        return f"http://{host}:{port}" if port else f"http://{host}"
    return settings.BASE_URL


def credential_id_of(answer: str) -> str:
    """The passkey that an answer says it comes from, "" for nonsense."""
    try:
        return websafe_encode(websafe_decode(_read(answer)["rawId"]))
    except NONSENSE:
        return ""


def _credential(passkey: Passkey) -> AttestedCredentialData:
    return AttestedCredentialData(bytes(passkey.credential))


def _read(answer: str) -> Any:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise TypeError
    return found


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
