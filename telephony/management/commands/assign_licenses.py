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
from telephony.seating import plan_assignment
from telephony.services.seats import assign_licenses


class Command(OrganizationCommand):
    help = "Give members a seat of a product that is owned: all of them, or nobody. Who has one keeps it."
    nothing_done = {"owned": 0, "assigned": 0, "free": 0}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_product(parser)
        add_members(parser)

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        product = find_product(options["product"])
        members = find_members(organization, options["member"])
        if options["dry_run"]:
            plan = plan_assignment(organization, product, list(members.values_list("pk", flat=True)))
            return {**seats_now(organization, product), "would_get": len(plan.getting)}
        assign_licenses(actor=actor, organization=organization, product=product, members=members)
        return seats_now(organization, product)

    def explain(self, result: dict[str, Any]) -> None:
        if "would_get" in result:
            self.stdout.write(f"{result['would_get']} would get a seat.")
        self.stdout.write(sentence_of(result))
