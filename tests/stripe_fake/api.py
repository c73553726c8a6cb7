"""The requests that Stripe understands, as far as credit makes them."""

import re
from collections.abc import Callable
from typing import Any

from tests.stripe_fake.account import ASKS_HOLDER, DECLINED, DECLINED_LATER, NO_FUNDS, Account, Refused, Thing, shown


def needed(params: Thing, *names: str) -> None:
    for name in names:
        if not params.get(name):
            raise Refused(400, "invalid_request_error", f"Missing required param: {name}.", param=name)


def create_session(stripe: Account, params: Thing) -> Thing:
    needed(params, "mode", "success_url")
    amount = None
    if params["mode"] == "payment":
        needed(params, "line_items")
        line = params["line_items"]["0"]
        amount = int(line["price_data"]["unit_amount"]) * int(line["quantity"])
        if amount <= 0:
            raise Refused(400, "invalid_request_error", "Invalid positive integer", param="unit_amount")
    if params.get("customer"):
        stripe.find(params["customer"], "customer")
    more = params.get("payment_intent_data", {})
    session = stripe.add(
        "cs_test",
        "checkout.session",
        mode=params["mode"],
        status="open",
        payment_status="unpaid",
        amount_total=amount,
        currency=line["price_data"]["currency"] if amount else params.get("currency"),
        customer=params.get("customer"),
        customer_creation=params.get("customer_creation", "if_required"),
        client_reference_id=params.get("client_reference_id"),
        success_url=params["success_url"],
        cancel_url=params.get("cancel_url"),
        payment_intent=None,
        setup_intent=None,
        _title=line["price_data"]["product_data"]["name"] if amount else "Save a card",
        _payment={"metadata": more.get("metadata", {}), "setup_future_usage": more.get("setup_future_usage")},
    )
    session["url"] = f"{stripe.url}/c/pay/{session['id']}"
    return session


def expire_session(stripe: Account, params: Thing, session_id: str) -> Thing:
    stripe.expire(session_id)
    return stripe.things[session_id]


def create_payment(stripe: Account, params: Thing) -> Thing:
    needed(params, "amount", "currency")
    if params.get("customer"):
        stripe.find(params["customer"], "customer")
    method = stripe.find(params.get("payment_method", ""), "payment_method")
    if method["customer"] != params.get("customer"):
        raise Refused(400, "invalid_request_error", "The PaymentMethod does not belong to the Customer.")
    payment = stripe.add_payment(
        int(params["amount"]),
        params["currency"],
        params.get("customer"),
        method["id"],
        metadata=params.get("metadata", {}),
    )
    code, decline_code = {
        DECLINED_LATER: ("card_declined", "generic_decline"),
        DECLINED: ("card_declined", "generic_decline"),
        NO_FUNDS: ("card_declined", "insufficient_funds"),
        ASKS_HOLDER: ("authentication_required", "authentication_required"),
    }.get(stripe.numbers[method["id"]], ("", ""))
    if code:
        error = {"code": code, "decline_code": decline_code, "message": "Your card was declined."}
        payment["last_payment_error"] = {"type": "card_error", **error}
        stripe.say("payment_intent.payment_failed", payment)
        raise Refused(402, "card_error", **error, payment_intent=shown(payment))
    payment["status"] = "succeeded"
    stripe.say("payment_intent.succeeded", payment)
    return payment


def list_payments(stripe: Account, params: Thing) -> Thing:
    since = int(params.get("created", {}).get("gte", 0))
    found = [
        payment
        for payment in reversed(stripe.all("payment_intent"))
        if payment["created"] >= since and params.get("customer") in (None, payment["customer"])
    ]
    if params.get("starting_after"):
        found = found[[payment["id"] for payment in found].index(params["starting_after"]) + 1 :]
    limit = int(params.get("limit", 10))
    data = [shown(payment) for payment in found[:limit]]
    return {"object": "list", "url": "/v1/payment_intents", "has_more": len(found) > limit, "data": data}


def detach_card(stripe: Account, params: Thing, method_id: str) -> Thing:
    method = stripe.find(method_id, "payment_method")
    if not method["customer"]:
        raise Refused(400, "invalid_request_error", "It is not attached to a customer.")
    method["customer"] = None
    return method


def create_refund(stripe: Account, params: Thing) -> Thing:
    amount = params.get("amount")
    return stripe.refund(params.get("payment_intent", ""), int(amount) if amount else None)


def getter(kind: str) -> Callable[[Account, Thing, str], Thing]:
    return lambda stripe, params, thing_id: stripe.find(thing_id, kind)


ROUTES: list[tuple[str, str, Callable[..., Thing]]] = [
    ("/v1/customers", "POST", lambda stripe, params: stripe.add("cus", "customer", **params)),
    ("/v1/customers/([^/]+)", "GET", getter("customer")),
    ("/v1/checkout/sessions", "POST", create_session),
    ("/v1/checkout/sessions/([^/]+)", "GET", getter("checkout.session")),
    ("/v1/checkout/sessions/([^/]+)/expire", "POST", expire_session),
    ("/v1/payment_intents", "POST", create_payment),
    ("/v1/payment_intents", "GET", list_payments),
    ("/v1/payment_intents/([^/]+)", "GET", getter("payment_intent")),
    ("/v1/payment_methods/([^/]+)", "GET", getter("payment_method")),
    ("/v1/payment_methods/([^/]+)/detach", "POST", detach_card),
    ("/v1/refunds", "POST", create_refund),
]


def answer(stripe: Account, method: str, path: str, params: Thing) -> Thing:
    for pattern, verb, handle in ROUTES:
        if verb == method and (match := re.fullmatch(pattern, path)):
            with stripe.lock:
                return _expanded(stripe, shown(handle(stripe, params, *match.groups())), params.get("expand", {}))
    raise Refused(404, "invalid_request_error", f"Unrecognized request URL ({method} {path}).")


def _expanded(stripe: Account, thing: Thing, paths: Any) -> Thing:
    for path in paths.values() if isinstance(paths, dict) else paths:
        place = thing
        for step in path.split("."):
            if not isinstance(place, dict) or not place.get(step):
                break
            if isinstance(place[step], str):
                place[step] = dict(shown(stripe.things[place[step]]))
            place = place[step]
    return thing
