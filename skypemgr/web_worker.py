"""The processes of web: gunicorn's own, whose refusals of what is no HTTP say the same about themselves as pages do."""

import secrets
import socket
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

from skypemgr.answers import HEADERS

POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class WebWorker(ThreadWorker):
    """A worker with threads that refuses in its own words."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be read, or a fault outside Django, and note it as gunicorn does."""
        super().handle_error(req, _Rewritten(client), addr, exc)


class _Rewritten:
    """A socket to whose other end gunicorn writes one answer, which arrives as ours: same status, other words."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        """Send the answer that has the status of ``data``, which would quote the request."""
        line = data.partition(b"\r\n")[0]
        reason = line.split(b" ", 2)[2]
        headers = "".join(f"{name}: {value}\r\n" for name, value in refusal_headers(len(reason) + 1).items())
        self._client.sendall(line + b"\r\n" + headers.encode("ascii") + b"\r\n" + reason + b"\n")


def refusal_headers(length: int) -> dict[str, str]:
    """What an answer of ``length`` bytes says of itself that no middleware has seen."""
    return {
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(length),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "X-Request-ID": secrets.token_hex(16),
        **HEADERS,
        **_transport(),
    }


def _transport() -> dict[str, str]:
    if not settings.SECURE_HSTS_SECONDS:
        return {}
    return {"Strict-Transport-Security": f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"}
