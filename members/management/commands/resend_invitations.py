from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import OrganizationCommand, Refused, find_member
from members.models import Invitation, Member, Organization, User
from members.services.invitations import resend_invitations
from skypemgr.characters import storable


class Command(OrganizationCommand):
    help = "Send invitations that wait for an answer again, with new links; without --member all of them."
    nothing_done = {"resent": 0, "members": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--member",
            metavar="NAME",
            action="append",
            default=[],
            help="only to this one: a Skype Name or an address; may be repeated",
        )

    def act(
        self, *, organization: Organization, actor: Actor, member: list[str], dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        waiting = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
        if member:
            waiting = waiting.filter(pk__in=[_find_invitation(organization, name).pk for name in member])
        invitations = list(waiting.select_related("member__user", "user").order_by("pk"))
        result = {"resent": 0, "members": [_name(invitation) for invitation in invitations]}
        if dry_run:
            return {**result, "would_resend": len(invitations)}
        result["resent"] = resend_invitations(
            actor=actor, organization=organization, invitations=[invitation.pk for invitation in invitations]
        )
        return result

    def explain(self, result: dict[str, Any]) -> None:
        if "would_resend" in result:
            self.stdout.write(f"{result['would_resend']} invitations would be sent again.")
        else:
            self.stdout.write(f"{result['resent']} invitations are sent again. Earlier links no longer work.")


def _find_invitation(organization: Organization, name: str) -> Invitation:
    waiting = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    name = storable(name)
    member = find_member(organization, name)
    if member is not None and member.state == Member.State.INVITED:
        found = waiting.filter(member=member).first()
    elif "@" in name:
        found = waiting.addressed(name).first()
    else:
        found = waiting.filter(user__in=User.objects.named(name)).first()
    if found is None:
        raise Refused(f"No invitation waits for “{name}”.")
    return found


def _name(invitation: Invitation) -> str:
    user = invitation.member.user if invitation.member else invitation.user
    return user.skype_name if user else invitation.email
