from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.selectors.readiness import REASONS, NotReady, readiness_of


class Command(OrganizationCommand):
    help = "List everybody with Phone System who could not be found in an emergency, and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", choices=list(REASONS), default="", help="only those who have this one")

    def act(self, *, organization: Organization, actor: Actor, reason: str, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        asked = readiness_of(organization, reason)
        found = [_facts(one) for members in asked.chunks() for one in asked.explain(members)]
        return {"people": len(found), "rows": found}

    def explain(self, result: dict[str, Any]) -> None:
        for row in result["rows"]:
            why = "; ".join(str(REASONS[reason]) for reason in row["reasons"])
            self.stdout.write("\t".join([row["member"], row["number"] or "", row["emergency_address"] or "", why]))
        if not result["rows"]:
            self.stdout.write("Everybody can be found.")


def _facts(one: NotReady) -> dict[str, Any]:
    has = one.assignment
    return {
        "member": one.member.user.skype_name,
        "state": one.member.state,
        "number": has.number.number if has else None,
        "emergency_address": has.emergency_address.name if has else None,
        "reasons": list(one.reasons),
    }
