from argparse import ArgumentParser
from datetime import date
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from skypemgr.forms import read_reason
from telephony.models import PortOrder
from telephony.porting import State
from telephony.services.porting import advance_port_order, cancel_port_order, complete_port_order


class Command(OrganizationCommand):
    help = "Note what came of a port order: asked, agreed to a day, rejected, completed, or called off."
    nothing_done = {"order": None, "numbers": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--order", required=True, type=int, help="its number")
        states = [state for state in State.values if state != State.PROCESSING]
        parser.add_argument("--state", required=True, choices=states, help="the state that it comes into")
        parser.add_argument("--date", type=date.fromisoformat, help="the day of the transfer, for approved")
        parser.add_argument("--reason", default="", help="what the carrier says, for rejected")

    def act(
        self, *, organization: Organization, actor: Actor, order: int, state: str, **options: Any
    ) -> dict[str, Any]:
        found = PortOrder.objects.filter(organization=organization, pk=order).first()
        if found is None:
            raise Refused(f"There is no port order {order} in {organization.name}.")
        whose = Capability.MANAGE_VOICE if state == State.CANCELED else Capability.RUN_INSTALLATION
        require(actor, organization, whose)
        if options["dry_run"]:
            return {"order": order, "state": found.state, "numbers": []}
        numbers, reason = list[str](), read_reason(options["reason"])
        if state == State.COMPLETED:
            brought = complete_port_order(actor=actor, organization=organization, order=found)
            numbers = [number.number for number in brought]
        elif state == State.CANCELED:
            cancel_port_order(actor=actor, organization=organization, order=found, reason=reason)
        else:
            advance_port_order(
                actor=actor,
                organization=organization,
                order=found,
                state=state,
                transfer_on=options["date"],
                reason=reason,
            )
        return {"order": order, "state": state, "numbers": numbers}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"Order {result['order']}: {result['state']}. {len(result['numbers'])} numbers brought in.")
