from typing import Any

from members.access import Actor
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.management.calls import told
from telephony.services.call_queues import rate_waiting_calls


class Command(OrganizationCommand):
    help = "Rate the calls again that had no rate, as after rates were loaded, and charge them."
    nothing_done = {"calls": 0, "waiting": 0, "charged": "0.0000"}

    def act(self, *, organization: Organization, actor: Actor, dry_run: bool, **options: Any) -> dict[str, Any]:
        return told(rate_waiting_calls(actor=actor, organization=organization, dry_run=dry_run))

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write("{calls:,} calls rated, {charged} charged; {waiting:,} have no rate.".format(**result))
