"""A mail server that keeps every letter, and can be as unhelpful as mail servers are."""

import asyncio
import email
import email.policy
import threading
from collections import Counter
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

TAKEN = "250 taken"


class MailSink:
    """Takes letters as ``mode`` says.

    take; 4xx, 5xx, 421: what it answers to a recipient; slow: takes a letter after ``seconds``; lost: takes it and
    hangs up without an answer.
    """

    def __init__(self) -> None:
        self.mode = "take"
        self.seconds = 2.0
        self._lock = threading.Lock()
        self._letters: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The name is aiosmtpd's."""
        if self.mode in REFUSALS:
            return REFUSALS[self.mode]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The name is aiosmtpd's."""
        if self.mode == "slow":
            await asyncio.sleep(self.seconds)
        assert isinstance(envelope.content, bytes)
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self._lock:
            self._letters.append(letter)
        if self.mode == "lost":
            assert server.transport is not None
            server.transport.abort()
        return TAKEN

    def letters(self) -> list[EmailMessage]:
        """Every letter so far, in the order of its arrival."""
        with self._lock:
            return list(self._letters)

    def counts(self) -> Counter[str]:
        """How often each letter arrived, by the unique part of its Message-ID."""
        return Counter(str(letter["Message-ID"]).strip("<>").partition("@")[0] for letter in self.letters())

    def newest_to(self, address: str) -> str:
        """The text of the newest letter to ``address``, or ""."""
        for letter in reversed(self.letters()):
            if letter["To"] == address:
                part = letter.get_body(("plain",))
                assert part is not None
                return part.get_content()
        return ""


REFUSALS = {"4xx": "451 try again later", "5xx": "550 nobody here", "421": "421 closing"}


class AnyPort(Controller):
    """Listens on a port that is free, and knows which one it got."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
