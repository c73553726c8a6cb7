from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused, checked
from members.models import Organization
from skypemgr.forms import read_reason
from telephony.emergency import check_address_name
from telephony.gateways.address_validators import address_validator
from telephony.management.emergency import NOTHING, lines_of, told, why_rejected
from telephony.services.emergency_addresses import add_emergency_address
from telephony.validation import FIELDS, Civic

# Where what was typed may be wanted, and not a correction.
KEPT = ["city", "street"]


class Command(OrganizationCommand):
    help = "Validate an emergency address and save it under a name, corrected where it surely was meant otherwise."
    nothing_done = NOTHING

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, help="to find it again; not part of the address")
        parser.add_argument("--country", required=True, help="its two letters, as FR")
        parser.add_argument("--company-name", default="", help="who is found there")
        parser.add_argument("--house-number", default="", help="as 12 or 12 bis")
        parser.add_argument("--street", default="", help="without the number")
        parser.add_argument("--city", default="", help="the city of the postal code")
        parser.add_argument("--region", default="", help="state or region")
        parser.add_argument("--postal-code", default="", help="as it is written in that country")
        parser.add_argument("--latitude", default="", help="as 48.8606")
        parser.add_argument("--longitude", default="", help="as 2.3376")
        parser.add_argument(
            "--keep", action="append", choices=KEPT, default=[], help="keep this as typed; may be repeated"
        )
        parser.add_argument("--reason", default="", help="save it although it is rejected; administrators alone")
        parser.add_argument("--validate-only", action="store_true", help="say what comes of it, and save nothing")

    def act(
        self, *, organization: Organization, actor: Actor, name: str, keep: list[str], reason: str, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        name = checked(check_address_name, name)
        result = address_validator().validate(Civic.of({field: options[field] for field in FIELDS}), keep=keep)
        answer = told(name, result)
        if not result.accepted and not reason:
            text = why_rejected(result)
            raise Refused(text, {**answer, "error": text})
        if options["validate_only"] or options["dry_run"]:
            return answer
        add_emergency_address(
            actor=actor, organization=organization, name=name, result=result, reason=read_reason(reason)
        )
        return answer

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['address']['name']}: {result['status']}.")
        for line in lines_of(result):
            self.stdout.write(line)
