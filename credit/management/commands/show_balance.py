from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount
from credit.selectors.history import balance_at
from credit.selectors.inactivity import inactive_since_of
from credit.selectors.statements import account_of_member, account_of_wallet
from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused, find_member
from members.models import Organization
from skypemgr.clock import database_now


class Command(OrganizationCommand):
    help = "Show what the wallet or a member holds, now or at any moment in the past."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--member", metavar="NAME", help="of this member, by Skype Name or address; else the wallet"
        )
        parser.add_argument(
            "--at", metavar="TIME", type=_moment, help="at this moment, as 2026-11-21T14:20:00Z; now unless given"
        )

    def act(
        self, *, organization: Organization, actor: Actor, member: str | None, at: datetime | None, **options: Any
    ) -> dict[str, object]:
        require(actor, organization, Capability.MANAGE_CREDIT)
        now = database_now()
        if at is not None and at > now:
            raise Refused("That moment has not come yet.")
        account, name = _account(organization, member)
        balance, inactive_since = NO_CREDIT, None
        if account is not None:
            balance = balance_at(account, at) if at else account.balance or NO_CREDIT
            inactive_since = None if at else inactive_since_of(account)
        return {
            "balance": balance,
            "currency": organization.currency,
            "member": name,
            "at": at or now,
            "inactive_since": inactive_since,
        }

    def explain(self, result: dict[str, Any]) -> None:
        since = result["inactive_since"]
        inactive = f", inactive since {since:%Y-%m-%d}" if since else ""
        self.stdout.write(f"{result['balance']:.4f} {result['currency']}{inactive}")


def _account(organization: Organization, name: str | None) -> tuple[LedgerAccount | None, str | None]:
    if name is None:
        return account_of_wallet(organization), None
    member = find_member(organization, name)
    if member is None:
        raise Refused(f"There is no member “{name}” in {organization.name}.")
    return account_of_member(organization, member), member.user.skype_name


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no time as 2026-11-21T14:20:00Z.") from None
    if moment.tzinfo is None:
        raise ArgumentTypeError(f"Say in which time zone: “{text}Z” for UTC, or “{text}+01:00”.")
    return moment
