from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.departments import check_path, check_place, join_path, list_tree
from members.management.base import OrganizationCommand, Refused, find_departments
from members.models import Organization
from members.services.departments import add_department


class Command(OrganizationCommand):
    help = "Add a department, at the top or under one that is there."
    nothing_done = {"added": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--department", metavar="PATH", required=True, help="all but its last name is there")

    def act(
        self, *, organization: Organization, actor: Actor, department: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_MEMBERS)
        if not (names := check_path(department)):
            raise Refused("Give the department a name.")
        parent = find_departments(organization, join_path(names[:-1]))[0] if names[1:] else None
        if dry_run:
            check_place(list_tree(organization), join_path(names), height=1)
            return {"department": join_path(names), **self.nothing_done, "would_add": True}
        added = add_department(actor=actor, organization=organization, name=names[-1], parent=parent)
        return {"department": added.path, "added": True}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['department']} {'is there now' if result['added'] else 'would be there'}.")
