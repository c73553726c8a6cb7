from argparse import ArgumentParser
from typing import Any

from credit.models import LedgerAccount, Transfer
from credit.sealing import LEDGER
from credit.verification import find_differences
from members.management.base import JsonCommand, Refused, find_organization
from members.models import Organization
from members.sealing import broken_seals


class Command(JsonCommand):
    help = "Add up the ledger again from its transfers; exit 1 on any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", metavar="SLUG", help="of this organization; of all unless given")
        parser.add_argument("--seals", action="store_true", help="compute every seal again too")

    def act(self, *, organization: str | None, seals: bool, **options: Any) -> dict[str, object]:
        of = None if organization is None else find_organization(organization)
        within = {} if of is None else {"organization": of}
        result: dict[str, Any] = {
            "transfers": Transfer.objects.filter(**within).count(),
            "accounts": LedgerAccount.objects.filter(**within).count(),
            "differences": [difference.as_dict() for difference in find_differences(of)],
        }
        if seals:
            slugs = dict(Organization.objects.values_list("pk", "slug"))
            result["differences"] += [
                {
                    "organization": slugs[seal.organization],
                    "seal": seal.number,
                    "problem": "The transfers under it are not those that were sealed.",
                }
                for seal in broken_seals(LEDGER, of)
            ]
        if result["differences"]:
            raise Refused("\n".join(_sentence(difference) for difference in result["differences"]), result)
        return result

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['transfers']} transfers of {result['accounts']} accounts add up.")


def _sentence(difference: dict[str, Any]) -> str:
    subject = next(f"{name} {difference[name]}" for name in ("account", "transfer", "seal") if difference.get(name))
    return f"{difference['organization']}, {subject}: {difference['problem']}"
