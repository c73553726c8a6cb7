"""Reading the letters that a development machine keeps, since it has no mail server."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.core.mail import mailers

from members.gateways.mail import LocalMailbox


@dataclass(frozen=True)
class KeptLetter:
    """One letter: ``name`` stands in its URL, ``text`` is its plain form, ``source`` all that would be sent."""

    name: str
    at: datetime
    to: str
    subject: str
    text: str = ""
    source: str = ""


def _folder() -> Path | None:
    mailbox = mailers.default
    return mailbox.folder if isinstance(mailbox, LocalMailbox) else None


def list_letters(*, limit: int, search: str = "") -> tuple[list[KeptLetter], int]:
    """The newest letters whose address or subject holds ``search``, and how many letters there are at all."""
    folder = _folder()
    if folder is None or not folder.is_dir():
        return [], 0
    files = sorted(folder.glob("*.eml"), key=_changed_at, reverse=True)
    wanted = search.casefold()
    found: list[KeptLetter] = []
    for file in files:
        letter = _read(file, whole=False)
        if letter is not None and wanted in f"{letter.to} {letter.subject}".casefold():
            found.append(letter)
        if len(found) == limit:
            break
    return found, len(files)


def find_letter(name: str) -> KeptLetter | None:
    """The letter of that name, or None."""
    folder = _folder()
    if folder is None or not re.fullmatch(r"[A-Za-z0-9-]{1,200}", name):
        return None
    return _read(folder / f"{name}.eml", whole=True)


def _changed_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _read(file: Path, *, whole: bool) -> KeptLetter | None:
    try:
        content = file.read_bytes()
        at = datetime.fromtimestamp(_changed_at(file), UTC)
    except FileNotFoundError:
        return None
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",)) if whole else None
    return KeptLetter(
        name=file.stem,
        at=at,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=body.get_content() if body else "",
        source=content.decode(errors="replace") if whole else "",
    )
