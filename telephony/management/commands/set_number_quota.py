from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from skypemgr.forms import read_reason
from telephony.quotas import quota_of
from telephony.services.quotas import set_number_quota


class Command(OrganizationCommand):
    help = "Let an organization have so many phone numbers, whatever its licenses; for those who run the installation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        how_many = parser.add_mutually_exclusive_group(required=True)
        how_many.add_argument("--numbers", type=_count, help="so many")
        how_many.add_argument("--by-licenses", action="store_true", help="as its licenses say again")
        parser.add_argument("--reason", required=True, help="why; stands in the log")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        numbers: int | None,
        reason: str,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.RUN_INSTALLATION)
        if dry_run:
            quota = quota_of(organization)
            return {"quota": quota.allowed, "would_be": quota.computed if numbers is None else numbers}
        quota = set_number_quota(actor=actor, organization=organization, numbers=numbers, reason=read_reason(reason))
        return {"quota": quota.allowed, "can_acquire": quota.can_acquire}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result.get('would_be', result['quota'])} numbers.")


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 1_000_000:
        raise ValueError
    return number
