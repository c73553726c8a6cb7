from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import uuid4

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.management.files import opened
from members.models import Organization
from telephony.management.emergency import find_address
from telephony.models import NumberArea
from telephony.port_errors import NumbersWrong
from telephony.port_file import numbers_of_file, read_numbers
from telephony.porting import Letter, PortRequest, check_line
from telephony.services.porting import order_port


class Command(OrganizationCommand):
    help = "Ask to bring the phone numbers of a CSV file along from another carrier: all of them, or none."
    nothing_done = {"order": None, "numbers": [], "errors": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="one column PhoneNumber; - for standard input")
        parser.add_argument("--name", required=True, help="what the order is called")
        parser.add_argument("--country", required=True, help="of the numbers, as FR")
        parser.add_argument("--type", choices=NumberArea.Type.values, default="user", help="what they are for")
        parser.add_argument("--city", default="", help="that they belong to")
        parser.add_argument("--carrier", required=True, help="who has them now")
        parser.add_argument("--account-number", required=True, help="the one of the account with the carrier")
        parser.add_argument("--signed-by", required=True, help="who signed the letter of authorization")
        parser.add_argument("--letter", required=True, type=Path, help="the signed letter: a PDF, PNG or JPEG file")
        parser.add_argument("--emergency-address", metavar="NAME", help="where they will be used, by its name")

    def act(
        self, *, organization: Organization, actor: Actor, file: Path, letter: Path, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        country = options["country"].upper()
        with opened(file) as content:
            written = numbers_of_file(content)
        try:
            numbers = read_numbers(written, country=country, kind=options["type"])
        except NumbersWrong as refusal:
            lines = [str(refusal), *refusal.problems[:50]]
            answer = {**self.nothing_done, "errors": refusal.problems, "error": lines[0]}
            raise Refused("\n".join(lines), answer) from None
        name = options["emergency_address"]
        with opened(letter) as content:
            upload = Letter(name=letter.name, content=content.read())
        request = PortRequest(
            name=check_line(options["name"]),
            numbers=numbers,
            country=country,
            type=options["type"],
            city=check_line(options["city"], required=False),
            carrier=check_line(options["carrier"]),
            account_number=check_line(options["account_number"], 50),
            authorized_by=check_line(options["signed_by"]),
            emergency_address=find_address(organization, name) if name else None,
            letter=upload,
        )
        assert upload.content_type
        if options["dry_run"]:
            return {"order": None, "numbers": numbers, "errors": []}
        order = order_port(actor=actor, organization=organization, request=request, key=uuid4())
        return {"order": order.pk, "state": order.state, "numbers": numbers, "errors": []}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"Order {result['order']}: {len(result['numbers'])} numbers.")
