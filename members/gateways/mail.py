"""The world of mail: one letter made ready, one SMTP conversation, or a folder on a development machine."""

import contextlib
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.template.loader import render_to_string


class LetterRefused(Exception):
    """The mail server will not take this letter, now or later."""


class LetterPostponed(Exception):
    """The mail server will not take this letter now; it may later."""


class MailUnavailable(Exception):
    """The mail server can't be reached, or takes nothing at all."""


# A server may look at a letter for long before it takes it, and whoever doesn't wait sends it twice.
SECONDS_TO_TAKE = 120


class _PatientConversation(smtplib.SMTP):
    def data(self, msg: Any) -> tuple[int, bytes]:
        assert self.sock is not None
        seconds = self.sock.gettimeout()
        self.sock.settimeout(SECONDS_TO_TAKE)
        try:
            return super().data(msg)
        finally:
            if self.sock is not None:
                self.sock.settimeout(seconds)


class _PatientTlsConversation(_PatientConversation, smtplib.SMTP_SSL):
    pass


class MailServer(EmailBackend):
    """SMTP that waits long for the one answer after which a letter counts as delivered, and not for the others."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _PatientTlsConversation if self.use_ssl else _PatientConversation


class LocalMailbox(BaseEmailBackend):
    """Keeps letters as files, one each, newest last; they are read at /outbox/ (local mode)."""

    def __init__(self, *, folder: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(folder)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            content = message.message()
            name = _file_name(content)
            # The same letter sent twice is one file, as a reader's mail program would show it.
            draft = self.folder / f".{name}"
            draft.write_bytes(content.as_bytes())
            draft.rename(self.folder / f"{name}.eml")
        return len(email_messages)


def keeps_letters() -> bool:
    """Whether letters stay on this machine, to be read at /outbox/, since no mail server is configured."""
    return settings.MAILERS["default"]["BACKEND"] == f"{LocalMailbox.__module__}.{LocalMailbox.__qualname__}"


def _file_name(content: Message) -> str:
    return "".join(character for character in content["Message-ID"] if character.isalnum() or character == "-")


def render_letter(
    *, template: str, context: dict[str, object], address: str, message_id: UUID
) -> EmailMultiAlternatives:
    """One letter in the language that is active, as text and HTML, from ``templates/mail/<template>``.

    Files that are ``attached`` in the context go with it. Its Message-ID is stable, so that a letter sent twice after
    a crash is shown once.
    """
    subject = " ".join(render_to_string(f"mail/{template}_subject.txt", context).split())
    letter = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"mail/{template}.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={
            "Message-ID": f"<{message_id}@{settings.BASE_URL.split('//')[1].split(':')[0].split('/')[0]}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    letter.attach_alternative(render_to_string(f"mail/{template}.html", context), "text/html")
    attached = context.get("attached", ())
    assert isinstance(attached, tuple)
    for file in attached:
        letter.attach(file.name, file.content, file.content_type)
    return letter


@contextmanager
def mail_server() -> Iterator[BaseEmailBackend]:
    """A conversation with the mail server, for several letters. Raises MailUnavailable when it can't begin."""
    connection = mailers.default
    try:
        connection.open()
    except OSError as error:
        with contextlib.suppress(OSError):
            connection.close()  # what was begun and went no further
        raise MailUnavailable(_answer(error)) from error
    try:
        yield connection
    finally:
        # What was sent is sent, however the server takes leave.
        with contextlib.suppress(OSError):
            connection.close()


def deliver(connection: BaseEmailBackend, letter: EmailMultiAlternatives) -> None:
    """Hand one letter to the mail server.

    Raises LetterRefused when it will never take this letter, LetterPostponed when it doesn't now, and
    MailUnavailable when no other letter could fare better.
    """
    try:
        connection.send_messages([letter])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        raise _verdict(max(codes))(_answer(error)) from error
    except (smtplib.SMTPSenderRefused, smtplib.SMTPAuthenticationError) as error:
        # It is us they don't want: our settings are wrong, not this letter.
        raise MailUnavailable(_answer(error)) from error
    except smtplib.SMTPResponseException as error:
        raise _verdict(error.smtp_code)(_answer(error)) from error
    except (smtplib.SMTPNotSupportedError, ValueError) as error:
        raise LetterRefused(_answer(error)) from error
    except OSError as error:
        raise MailUnavailable(_answer(error)) from error


def _verdict(code: int) -> type[Exception]:
    # 421 means that the server is closing, whatever it was asked.
    if code == 421:
        return MailUnavailable
    return LetterRefused if code >= 500 else LetterPostponed


def _answer(error: Exception) -> str:
    # What the server said, without the address it said it about.
    match error:
        case smtplib.SMTPRecipientsRefused():
            return ", ".join(f"{code}" for code, _text in error.recipients.values())
        case smtplib.SMTPResponseException():
            return str(error.smtp_code)
        case _:
            return type(error).__name__
