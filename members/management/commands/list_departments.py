from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from members.selectors.departments import list_department_rows


class Command(OrganizationCommand):
    help = "List the departments as their tree reads, with how many people each has."

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> list[dict[str, object]]:
        require(actor, organization, Capability.VIEW_MEMBERS)
        return [
            {"department": row.department.path, "people": row.own, "people_with_under": row.whole}
            for row in list_department_rows(organization)
        ]

    def explain(self, result: list[dict[str, object]]) -> None:
        for row in result:
            self.stdout.write(f"{row['people_with_under']:>8} {row['department']}")
        self.stdout.write(f"{len(result)} department{'' if len(result) == 1 else 's'}.")
