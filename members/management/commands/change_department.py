from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.departments import check_path, join_path, names_of
from members.management.base import OrganizationCommand, Refused, checked, find_departments
from members.models import Organization
from members.names import check_department_name
from members.services.departments import change_department


class Command(OrganizationCommand):
    help = "Rename a department, or put it with all that lies under it elsewhere."
    nothing_done = {"changed": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--department", metavar="PATH", required=True, help="which")
        parser.add_argument("--name", metavar="NAME", help="what it is called from now on")
        parser.add_argument("--under", metavar="PATH", help='the one it is part of from now on; "" for none')

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        department: str,
        name: str | None,
        under: str | None,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_MEMBERS)
        found = find_departments(organization, department)[0]
        parent = found.parent
        if under is not None:
            parent = find_departments(organization, under)[0] if check_path(under) else None
        name = found.name if name is None else checked(check_department_name, name)
        if not name:
            raise Refused("Give the department a name.")
        result = {"department_before": found.path}
        if dry_run:
            place = join_path([*(names_of(parent.path) if parent else []), name])
            return {**result, "department": place, **self.nothing_done, "would_change": place != found.path}
        changed = change_department(actor=actor, organization=organization, department=found, name=name, parent=parent)
        return {**result, "department": changed.path, "changed": changed.path != result["department_before"]}

    def explain(self, result: dict[str, Any]) -> None:
        verb = "would be" if "would_change" in result else "is"
        self.stdout.write(f"{result['department_before']} {verb} {result['department']} now.")
