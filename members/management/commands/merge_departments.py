from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.departments import list_tree, merger
from members.management.base import OrganizationCommand, find_departments
from members.models import Organization
from members.services.departments import merge_departments


class Command(OrganizationCommand):
    help = "Make two departments one: the people of the first and the departments under it go along."
    nothing_done = {"merged": 0, "moved": 0}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--department", metavar="PATH", required=True, help="the one that goes")
        parser.add_argument("--into", metavar="PATH", required=True, help="the one that stays")

    def act(
        self, *, organization: Organization, actor: Actor, department: str, into: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        going, staying = (find_departments(organization, path)[0] for path in (department, into))
        result = {"department": going.path, "into": staying.path}
        if dry_run:
            require(actor, organization, Capability.MANAGE_MEMBERS)
            plan = merger(list_tree(organization), going, staying, organization.language)
            return {**result, **self.nothing_done, "would_merge": len(plan.joined)}
        moved = merge_departments(actor=actor, organization=organization, department=going, into=staying)
        return {**result, "merged": 1, "moved": moved}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_merge" in result:
            self.stdout.write(f"{result['department']} would become part of {result['into']}.")
        else:
            self.stdout.write(f"{result['department']} is part of {result['into']} now. People: {result['moved']}.")
