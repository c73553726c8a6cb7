"""As much of Stripe as credit meets, on a port of this machine: tests drive it with the real SDK.

It keeps Stripe's promises about idempotency keys (the first answer again for a day, other parameters are an error,
a refused request is forgotten), signs its messages, and can be as unhelpful as networks are (`Fault`). By hand:
``python -m tests.stripe_fake --port 8190 --tell http://127.0.0.1:8000/payments/stripe/``.
"""

import hashlib
import json
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.stripe_fake import api
from tests.stripe_fake.account import (
    API_KEY,
    ASKS_HOLDER,
    DECLINED,
    DECLINED_LATER,
    GOOD,
    NO_FUNDS,
    Account,
    Refused,
    Thing,
)

DAY = 24 * 3600


@dataclass
class Call:
    """One request, as it came in."""

    method: str
    path: str
    params: Thing
    key: str
    status: int = 0
    replayed: bool = False


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests to paths that begin with ``path``.

    before: 500, and nothing was done; saved: the same, and the answer is kept for its key; after: 500, though it was
    done; lost: done, and the line goes dead; silent: nothing was done, and the line goes dead; busy: 429; slow: done
    after ``seconds``.
    """

    mode: str
    path: str = "/v1/"
    times: int = 1
    seconds: float = 0.0


class FakeStripe(ThreadingHTTPServer, Account):
    """An account at Stripe with its API in front; everything it was asked is in ``calls``."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", port), _Handler)
        Account.__init__(self)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.kept: dict[str, tuple[str, int, Thing, float]] = {}
        self.running: set[str] = set()
        self.calls: list[Call] = []
        self.faults: list[Fault] = []

    @contextmanager
    def running_in_background(self) -> Iterator["FakeStripe"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    def count(self, path: str, method: str = "POST") -> int:
        return Counter((call.method, call.path) for call in self.calls)[method, path]


class _Handler(BaseHTTPRequestHandler):
    server: FakeStripe
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if (match := re.fullmatch(r"/c/pay/([^/?]+)", urlsplit(self.path).path)) is not None:
            self._page(match[1])
        else:
            self._serve("GET", urlsplit(self.path).query)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if (match := re.fullmatch(r"/c/pay/([^/?]+)", urlsplit(self.path).path)) is not None:
            self._pay(match[1], dict(parse_qsl(text)).get("card", GOOD))
        else:
            self._serve("POST", text)

    def _serve(self, method: str, text: str) -> None:
        stripe, path = self.server, urlsplit(self.path).path
        call = Call(method, path, nested(text), self.headers.get("Idempotency-Key") or "")
        with stripe.lock:
            stripe.calls.append(call)
            fault = next((fault for fault in stripe.faults if fault.times and path.startswith(fault.path)), None)
            if fault is not None:
                fault.times -= 1
        mode = fault.mode if fault else ""
        if mode == "silent":
            self.close_connection = True
            return
        if mode in ("before", "busy"):
            call.status = 500 if mode == "before" else 429
            kind = "api_error" if mode == "before" else "invalid_request_error"
            self._send(call.status, {"error": {"type": kind, "message": "Try again.", "code": "rate_limit"}})
            return
        answer = self._replayed(call)
        if fault is not None and mode == "slow":
            time.sleep(fault.seconds)
        call.status, body = answer or self._done(call, broken=mode == "saved")
        if mode == "lost":
            self.close_connection = True
        elif mode == "after":
            self._send(500, {"error": {"type": "api_error", "message": "Something went wrong."}})
        else:
            self._send(call.status, body, replayed=call.replayed)

    def _replayed(self, call: Call) -> tuple[int, Thing] | None:
        stripe = self.server
        if call.method != "POST" or not call.key:
            return None
        with stripe.lock:
            kept = stripe.kept.get(call.key)
            if kept is not None and stripe.now() - kept[3] < DAY:
                if kept[0] != digest(call):
                    message = "Keys for idempotent requests can only be used with the same parameters."
                    return 400, {"error": {"type": "idempotency_error", "message": message}}
                call.replayed = True
                return kept[1], kept[2]
            if call.key in stripe.running:
                code = "idempotency_key_in_use"
                return 409, {"error": {"type": "invalid_request_error", "message": "In progress.", "code": code}}
            stripe.running.add(call.key)
        return None

    def _done(self, call: Call, *, broken: bool) -> tuple[int, Thing]:
        stripe = self.server
        try:
            if self.headers.get("Authorization") != f"Bearer {API_KEY}":
                raise Refused(401, "invalid_request_error", "Invalid API Key provided.")
            if broken:
                status, body = 500, {"error": {"type": "api_error", "message": "Something went wrong."}}
            else:
                status, body = 200, api.answer(stripe, call.method, call.path, call.params)
        except Refused as refusal:
            status, body = refusal.status, {"error": refusal.error}
        with stripe.lock:
            stripe.running.discard(call.key)
            # What was refused before anything began is not kept.
            if call.method == "POST" and call.key and status in (200, 402, 500):
                stripe.kept[call.key] = (digest(call), status, json.loads(json.dumps(body)), stripe.now())
        return status, body

    def _send(self, status: int, body: Thing, *, replayed: bool = False) -> None:
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Request-Id": f"req_{secrets.token_hex(7)}"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        self._write(status, content, headers)

    def _write(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        # Whoever asked may have given up waiting.
        with suppress(ConnectionError):
            self.wfile.write(content)

    # The page of a checkout

    def _page(self, session_id: str, problem: str = "") -> None:
        session = self.server.things.get(session_id)
        if session is None or session["status"] != "open":
            self._write(410, b"This page is over.", {"Content-Type": "text/plain"})
            return
        amount = f"{session['amount_total']} {session['currency']}" if session["amount_total"] else ""
        cards = "".join(
            f'<button name="card" value="{number}">Pay with {number}</button> '
            for number in (GOOD, DECLINED, NO_FUNDS, DECLINED_LATER, ASKS_HOLDER)
        )
        page = (
            '<!doctype html><html lang="en"><title>Test checkout</title>'
            f"<h1>{escape(session['_title'])}</h1><p>{escape(amount)}</p><p>{escape(problem)}</p>"
            f'<form method="post">{cards}</form><p><a href="{escape(session["cancel_url"] or "")}">Back</a></p></html>'
        )
        self._write(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _pay(self, session_id: str, number: str) -> None:
        try:
            session = self.server.pay(session_id, number)
        except Refused as refusal:
            self._page(session_id, str(refusal))
            return
        self._write(303, b"", {"Location": session["success_url"]})


def nested(text: str) -> Thing:
    """What a form means: ``a[b][0]=c`` is {"a": {"b": {"0": "c"}}}."""
    found: Thing = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+", name)
        place = found
        for step, following in zip([first, *rest], [*rest, None], strict=True):
            if following is None:
                place[step] = value
            else:
                place = place.setdefault(step, {})
    return found


def digest(call: Call) -> str:
    return hashlib.sha256(json.dumps([call.path, call.params], sort_keys=True).encode()).hexdigest()
