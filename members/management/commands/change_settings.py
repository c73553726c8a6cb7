from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.errors import OwnSecondFactorFirst
from members.factors import has_second_factor
from members.management.base import OrganizationCommand, Refused, checked
from members.models import Organization
from members.models.organizations import LANGUAGES
from members.names import check_company_name
from members.places import time_zone_choices
from members.services.organization_settings import change_organization_settings, change_second_factor_rule

YES_OR_NO = {"yes": True, "no": False}
CHANGEABLE = ("name", "time_zone", "language", "allow_personal_accounts", "show_colleagues")
RULE = "require_second_factor"


class Command(OrganizationCommand):
    help = "Change the settings of an organization; what is left out stays as it is."
    nothing_done = {"changed": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", metavar="NAME", help="of the company")
        parser.add_argument("--time-zone", metavar="ZONE", help="as Europe/Paris; months go by it from the next one on")
        parser.add_argument("--language", choices=[code for code, _name in LANGUAGES], help="of letters and pages")
        parser.add_argument("--allow-personal-accounts", choices=YES_OR_NO, help="whether people may be invited so")
        parser.add_argument("--show-colleagues", choices=YES_OR_NO, help="whether members see who else is one")
        parser.add_argument(
            "--require-second-factor", choices=YES_OR_NO, help="whether administrators need one; who acts must have it"
        )

    def act(self, *, organization: Organization, actor: Actor, dry_run: bool, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_ORGANIZATION)
        names = (*CHANGEABLE, RULE)
        given = {name: YES_OR_NO.get(options[name], options[name]) for name in names if options[name] is not None}
        if "name" in given:
            given["name"] = checked(check_company_name, given["name"])
        if "time_zone" in given and not _is_offered(given["time_zone"]):
            raise Refused(f"There is no time zone “{given['time_zone']}”.")
        now = {name: getattr(organization, name) for name in names}
        changed = [name for name, value in given.items() if value != now[name]]
        if given.get(RULE) and not now[RULE] and actor.user is not None and not has_second_factor(actor.user):
            raise OwnSecondFactorFirst
        if dry_run:
            return {**self.nothing_done, "would_change": changed}
        change_second_factor_rule(actor=actor, organization=organization, required=given.get(RULE, now[RULE]))
        wanted = {name: given.get(name, now[name]) for name in CHANGEABLE}
        change_organization_settings(actor=actor, organization=organization, **wanted)
        return {"changed": changed}

    def explain(self, result: dict[str, Any]) -> None:
        verb = "Would change" if "would_change" in result else "Changed"
        told = ", ".join(name.replace("_", " ") for name in result.get("would_change", result["changed"])) or "nothing"
        self.stdout.write(f"{verb}: {told}.")


def _is_offered(zone: str) -> bool:
    return any(zone == name for _country, zones in time_zone_choices("en") for name, _label in zones)
