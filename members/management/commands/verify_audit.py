from argparse import ArgumentParser
from typing import Any

from members.management.base import JsonCommand, Refused, find_organization
from members.models import AuditEntry, AuditSeal, Organization
from members.sealing import AUDIT_LOG, broken_seals


class Command(JsonCommand):
    help = "Compute the seals of the audit logs again from their entries; exit 1 on any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", metavar="SLUG", help="of this organization; of all unless given")

    def act(self, *, organization: str | None, **options: Any) -> dict[str, object]:
        of = None if organization is None else find_organization(organization)
        within = {} if of is None else {"organization": of}
        slugs = dict(Organization.objects.values_list("pk", "slug"))
        result: dict[str, Any] = {
            "entries": AuditEntry.objects.filter(**within).count(),
            "seals": AuditSeal.objects.filter(**within).count(),
            "differences": [
                {
                    "organization": slugs[seal.organization],
                    "seal": seal.number,
                    "problem": "The entries under it are not those that were sealed.",
                }
                for seal in broken_seals(AUDIT_LOG, of)
            ],
        }
        if result["differences"]:
            told = [
                f"{found['organization']}, seal {found['seal']}: {found['problem']}" for found in result["differences"]
            ]
            raise Refused("\n".join(told), result)
        return result

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['entries']} entries are as {result['seals']} seals say.")


def _sentence(difference: dict[str, Any]) -> str:
    return f"{difference['organization']}, seal {difference['seal']}: {difference['problem']}"
