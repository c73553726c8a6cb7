from argparse import ArgumentParser
from itertools import chain
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, find_departments
from members.models import Member, Organization
from members.selectors.member_facts import facts_of
from members.selectors.members import BY_NAME, for_list
from skypemgr.lists import keyset_chunks


class Command(OrganizationCommand):
    help = "List members by name, with their state, role and balance."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--department", metavar="PATH", help="only those in this department, or under it")
        parser.add_argument("--state", choices=Member.State.values, help="only those in this state")

    def act(
        self, *, organization: Organization, actor: Actor, department: str | None, state: str | None, **options: Any
    ) -> list[dict[str, object]]:
        require(actor, organization, Capability.VIEW_MEMBERS)
        members = Member.objects.of(organization)
        if state:
            members = members.filter(state=state)
        if department:
            members = members.filter(department__in=find_departments(organization, department))
        chunks = keyset_chunks(for_list(members), order=BY_NAME)
        return list(chain.from_iterable(facts_of(organization, some) for some in chunks))

    def explain(self, result: list[dict[str, object]]) -> None:
        for row in result:
            self.stdout.write(
                f"{row['skype_name']:<32} {row['state']:<8} {row['role']:<16} "
                f"{row['first_name']} {row['last_name']} <{row['email']}>"
            )
        self.stdout.write(f"{len(result)} member{'' if len(result) == 1 else 's'}.")
