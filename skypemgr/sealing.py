"""Texts that the database keeps and only this installation reads: encrypted by keys derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unsealable(Exception):
    """A text that was not sealed for this purpose by any of our secrets, or too long ago."""


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([_key(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"skypemgr.sealing.{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))


def seal(text: str, *, purpose: str) -> str:
    """``text`` encrypted by the newest secret; what is sealed for one purpose can't be opened for another."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str, max_age: int | None = None) -> str:
    """What was sealed, also by an earlier secret of SECRET_KEY_FALLBACKS.

    Raises Unsealable, also when it was sealed more than ``max_age`` seconds ago.
    """
    try:
        return _box(purpose).decrypt(sealed.encode(), ttl=max_age).decode()
    except InvalidToken as error:
        raise Unsealable from error
