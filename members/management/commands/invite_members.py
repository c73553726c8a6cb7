from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from members.access import Actor, Capability, require
from members.addresses import Mailbox, split_addresses
from members.errors import CannotInvite
from members.importing import Draft, Outcome
from members.invitees import read_invitees, require_personal_accounts
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from members.row_texts import sentence
from members.selectors.batches import count_rows
from members.services import import_work, imports
from members.services.invitations import invite_personal
from skypemgr.characters import printable


class Command(OrganizationCommand):
    help = "Invite people: as members with business accounts, or with personal accounts of their own. All, or nobody."
    nothing_done = {"rows": 0, "created": 0, "skipped": 0, "errors": [], "invited": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "addresses", metavar="ADDRESS", nargs="+", help="an e-mail address; with --personal also a Skype Name"
        )
        parser.add_argument("--personal", action="store_true", help="invite personal accounts, which may decline")

    def act(
        self, *, organization: Organization, actor: Actor, addresses: list[str], personal: bool, **options: Any
    ) -> dict[str, Any]:
        act = self._invite_personal if personal else self._create_business
        return act(organization, actor, addresses, dry_run=options["dry_run"])

    def _create_business(
        self, organization: Organization, actor: Actor, addresses: list[str], *, dry_run: bool
    ) -> dict[str, Any]:
        people = [
            Draft(
                number=number,
                email=mailbox.address or mailbox.raw,
                first_name=mailbox.first_name,
                last_name=mailbox.last_name,
            )
            for number, mailbox in enumerate(_mailboxes(addresses), start=1)
        ]
        batch = imports.start_import_of_people(actor=actor, organization=organization, people=people, key=uuid4())
        counts = count_rows(batch)
        if dry_run or counts.problem or not counts.ready:
            errors = [
                {"row": row.number, "field": problem.get("field") or "row", "message": sentence(problem)}
                for row in batch.rows.filter(outcome=Outcome.PROBLEM).order_by("number")
                for problem in row.problems
            ]
            result = {
                **self.nothing_done,
                "rows": counts.total,
                "skipped": counts.skipped,
                "errors": errors,
            }
            if dry_run:
                result["would_create"] = counts.ready
            imports.discard_batch(actor=actor, organization=organization, batch=batch)
            if counts.problem:
                raise Refused(_reason(errors), result)
            return result
        batch = imports.start_batch(actor=actor, organization=organization, batch=batch)
        import_work.advance_to_the_end(batch)
        counts = count_rows(batch)
        made = batch.rows.filter(outcome=Outcome.DONE).select_related("member__user").order_by("number")
        return {
            "rows": counts.total,
            "created": counts.done,
            "skipped": counts.skipped,
            "errors": [],
            "invited": [
                {"email": row.member.email, "skype_name": row.member.user.skype_name} for row in made if row.member
            ],
        }

    def _invite_personal(
        self, organization: Organization, actor: Actor, addresses: list[str], *, dry_run: bool
    ) -> dict[str, Any]:
        entries = [mailbox.address or mailbox.raw for mailbox in _mailboxes(addresses)]
        result: dict[str, Any] = {**self.nothing_done, "rows": len(entries)}
        try:
            if dry_run:
                require(actor, organization, Capability.MANAGE_MEMBERS)
                require_personal_accounts(organization)
                return {**result, "would_create": len(read_invitees(organization, entries))}
            invitations = invite_personal(actor=actor, organization=organization, people=entries, key=uuid4())
        except CannotInvite as refusal:
            errors = [{"row": None, "field": "address", "message": problem} for problem in refusal.problems]
            raise Refused(_reason(errors), {**result, "errors": errors}) from refusal
        invited = [
            # The address of somebody who was named by Skype Name is theirs to tell.
            {"email": "", "skype_name": invitation.user.skype_name}
            if invitation.user
            else {"email": invitation.email, "skype_name": ""}
            for invitation in invitations
        ]
        skipped = len(entries) - len(invited)
        return {**result, "created": len(invited), "skipped": skipped, "invited": invited}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_create" in result:
            self.stdout.write(f"{result['would_create']} of {result['rows']} people would be invited.")
        else:
            self.stdout.write(f"{result['created']} of {result['rows']} people are invited.")
        if result["skipped"]:
            self.stdout.write(f"{result['skipped']} were skipped: members already, or named twice.")
        for error in result["errors"]:
            self.stdout.write(printable(error["message"]))


def _mailboxes(addresses: list[str]) -> list[Mailbox]:
    return [mailbox for address in addresses for mailbox in split_addresses(address)]


def _reason(errors: list[dict[str, Any]]) -> str:
    return "\n".join(["Nobody was invited.", *(error["message"] for error in errors)])
