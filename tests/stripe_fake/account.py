"""What an account at Stripe holds, what happens to it by hand, and what Stripe then tells."""

import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from typing import Any

API_KEY, SECRET = "sk_test_fake", "whsec_fake"
GOOD, DECLINED, NO_FUNDS = "4242424242424242", "4000000000000002", "4000000000009995"
# Can be saved, and is declined when nobody is there; wants its holder to be there each time.
DECLINED_LATER, ASKS_HOLDER = "4000000000000341", "4000002760003184"

type Thing = dict[str, Any]


class Refused(Exception):
    """An error of Stripe's: its status and what stands in it."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, **more}


class Account:
    """Everything it knows is in ``things``, what it would tell in ``events``; ``tell`` is where it tells it at once."""

    def __init__(self) -> None:
        self.url = ""
        self.things: dict[str, Thing] = {}
        self.events: list[Thing] = []
        self.numbers: dict[str, str] = {}
        self.tell = ""
        self.ahead = 0.0
        self.lock = threading.RLock()

    def now(self) -> int:
        return int(time.time() + self.ahead)

    def all(self, kind: str) -> list[Thing]:
        """Every object of a kind, oldest first."""
        with self.lock:
            return [thing for thing in self.things.values() if thing["object"] == kind]

    def charges(self) -> list[Thing]:
        """Payments that took money."""
        return [payment for payment in self.all("payment_intent") if payment["status"] == "succeeded"]

    def pay(self, session_id: str, number: str = GOOD) -> Thing:
        """Do what a person does on the page of a checkout; the session, complete. Raises Refused for a bad card."""
        with self.lock:
            session = self.find(session_id, "checkout.session")
            if session["status"] != "open":
                raise Refused(400, "invalid_request_error", "This session is over.")
            if session["mode"] == "payment" and number in (DECLINED, NO_FUNDS):
                raise Refused(402, "card_error", "The card was declined.", code="card_declined")
            session["customer"] = session["customer"] or (
                self.add("cus", "customer")["id"] if session["customer_creation"] == "always" else None
            )
            method = self.add_card(number, session["customer"])
            if session["mode"] == "setup":
                made = self.add(
                    "seti",
                    "setup_intent",
                    status="succeeded",
                    customer=session["customer"],
                    payment_method=method["id"],
                )
                session.update(status="complete", payment_status="no_payment_required", setup_intent=made["id"])
            else:
                payment = self.add_payment(
                    session["amount_total"],
                    session["currency"],
                    session["customer"],
                    method["id"],
                    **session["_payment"],
                )
                payment["status"] = "succeeded"
                session.update(status="complete", payment_status="paid", payment_intent=payment["id"])
                self.say("payment_intent.succeeded", payment)
            self.say("checkout.session.completed", session)
            return session

    def expire(self, session_id: str) -> None:
        with self.lock:
            session = self.find(session_id, "checkout.session")
            if session["status"] != "open":
                raise Refused(400, "invalid_request_error", "Only open sessions can be expired.")
            session.update(status="expired", url=None)
            self.say("checkout.session.expired", session)

    def refund(self, payment_id: str, amount: int | None = None) -> Thing:
        with self.lock:
            payment = self.find(payment_id, "payment_intent")
            refund = self.add(
                "re",
                "refund",
                payment_intent=payment_id,
                amount=payment["amount"] if amount is None else amount,
                currency=payment["currency"],
                status="succeeded",
            )
            self.say("refund.created", refund)
            return refund

    def fail_refund(self, refund_id: str) -> None:
        with self.lock:
            refund = self.find(refund_id, "refund")
            refund["status"] = "failed"
            self.say("refund.failed", refund)

    def dispute(self, payment_id: str, amount: int | None = None, status: str = "needs_response") -> Thing:
        with self.lock:
            payment = self.find(payment_id, "payment_intent")
            dispute = self.add(
                "du",
                "dispute",
                payment_intent=payment_id,
                amount=payment["amount"] if amount is None else amount,
                currency=payment["currency"],
                status=status,
                reason="fraudulent",
            )
            self.say("charge.dispute.created", dispute)
            return dispute

    def close_dispute(self, dispute_id: str, status: str) -> None:
        with self.lock:
            dispute = self.find(dispute_id, "dispute")
            dispute["status"] = status
            self.say("charge.dispute.closed", dispute)

    def say(self, kind: str, thing: Thing) -> Thing:
        """Make an event about a thing as it is now; it is told at once where somebody listens."""
        event = self.add(
            "evt",
            "event",
            type=kind,
            api_version="2026-10-28.endive",
            pending_webhooks=1,
            request={"id": None, "idempotency_key": None},
            data={"object": json.loads(json.dumps(shown(thing)))},
        )
        self.events.append(event)
        if self.tell:
            threading.Thread(target=self.deliver, args=(event, self.tell), daemon=True).start()
        return event

    def deliver(self, event: Thing, address: str, *, tries: int = 30) -> int:
        """Tell somebody of an event until they have understood; the last status."""
        status = 0
        for _attempt in range(tries):
            body = json.dumps(event).encode()
            headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": sign(body)}
            try:
                with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=20) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                status = error.code
            except OSError:
                status = 0
            time.sleep(1)
        return status

    # What it keeps

    def add(self, prefix: str, kind: str, **fields: Any) -> Thing:
        thing = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now(),
            "livemode": False,
            "metadata": {},
            **fields,
        }
        with self.lock:
            self.things[thing["id"]] = thing
        return thing

    def add_card(self, number: str, customer: str | None) -> Thing:
        card = {"brand": "visa", "last4": number[-4:], "exp_month": 12, "exp_year": 2031}
        method = self.add("pm", "payment_method", type="card", card=card, customer=customer)
        self.numbers[method["id"]] = number
        return method

    def add_payment(self, amount: int, currency: str, customer: str | None, method: str, **more: Any) -> Thing:
        return self.add(
            "pi",
            "payment_intent",
            amount=amount,
            currency=currency,
            customer=customer,
            payment_method=method,
            last_payment_error=None,
            **{"status": "requires_payment_method", "setup_future_usage": None, **more},
        )

    def find(self, thing_id: str, kind: str) -> Thing:
        thing = self.things.get(thing_id)
        if thing is None or thing["object"] != kind:
            raise Refused(404, "invalid_request_error", f"No such {kind}: {thing_id}", code="resource_missing")
        return thing


def shown(thing: Thing) -> Thing:
    """An object without what only this fake knows of it."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """The header with which Stripe signs a message."""
    moment = int(time.time() if at is None else at)
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signature}"
