from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from telephony.countries import acceptance_of, current_disclaimer
from telephony.services.disclaimers import accept_disclaimer


class Command(OrganizationCommand):
    help = "Accept, for an organization, what using numbers and emergency addresses of a country means."
    nothing_done = {"country": None, "version": None, "accepted_at": None}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--country", required=True, help="its two letters, as FR")

    def act(self, *, organization: Organization, actor: Actor, country: str, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        country = country.upper()
        disclaimer = current_disclaimer(country)
        if disclaimer is None:
            raise Refused(f"There is nothing to accept for {country}.")
        if options["dry_run"]:
            accepted = acceptance_of(organization, disclaimer)
        else:
            accepted = accept_disclaimer(actor=actor, organization=organization, country=country)
        return {
            "country": country,
            "version": disclaimer.version,
            "accepted_at": accepted.accepted_at if accepted else None,
            "text": disclaimer.text_in(organization.language),
        }

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(result["text"])
        state = "Accepted" if result["accepted_at"] else "Not accepted"
        self.stdout.write(f"{state}: version {result['version']} for {result['country']}.")
