from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from credit.errors import HasLeft
from credit.recharge_plans import Terms
from credit.recharge_texts import recharging_text
from credit.selectors.balances import wallet_balance
from credit.selectors.recharges import State, recharging_of
from credit.services.recharge import set_auto_recharge, stop_auto_recharge
from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused, find_member
from members.models import Member, Organization
from skypemgr.money import read_amount


class Command(OrganizationCommand):
    help = "Recharge a member's account from the wallet whenever it falls below a balance, up to a limit each month."
    nothing_done = {"state": None, "recharged_this_month": None, "suspended_until": None}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whom: a Skype Name or an address")
        parser.add_argument("--amount", help="what a recharge adds")
        parser.add_argument("--below", help="the balance below which it is added")
        parser.add_argument("--monthly-limit", help="the most that is added in a month")
        parser.add_argument("--off", action="store_true", help="recharge them no more")

    def act(self, *, organization: Organization, actor: Actor, **options: Any) -> dict[str, Any]:
        member = find_member(organization, options["member"])
        if member is None:
            raise Refused(f"There is no member “{options['member']}” in {organization.name}.")
        members = Member.objects.filter(pk=member.pk)
        terms = _terms(organization, options)
        if options["dry_run"]:
            require(actor, organization, Capability.MANAGE_CREDIT)
        elif terms is None:
            stop_auto_recharge(actor=actor, organization=organization, members=members)
        else:
            if member.state == Member.State.LEFT:
                raise HasLeft(name=member.user.display_name)
            set_auto_recharge(actor=actor, organization=organization, members=members, **terms.as_facts())
        return _report(organization, member)

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(result["explanation"])


def _terms(organization: Organization, options: dict[str, Any]) -> Terms | None:
    names = ("amount", "below", "monthly_limit")
    if options["off"]:
        if any(options[name] is not None for name in names):
            raise Refused("With --off there is nothing else to say.")
        return None
    if options["dry_run"] and all(options[name] is None for name in names):
        return None
    if missing := [f"--{name.replace('_', '-')}" for name in names if options[name] is None]:
        raise Refused(f"Say {', '.join(missing)} too, or --off.")
    amounts = {name: read_amount(options[name], organization.currency, zero=name == "below") for name in names}
    terms = Terms(**amounts)
    terms.check()
    return terms


def _report(organization: Organization, member: Member) -> dict[str, Any]:
    recharging = recharging_of(organization, member)
    plan = recharging.plan if recharging.state is not State.OFF else None
    with timezone.override(ZoneInfo(organization.time_zone)):
        explanation = recharging_text(recharging, organization, wallet_balance(organization))
    return {
        "member": member.user.skype_name,
        "state": recharging.state,
        "recharged_this_month": recharging.used,
        "suspended_until": recharging.suspended_until,
        "amount": plan.amount if plan else None,
        "below": plan.below if plan else None,
        "monthly_limit": plan.monthly_limit if plan else None,
        "balance": recharging.balance,
        "refusal": plan.refusal if plan else "",
        "explanation": explanation,
    }
