from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from credit.selectors.balances import wallet_balance
from credit.services.orders import receive_payment
from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from skypemgr.characters import storable
from skypemgr.money import NotAnAmount, money, read_amount


class Command(OrganizationCommand):
    help = "Record a payment that came in: put credit into the wallet, once for each reference, with an invoice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--amount", required=True, help="the credit that is paid for, without VAT, in the organization's currency"
        )
        parser.add_argument(
            "--reference", required=True, help="what the payment is named by: the number of an order that waits, or any"
        )

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        amount: str,
        reference: str,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        credit = _read(amount, organization)
        reference = storable(reference).strip()
        if dry_run:
            require(actor, organization, Capability.RUN_INSTALLATION)
            return {"balance": wallet_balance(organization), "currency": organization.currency, "would_add": credit}
        received = receive_payment(actor=actor, organization=organization, amount=credit, reference=reference)
        return {
            "balance": wallet_balance(organization),
            "currency": organization.currency,
            "added": credit if received.new else Decimal(0),
            "order": received.order.number,
            "invoice": received.order.payment.invoice.number,
        }

    def explain(self, result: dict[str, Any]) -> None:
        balance = money(result["balance"], result["currency"])
        if "would_add" in result:
            added = money(result["would_add"], result["currency"])
            self.stdout.write(f"{added} would be added to the wallet, which holds {balance}.")
        elif result["added"]:
            added = money(result["added"], result["currency"])
            self.stdout.write(f"{added} added, invoice {result['invoice']}. The wallet holds {balance}.")
        else:
            self.stdout.write(f"This payment was recorded before. The wallet holds {balance}.")


def _read(amount: str, organization: Organization) -> Decimal:
    try:
        return read_amount(amount, organization.currency)
    except NotAnAmount as refusal:
        raise Refused(str(refusal)) from refusal
