from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.management.licenses import (
    add_members,
    add_product,
    find_members,
    find_product,
    seats_now,
    sentence_of,
)
from telephony.seating import plan_taking_away
from telephony.services.seats import unassign_licenses


class Command(OrganizationCommand):
    help = "Take the seat of a product away from members. Who has none is left alone."
    nothing_done = {"owned": 0, "assigned": 0, "free": 0}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_product(parser)
        add_members(parser)
        parser.add_argument(
            "--with-dependents", action="store_true", help="take away along with it what they have that requires it"
        )

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        product, together = find_product(options["product"]), options["with_dependents"]
        members = find_members(organization, options["member"])
        if options["dry_run"]:
            keys = list(members.values_list("pk", flat=True))
            ending = plan_taking_away(organization, product, keys, with_dependents=together)
            return {**seats_now(organization, product), "would_lose": len(ending[product.code])}
        unassign_licenses(
            actor=actor, organization=organization, product=product, members=members, with_dependents=together
        )
        return seats_now(organization, product)

    def explain(self, result: dict[str, Any]) -> None:
        if "would_lose" in result:
            self.stdout.write(f"{result['would_lose']} would lose their seat.")
        self.stdout.write(sentence_of(result))
