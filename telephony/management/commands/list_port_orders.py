from typing import Any

from django.db.models import Count

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.models import PortOrder


class Command(OrganizationCommand):
    help = "List the orders to bring phone numbers along from another carrier, the newest first."

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> list[dict[str, Any]]:
        require(actor, organization, Capability.MANAGE_VOICE)
        orders = PortOrder.objects.filter(organization=organization).annotate(size=Count("numbers"))
        return [
            {
                "order": order.pk,
                "name": order.name,
                "state": order.state,
                "numbers": order.size,
                "carrier": order.carrier,
                "transfer_on": order.transfer_on,
                "made_at": order.made_at,
            }
            for order in orders.order_by("-made_at", "-id")
        ]

    def explain(self, result: list[dict[str, Any]]) -> None:
        for order in result:
            day = order["transfer_on"] or "no day yet"
            self.stdout.write(f"{order['order']}  {order['state']}  {order['numbers']} numbers  {day}  {order['name']}")
