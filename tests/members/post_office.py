"""A mail server of our own, over SMTP."""

import asyncio
import email
import email.policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller


def body(content: EmailMessage, kind: str) -> str:
    part = content.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


class PostOffice:
    """A mail server that answers as it was told to, and keeps what it took."""

    def __init__(self):
        self.delivered = []
        self.answers = {}
        self.after_delivery = None
        self.pause = 0
        self.on_arrival = None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answers = self.answers.get(address, [])
        answer = answers.pop(0) if answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        content = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.delivered.append((envelope.rcpt_tos[0], content))
        if self.on_arrival is not None:
            await asyncio.to_thread(self.on_arrival)
        await asyncio.sleep(self.pause)
        return self.after_delivery or "250 taken"

    def texts(self) -> list[str]:
        return [body(content, "plain") for _address, content in self.delivered]


class AnyPort(Controller):
    """Listens on a port that is free, and knows which one it got."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
