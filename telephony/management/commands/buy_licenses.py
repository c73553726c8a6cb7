from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, read_key
from members.models import Organization
from telephony.licensing import offer, too_small
from telephony.management.licenses import add_product, find_product, seats_now, sentence_of
from telephony.models import License
from telephony.services.licenses import buy_licenses


class Command(OrganizationCommand):
    help = "Buy seats of a product from the wallet. They are renewed until that is canceled."
    nothing_done = {"owned": 0, "assigned": 0, "free": 0}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_product(parser)
        parser.add_argument("--quantity", type=int, required=True, help="how many seats")
        parser.add_argument(
            "--months", type=int, choices=License.Months.values, default=1, help="how many months a period has"
        )
        parser.add_argument("--key", default="", help="a name for this: the same key again buys nothing twice")

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        product = find_product(options["product"])
        quantity, months = options["quantity"], options["months"]
        if options["dry_run"]:
            offered = offer(organization, product, quantity, months)
            if offered.lacking:
                raise too_small(organization, offered.wallet, offered.amount)
            return {**seats_now(organization, product), "would_buy": quantity, "amount": offered.amount}
        bought = buy_licenses(
            actor=actor,
            organization=organization,
            product=product,
            quantity=quantity,
            months=months,
            key=read_key(options["key"]),
        )
        amount = bought.periods.order_by("begins_on").values_list("amount", flat=True)[0]
        return {**seats_now(organization, product), "amount": amount, "renews_on": str(bought.renews_on)}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_buy" in result:
            self.stdout.write(f"{result['would_buy']} would cost {result['amount']:.2f}.")
        else:
            self.stdout.write(f"Paid {result['amount']:.2f}; it is renewed on {result['renews_on']}.")
        self.stdout.write(sentence_of(result))
