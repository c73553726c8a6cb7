from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require_even_closed, require_over
from members.errors import StateForbids
from members.management.base import OrganizationCommand, named_member, tenure_before
from members.models import Organization
from members.services.erasure import erase_member, is_gone
from members.services.predecessors import erase_predecessor


class Command(OrganizationCommand):
    help = "Forget who a member was who has left, or was in an organization that is closed; it can't be undone."
    nothing_done = {"erased": False}
    even_closed = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whom: a Skype Name, or an address")
        parser.add_argument(
            "--before", metavar="NUMBER", type=int, help="whoever had that account before instead; 1 is the first"
        )

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        member: str,
        before: int | None,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require_even_closed(actor, organization, Capability.MANAGE_MEMBERS)
        found = named_member(organization, member)
        require_over(actor, found)
        tenure = None if before is None else tenure_before(found, before)
        if tenure is None and not is_gone(organization, found):
            raise StateForbids(state=found.get_state_display())
        named: dict[str, Any] = {"skype_name": found.user.skype_name}
        if tenure is not None:
            named["before"] = before
        if dry_run:
            return {**named, **self.nothing_done, "would_erase": True}
        if tenure is not None:
            erase_predecessor(actor=actor, organization=organization, tenure=tenure)
            return {**named, "erased": True}
        erased = erase_member(actor=actor, organization=organization, member=found)
        return {"skype_name": erased.user.skype_name, "erased": True}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_erase" in result:
            whom = "Who had {} before" if "before" in result else "{}"
            self.stdout.write(f"{whom.format(result['skype_name'])} would be forgotten.")
        elif "before" in result:
            self.stdout.write(f"Forgotten who had {result['skype_name']} before.")
        else:
            self.stdout.write(f"Forgotten, and called {result['skype_name']} from now on.")
