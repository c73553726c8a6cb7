from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.quotas import quota_of


class Command(OrganizationCommand):
    help = "Show how many phone numbers for people the organization may have, and has."

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        quota = quota_of(organization)
        return {
            "licenses": quota.licenses,
            "quota": quota.allowed,
            "owned": quota.owned,
            "held": quota.held,
            "can_acquire": quota.can_acquire,
            "set_by_operator": quota.set is not None,
        }

    def explain(self, result: dict[str, Any]) -> None:
        held = f", {result['held']} held" if result["held"] else ""
        self.stdout.write(
            f"{result['licenses']} licenses make {result['quota']} numbers: {result['owned']} owned{held},"
            f" {result['can_acquire']} can be acquired."
        )
