import uuid
from argparse import ArgumentParser
from typing import Any

from members import addresses, names
from members.access import Actor, Capability, require, require_over
from members.management.base import OrganizationCommand, checked, named_member
from members.models import Organization, User
from members.registry import HandOverPart, registry
from members.services.hand_over import hand_over


class Command(OrganizationCommand):
    help = "Hand a business account over to somebody else, who is invited; whoever has it is signed out at once."
    nothing_done = {"handed_over": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whose: a Skype Name, or an address")
        parser.add_argument("--email", metavar="ADDRESS", required=True, help="of the new person")
        parser.add_argument("--first-name", metavar="NAME", default="", help="of the new person")
        parser.add_argument("--last-name", metavar="NAME", default="", help="of the new person")
        parser.add_argument("--job-title", metavar="TEXT", help="what they do; left out, as whoever had it")
        parser.add_argument(
            "--language",
            default="",
            choices=[value for value, _label in User._meta.get_field("language").flatchoices],
            help="of their pages and letters; left out, that of the organization",
        )

    def act(
        self, *, organization: Organization, actor: Actor, member: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        found = named_member(organization, member)
        given = {
            "email": checked(addresses.normalize_address, options["email"]),
            "first_name": checked(names.check_person_name, options["first_name"]),
            "last_name": checked(names.check_person_name, options["last_name"]),
        }
        title = options["job_title"]
        given["job_title"] = found.job_title if title is None else checked(names.check_job_title, title)
        require(actor, organization, Capability.MANAGE_MEMBERS)
        require_over(actor, found)
        parts = [line for part in registry.all(HandOverPart) for line in part.list(found)]
        result = {
            "skype_name": found.user.skype_name,
            "handed_over": not dry_run,
            "goes_over": {str(label): value for label, value in parts},
        }
        if not dry_run:
            hand_over(
                actor=actor,
                organization=organization,
                member=found,
                language=options["language"],
                key=uuid.uuid4(),
                **given,
            )
        return result

    def explain(self, result: dict[str, Any]) -> None:
        parts = "; ".join(f"{label}: {value}" for label, value in result["goes_over"].items())
        verb = "Handed over" if result["handed_over"] else "Would hand over"
        self.stdout.write(f"{verb} {result['skype_name']}, with what it holds ({parts}), to whoever is invited.")
