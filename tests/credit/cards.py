"""Companies that buy by card, and what a Stripe of our own tells of them."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.test import Client

from credit.gateways.stripe import StripeGateway
from credit.ledger import Move, account_of, accounts_of
from credit.ledger import post as post_moves
from credit.models import BillingProfile, CardCheckout, Order, SavedCard, WalletCharge, WalletRecharge
from credit.selectors.balances import wallet_balance
from credit.services.card_checkouts import order_by_card
from credit.services.card_lookups import open_page
from credit.services.card_messages import take_message
from credit.services.wallet_recharge_work import look_after_cards_task
from credit.services.wallet_recharges import save_wallet_recharge
from members.access import Actor
from members.models import Member, Organization
from tests.factories import MemberFactory, OrganizationFactory
from tests.stripe_fake.account import GOOD, Thing, sign
from tests.stripe_fake.server import FakeStripe


def make_company(**facts: Any) -> Member:
    """An administrator of a company that may buy."""
    admin = MemberFactory(admin=True, organization=OrganizationFactory(**facts))
    company = admin.organization
    BillingProfile.objects.create(
        organization=company,
        name=company.name,
        street="1, rue de la Paix",
        city="Paris",
        country=company.country,
        email="invoices@company.example",
    )
    return admin


def checkout_for(admin: Member, amount: str = "100", *, save_card: bool = False) -> CardCheckout:
    """An order by card, with its page at the processor."""
    asked = order_by_card(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        amount=Decimal(amount),
        key=uuid4(),
        save_card=save_card,
    )
    return open_page(asked)


def tell(event: Thing) -> Any:
    """Have the installation hear a message, past the web."""
    body = json.dumps(event).encode()
    return take_message(message=StripeGateway().read_message(body, sign(body)))


def tell_all(stripe: FakeStripe) -> list[Any]:
    return [tell(event) for event in stripe.events]


def post(event: Thing, signature: str = "", client: Client | None = None) -> int:
    """Have the installation hear a message by the web; the status of its answer."""
    body = json.dumps(event).encode()
    answer = (client or Client()).post(
        "/payments/stripe/",
        body,
        content_type="application/json; charset=utf-8",
        headers={"Stripe-Signature": signature or sign(body)},
    )
    return int(answer.status_code)


def balance(organization: Organization) -> Decimal:
    return wallet_balance(organization)


def card_of(admin: Member, stripe: FakeStripe, number: str = GOOD) -> SavedCard:
    """A saved card, and nothing bought; the wallet is empty."""
    company = admin.organization
    customer = stripe.add("cus", "customer")["id"]
    method = stripe.add_card(number, customer)["id"]
    return SavedCard.objects.create(
        organization=company,
        customer=customer,
        method=method,
        brand="visa",
        last4=number[-4:],
        month=12,
        year=2031,
        saved_by=admin,
    )


def recharging(
    stripe: FakeStripe, *, amount: str = "50", below: str = "10", monthly_limit: str = "200", **facts: Any
) -> Member:
    """An administrator of a company whose empty wallet recharges itself."""
    admin = make_company(**facts)
    card_of(admin, stripe)
    set_recharge(admin, amount=amount, below=below, monthly_limit=monthly_limit)
    return admin


def set_recharge(admin: Member, *, amount: str = "50", below: str = "10", monthly_limit: str = "200") -> WalletRecharge:
    return save_wallet_recharge(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        amount=Decimal(amount),
        below=Decimal(below),
        monthly_limit=Decimal(monthly_limit),
    )


def work() -> None:
    """What a worker does every few seconds."""
    look_after_cards_task()


def let_wait() -> None:
    """As if the next try of each charge were due."""
    WalletCharge.objects.filter(state="requested").update(try_at="2020-01-01T00:00Z")


def states() -> list[tuple[str, str]]:
    """What became of each charge, and of its order."""
    charges = WalletCharge.objects.select_related("order").order_by("pk")
    return [(charge.state, charge.order.state) for charge in charges]


def top_ups() -> Decimal:
    """What was bought by card, VAT included."""
    return sum((order.gross for order in Order.objects.filter(method="card", state="paid")), Decimal(0))


def spend(organization: Organization, amount: str) -> None:
    """Give so much of the wallet to somebody."""
    [account] = accounts_of(organization, [MemberFactory(organization=organization)]).values()
    move = Move(account_of(organization, "wallet"), account, Decimal(amount), uuid4())
    post_moves(organization=organization, operation="allocation", moves=[move], actor=Actor.system())
