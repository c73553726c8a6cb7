from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from credit.errors import InsufficientCredit
from credit.ledger import account_of
from credit.management.amounts_file import give_by_file, preview_file
from credit.models import LedgerAccount
from credit.selectors.balances import wallet_balance
from credit.services.allocation import allocate_credit
from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused, find_departments, named_member, read_key
from members.management.files import add_encoding
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from skypemgr.characters import printable
from skypemgr.forms import read_reason
from skypemgr.money import read_amount


class Command(OrganizationCommand):
    help = "Give members credit out of the wallet, all the same or as a file says: all of them, or nobody."
    nothing_done = {"members": 0}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--amount", help="how much each of them gets, as 12.50")
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument(
            "--member",
            metavar="NAME",
            action="append",
            help="this one: a Skype Name or an address; may be repeated",
        )
        whom.add_argument("--department", metavar="PATH", help="everybody in this department, or under it")
        whom.add_argument("--all", action="store_true", help="everybody")
        whom.add_argument(
            "--file", metavar="FILE", type=Path, help="a CSV file that says who gets how much; - for standard input"
        )
        add_encoding(parser)
        parser.add_argument("--not-under-it", action="store_true", help="of a department, without those under it")
        parser.add_argument("--key", default="", help="a name for this: the same key again gives nobody anything twice")
        parser.add_argument("--reason", default="", help="why; stands in the statement")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] and (options["amount"] is not None or options["reason"] or options["not_under_it"]):
            raise CommandError("not allowed with --file: --amount, --reason, --not-under-it", returncode=2)
        if not options["file"] and (options["amount"] is None or options["encoding"]):
            raise CommandError("required without --file: --amount; --encoding is not allowed", returncode=2)
        super().handle(*args, **options)

    def act(self, *, file: Path | None, encoding: str | None, **options: Any) -> dict[str, Any]:
        organization, actor = options["organization"], options["actor"]
        require(actor, organization, Capability.MANAGE_CREDIT)
        if file is None:
            return self._each_the_same(**options)
        if options["dry_run"]:
            return preview_file(organization, file, encoding=encoding)
        return give_by_file(organization, actor, file, encoding=encoding, key=read_key(options["key"]))

    def _each_the_same(
        self, *, organization: Organization, actor: Actor, amount: str, key: str, reason: str, **options: Any
    ) -> dict[str, Any]:
        each = read_amount(amount, organization.currency)
        members, asked = _find_members(organization, **options)
        if options["dry_run"]:
            return _forecast(organization, each, members)
        try:
            done = allocate_credit(
                actor=actor,
                organization=organization,
                members=members,
                amount=each,
                key=read_key(key),
                reason=read_reason(reason),
                asked=asked,
            )
        except InsufficientCredit as refusal:
            told = {"members": 0, "amount": each, "wallet": refusal.balance, "error": str(refusal)}
            raise Refused(str(refusal), told) from refusal
        return {"members": done.members, "amount": done.amount, "wallet": done.wallet}

    def explain(self, result: dict[str, Any]) -> None:
        for share in result.get("shares", []):
            reason = f", {share['reason']}" if share["reason"] else ""
            self.stdout.write(printable(f"{share['person']}: {share['amount']:.2f}{reason}"))
        much = f"{result['amount']:.2f} each" if "amount" in result else f"{result['sum']:.2f} in all"
        if "would_get" in result:
            self.stdout.write(f"{result['would_get']} would get {much}.")
        else:
            self.stdout.write(f"{result['members']} got {much}.")
        self.stdout.write(f"The wallet holds {result['wallet']:.2f}.")


def _find_members(
    organization: Organization,
    *,
    member: list[str] | None,
    department: str | None,
    not_under_it: bool,
    **options: Any,
) -> tuple[MemberQuerySet | Sequence[Member], dict[str, object]]:
    """Who is meant, and how that is told from anything else that the same key could be used for."""
    everybody = Member.objects.of(organization).present()
    if member:
        found = {one.pk: one for one in [named_member(organization, name) for name in member]}
        return list(found.values()), {}
    if department:
        departments = find_departments(organization, department)[: 1 if not_under_it else None]
        asked: dict[str, object] = {"department": departments[0].pk, "under": not not_under_it}
        return everybody.filter(department__in=departments), asked
    return everybody, {"all": True}


def _forecast(organization: Organization, each: Any, members: MemberQuerySet | Sequence[Member]) -> dict[str, Any]:
    number, held = len(members), wallet_balance(organization)
    if each * number > held:
        raise InsufficientCredit(
            account=account_of(organization, LedgerAccount.Kind.WALLET),
            balance=held,
            wanted=each * number,
            currency=organization.currency,
        )
    return {"members": 0, "amount": each, "wallet": held, "would_get": number}
