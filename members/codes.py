"""One-time codes of authenticator apps (RFC 6238: SHA-1, six digits, 30 seconds), and recovery codes."""

import base64
import hmac
import re
import secrets
import struct
import unicodedata
from urllib.parse import quote, urlencode

import qrcode
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

PERIOD = 30
DIGITS = 6
# Codes of the period before and after count too: clocks differ, and typing takes time.
WINDOW = 1
RECOVERY_CODES = 10
# Without letters and digits that are taken for one another.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_LENGTH = 12
ISSUER = "Skype Manager"


def new_secret() -> str:
    """A secret for an authenticator app: 160 bits in base 32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_of(secret: str, period: int) -> str:
    """The code that an app shows in ``period``, counted in half minutes since 1970."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", period), "sha1")
    start = digest[-1] & 0x0F
    [number] = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}}"


def period_now() -> int:
    """The present period."""
    return int(timezone.now().timestamp()) // PERIOD


def find_period(secret: str, code: str) -> int | None:
    """The newest period near the present one whose code is ``code``, or None."""
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    now, found = period_now(), None
    for period in range(now - WINDOW, now + WINDOW + 1):
        if secrets.compare_digest(code_of(secret, period), code):
            found = period
    return found


def normalize_code(text: str) -> str:
    """What was typed, without spaces and hyphens, digits of any script as 0 to 9, letters small."""
    kept = (letter for letter in unicodedata.normalize("NFKC", text) if not (letter.isspace() or letter in "-‐‑–—"))
    return "".join(_plain(letter) for letter in kept)


def _plain(letter: str) -> str:
    digit = unicodedata.decimal(letter, None)
    return str(digit) if digit is not None else letter.lower()


def app_url(secret: str, *, account: str) -> str:
    """What the picture holds: the secret, and what the app calls it."""
    label = quote(f"{ISSUER}:{account}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER}, quote_via=quote)}"


def picture_of(url: str) -> tuple[int, str]:
    """A QR code of ``url``: its size in modules, and the path that draws it in an SVG of that size."""
    code = qrcode.QRCode(border=4)
    code.add_data(url)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return len(rows), path


def new_recovery_codes() -> list[str]:
    """Ten codes of 59 bits each, in groups of four."""
    return ["-".join(_group() for _place in range(RECOVERY_LENGTH // 4)) for _number in range(RECOVERY_CODES)]


def _group() -> str:
    return "".join(secrets.choice(ALPHABET) for _place in range(4))


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code: a hash keyed by SECRET_KEY, of the code as it is normalized."""
    return recovery_digests(code)[0]


def recovery_digests(code: str) -> list[str]:
    """The hashes a code may be kept as: by SECRET_KEY, then by each of SECRET_KEY_FALLBACKS."""
    plain = normalize_code(code)
    return [
        salted_hmac("members.recovery_code", plain, secret=secret, algorithm="sha256").hexdigest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
