"""Stripe, by its SDK: hosted Checkout, charges of a saved card, and the messages it signs."""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

import stripe
from django.conf import settings

from credit.gateways.minor_units import from_minor_units, to_minor_units
from credit.gateways.payments import (
    Card,
    Checkout,
    CheckoutState,
    Declined,
    Dispute,
    DisputeState,
    Impossible,
    Message,
    MessageRefused,
    NoAnswer,
    Payment,
    PaymentGateway,
    PaymentState,
    Refund,
)

logger = logging.getLogger(__name__)

# Seconds to connect, and to wait for the next bytes.
PATIENCE = (3, 7)
# Longer than the clocks of two servers differ.
CLOCK_SKEW = dt.timedelta(hours=1)
CARDS_ONLY: Any = ["card"]

stripe.enable_telemetry = False


def cards_offered() -> bool:
    """Whether this installation takes cards."""
    return bool(settings.STRIPE_API_KEY)


def card_gateway() -> PaymentGateway:
    """The card processor of this installation. Make a new one for each piece of work."""
    return StripeGateway()


class StripeGateway:
    """Asks Stripe with the key of the installation. A request is sent once; whoever asks again has a key for it.

    Connections last as long as this does: one kept for longer may be closed by Stripe just as it is used again.
    """

    def __init__(self) -> None:
        client = stripe.RequestsClient(timeout=PATIENCE)
        addresses: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {}
        self._client = stripe.StripeClient(
            settings.STRIPE_API_KEY, base_addresses=addresses, http_client=client, max_network_retries=0
        )
        self._v1 = self._client.v1

    def open_checkout(
        self,
        *,
        key: str,
        amount: Decimal,
        currency: str,
        title: str,
        reference: str,
        success_url: str,
        cancel_url: str,
        language: str,
        save_card: bool,
        customer: str = "",
    ) -> Checkout:
        payment: dict[str, Any] = {"description": title, "metadata": {"reference": reference}}
        params: dict[str, Any] = {
            "mode": "payment",
            "payment_method_types": CARDS_ONLY,
            "client_reference_id": reference,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": to_minor_units(amount, currency),
                        "product_data": {"name": title},
                    },
                }
            ],
            "payment_intent_data": payment,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "locale": language,
        }
        if save_card:
            payment["setup_future_usage"] = "off_session"
            params |= {"customer": customer} if customer else {"customer_creation": "always"}
        with _answers():
            return _checkout(self._v1.checkout.sessions.create(params, {"idempotency_key": key}))  # type: ignore[arg-type]

    def open_card_checkout(
        self, *, key: str, currency: str, reference: str, success_url: str, cancel_url: str, language: str
    ) -> Checkout:
        params: Any = {
            "mode": "setup",
            "payment_method_types": CARDS_ONLY,
            "customer_creation": "always",
            "currency": currency.lower(),
            "client_reference_id": reference,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "locale": language,
        }
        with _answers():
            return _checkout(self._v1.checkout.sessions.create(params, {"idempotency_key": key}))

    def find_checkout(self, checkout: str) -> Checkout:
        expand = ["payment_intent.payment_method", "setup_intent.payment_method"]
        with _answers():
            return _checkout(self._v1.checkout.sessions.retrieve(checkout, {"expand": expand}))

    def close_checkout(self, checkout: str) -> None:
        with _answers():
            try:
                self._v1.checkout.sessions.expire(checkout)
            except stripe.InvalidRequestError:
                # It is over already, whichever way.
                logger.info("A checkout was closed already.")

    def charge(self, *, key: str, card: str, customer: str, amount: Decimal, currency: str, title: str) -> Payment:
        params: Any = {
            "amount": to_minor_units(amount, currency),
            "currency": currency.lower(),
            "customer": customer,
            "payment_method": card,
            "payment_method_types": CARDS_ONLY,
            "off_session": True,
            "confirm": True,
            "description": title,
            "metadata": {"key": key},
        }
        with _answers():
            payment = _payment(self._v1.payment_intents.create(params, {"idempotency_key": key}))
        if payment.state is PaymentState.FAILED:
            raise Declined(payment.code or "declined", payment.id)
        return payment

    def look_up_payment(self, *, key: str, customer: str, since: dt.datetime) -> Payment | None:
        # By list, not by search: what was made a moment ago is not in the index of searches yet.
        params: Any = {"customer": customer, "created": {"gte": int((since - CLOCK_SKEW).timestamp())}, "limit": 100}
        with _answers():
            for intent in self._v1.payment_intents.list(params).auto_paging_iter():
                if (payment := _payment(intent)).key == key:
                    return payment
        return None

    def forget_card(self, card: str) -> None:
        with _answers():
            try:
                self._v1.payment_methods.detach(card)
            except stripe.InvalidRequestError:
                # It belongs to nobody any more.
                logger.info("A card was detached already.")

    def read_message(self, body: bytes, signature: str) -> Message:
        try:
            event = self._client.construct_event(body, signature, settings.STRIPE_WEBHOOK_SECRET).to_dict()
            message = _message(event)
        except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise MessageRefused(type(error).__name__) from error
        if event.get("account"):
            raise MessageRefused("It is about another account.")
        if bool(event.get("livemode")) != ("_live_" in settings.STRIPE_API_KEY):
            raise MessageRefused("Tests and real money are apart.")
        return message


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except stripe.CardError as error:
        _raise_declined(error)
    except stripe.InvalidRequestError as error:
        if error.code == "lock_timeout":
            raise NoAnswer(error.code) from error
        # A word of theirs for what is wrong, and the name of the parameter.
        problem = error.code
        logger.warning("Stripe refused a request: %s %s", problem, error.param)
        raise Impossible(error.code or "invalid_request") from error
    except stripe.StripeError as error:
        logger.warning("Stripe gave no answer: %s %s", type(error).__name__, error.http_status)
        raise NoAnswer(type(error).__name__) from error


def _raise_declined(error: stripe.CardError) -> NoReturn:
    details = error.error.to_dict() if error.error else {}
    code = str(error.code or "declined")
    if code == "card_declined":
        code = details.get("decline_code") or code
    raise Declined(code, (details.get("payment_intent") or {}).get("id", "")) from error


def _checkout(session: stripe.checkout.Session) -> Checkout:
    return _checkout_of(session.to_dict())


def _checkout_of(session: dict[str, Any]) -> Checkout:
    currency = (session.get("currency") or "").upper()
    amount = session.get("amount_total")
    payment, setup = session.get("payment_intent"), session.get("setup_intent")
    return Checkout(
        id=session["id"],
        reference=session.get("client_reference_id") or "",
        url=session.get("url") or "",
        state=_checkout_state(session),
        payment=_id(payment),
        amount=from_minor_units(amount, currency) if amount is not None and currency else None,
        currency=currency,
        card=_card(payment) or _card(setup),
    )


def _checkout_state(session: dict[str, Any]) -> CheckoutState:
    if session.get("status") == "expired":
        return CheckoutState.EXPIRED
    if session.get("status") != "complete":
        return CheckoutState.OPEN
    if session.get("mode") == "setup":
        return CheckoutState.SAVED
    return CheckoutState.PAID if session.get("payment_status") == "paid" else CheckoutState.PROCESSING


def _card(intent: Any) -> Card | None:
    """The card of a payment, or of a set-up, that came with all its parts."""
    method = intent.get("payment_method") if isinstance(intent, dict) else None
    if not isinstance(method, dict) or not method.get("card") or not intent.get("customer"):
        return None
    if intent.get("object") == "payment_intent" and intent.get("setup_future_usage") != "off_session":
        return None
    card = method["card"]
    return Card(
        customer=_id(intent["customer"]),
        method=method["id"],
        brand=card["brand"],
        last4=card["last4"],
        month=card["exp_month"],
        year=card["exp_year"],
    )


def _payment(intent: stripe.PaymentIntent) -> Payment:
    return _payment_of(intent.to_dict())


def _payment_of(intent: dict[str, Any]) -> Payment:
    currency = intent["currency"].upper()
    problem = intent.get("last_payment_error") or {}
    return Payment(
        id=intent["id"],
        key=(intent.get("metadata") or {}).get("key", ""),
        state={"succeeded": PaymentState.SUCCEEDED, "processing": PaymentState.PROCESSING}.get(
            intent["status"], PaymentState.FAILED
        ),
        amount=from_minor_units(intent["amount"], currency),
        currency=currency,
        code=problem.get("decline_code") or problem.get("code") or "",
    )


def _refund_of(refund: dict[str, Any]) -> Refund:
    currency = refund["currency"].upper()
    return Refund(
        id=refund["id"],
        payment=_id(refund.get("payment_intent")),
        amount=from_minor_units(refund["amount"], currency),
        currency=currency,
        stands=refund.get("status") not in ("failed", "canceled"),
    )


def _dispute_of(dispute: dict[str, Any]) -> Dispute:
    currency, status = dispute["currency"].upper(), dispute["status"]
    states = {"won": DisputeState.WON, "prevented": DisputeState.WON, "lost": DisputeState.LOST}
    return Dispute(
        id=dispute["id"],
        payment=_id(dispute.get("payment_intent")),
        amount=from_minor_units(dispute["amount"], currency),
        currency=currency,
        state=DisputeState.INQUIRY if status.startswith("warning_") else states.get(status, DisputeState.OPEN),
    )


def _message(event: dict[str, Any]) -> Message:
    kind, thing = event["type"], event["data"]["object"]
    subject: Checkout | Payment | Refund | Dispute | None = None
    if kind.startswith("checkout.session."):
        subject = _checkout_of(thing)
    elif kind in ("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"):
        subject = _payment_of(thing)
    elif kind in ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"):
        subject = _refund_of(thing)
    elif kind.startswith("charge.dispute."):
        subject = _dispute_of(thing)
    return Message(id=event["id"], kind=kind, subject=subject)


def _id(thing: Any) -> str:
    return str(thing["id"] if isinstance(thing, dict) else thing or "")
