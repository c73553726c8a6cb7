from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from members.access import Actor
from members.management.base import JsonCommand, Refused
from skypemgr.money import NotAnAmount, money, read_amount
from telephony.management.licenses import find_product
from telephony.product_seeds import CURRENCIES
from telephony.selectors.prices import prices_of
from telephony.services.prices import set_prices


class Command(JsonCommand):
    help = "Set what a seat of a product costs a month in a currency; for those who run the installation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--product", metavar="CODE", required=True, help="the product")
        parser.add_argument("--currency", type=str.upper, choices=CURRENCIES, required=True, help="in which currency")
        price = parser.add_mutually_exclusive_group(required=True)
        price.add_argument("--monthly", metavar="AMOUNT", help="what a seat costs a month, as 5.50; 0 for nothing")
        price.add_argument("--not-sold", action="store_true", help="it can't be bought in this currency")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

    def act(self, *, product: str, currency: str, monthly: str | None, dry_run: bool, **options: Any) -> dict[str, Any]:
        found = find_product(product)
        wanted = None if monthly is None else _read(monthly, currency)
        before = prices_of(found).get(currency)
        result: dict[str, Any] = {"product": found.code, "currency": currency, "before": before}
        if dry_run:
            return {**result, "monthly": before, "would_be": wanted, "changed": 0}
        changed = set_prices(actor=Actor.system(), product=found, prices={currency: wanted})
        return {**result, "monthly": wanted, "changed": changed}

    def explain(self, result: dict[str, Any]) -> None:
        shown = result.get("would_be", result["monthly"])
        text = "can't be bought" if shown is None else f"costs {money(shown, result['currency'])} a month"
        would = "would be so: " if "would_be" in result else ""
        self.stdout.write(f"{would}{result['product']} {text} in {result['currency']}.")


def _read(monthly: str, currency: str) -> Decimal:
    try:
        return read_amount(monthly, currency, zero=True)
    except NotAnAmount as refusal:
        raise Refused(str(refusal)) from refusal
