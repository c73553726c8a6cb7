from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.departments import check_path
from members.errors import DepartmentNotEmpty
from members.management.base import OrganizationCommand, Refused, find_departments
from members.models import Organization
from members.services.departments import delete_department


class Command(OrganizationCommand):
    help = "Delete a department under which no others lie; its people go to another one, or to none."
    nothing_done = {"deleted": False, "moved": 0}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--department", metavar="PATH", required=True, help="the one that goes")
        parser.add_argument("--successor", metavar="PATH", default="", help="where its people go; none if left out")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        department: str,
        successor: str,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_MEMBERS)
        going, *under = find_departments(organization, department)
        staying = find_departments(organization, successor)[0] if check_path(successor) else None
        if staying == going:
            raise Refused("Its people can’t go to the department that is deleted.")
        result = {"department": going.path, "successor": staying.path if staying else ""}
        if dry_run:
            if under:
                raise DepartmentNotEmpty
            return {**result, **self.nothing_done, "would_move": going.members.count()}
        moved = delete_department(actor=actor, organization=organization, department=going, successor=staying)
        return {**result, "deleted": True, "moved": moved}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_move" in result:
            self.stdout.write(f"{result['department']} would be deleted. People: {result['would_move']}.")
        else:
            self.stdout.write(f"{result['department']} is deleted. People: {result['moved']}.")
