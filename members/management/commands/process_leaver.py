from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.acts import keep_an_administrator
from members.leaving import Left, decide, list_left, require_all_allowed, require_leaver, tell_leaving
from members.management.base import OrganizationCommand, Refused, checked, named_member, read_key
from members.models import Member, Organization
from members.services.leavers import process_leaver
from skypemgr.forms import read_reason


class Command(OrganizationCommand):
    help = (
        "Deal with the leaving of somebody with a business account in one step: sign-in is blocked, auto-recharge"
        " turned off, the number taken back, licenses ended, invitations to them taken back. All of it, or nothing."
    )
    nothing_done = {"processed": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="who: a Skype Name, or an address")
        parser.add_argument(
            "--choose",
            metavar="LINE=CHOICE",
            action="append",
            default=[],
            help="what becomes of something, else than is proposed; --dry-run tells lines and choices",
        )
        parser.add_argument("--reason", metavar="TEXT", default="", help="stands in the audit log")
        parser.add_argument("--key", default="", help="a name for this: the same key again does nothing twice")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        member: str,
        choose: list[str],
        reason: str,
        key: str,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_MEMBERS)
        found, reason = named_member(organization, member), checked(read_reason, reason)
        choices = _read(choose)
        result = {"skype_name": found.user.skype_name}
        if dry_run:
            return {**result, "processed": False, "lines": _foresee(organization, actor, found, choices)}
        leaving = process_leaver(
            actor=actor, organization=organization, member=found, key=read_key(key), choices=choices, reason=reason
        )
        told = tell_leaving(organization, leaving)
        lines = [
            {**fact, "label": str(label), "text": text} for fact, (label, text) in zip(leaving.lines, told, strict=True)
        ]
        return {**result, "processed": True, "leaving": leaving.pk, "lines": lines}

    def explain(self, result: dict[str, Any]) -> None:
        if not result["processed"]:
            self.stdout.write(f"{result['skype_name']} would leave:")
        for line in result["lines"]:
            choices = f" [{line['key']}: {', '.join(line['choices'])}]" if line.get("choices") else ""
            self.stdout.write(f"{line['label']}: {line['text']}{choices}")


def _read(choose: list[str]) -> dict[str, str]:
    choices = {}
    for text in choose:
        line, sign, choice = text.partition("=")
        if not sign:
            raise Refused(f"Write “{text}” as LINE=CHOICE.")
        choices[line] = choice
    return choices


def _foresee(
    organization: Organization, actor: Actor, member: Member, choices: dict[str, str]
) -> list[dict[str, object]]:
    require_leaver(actor, member)
    left = list_left(actor, member)
    require_all_allowed(member, left)
    decided = decide(left, choices)
    if member.state == Member.State.ACTIVE:
        keep_an_administrator(organization, leaving=[member.pk])
    return [_foreseen(one, decided) for one in left]


def _foreseen(one: Left, decided: dict[str, str]) -> dict[str, object]:
    line = one.line
    days = {line.days.key: decided[line.days.key]} if line.days is not None and line.days.key in decided else {}
    return {
        "key": line.key,
        "label": str(line.label),
        "value": line.value,
        "text": f"{line.value} {line.note}".strip(),
        "allowed": one.allowed,
        "choices": [choice for choice, _label in line.choices],
        "choice": decided.get(line.key),
        **days,
    }
