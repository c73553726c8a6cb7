from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import JsonCommand, Refused, find_actor, find_member, find_organization
from members.models import User
from members.services.factors import reset_personal_second_factor, reset_second_factor


class Command(JsonCommand):
    help = "Take the second factor from somebody who has lost theirs; their sessions end, and a letter tells them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whose: a Skype Name, or an address")
        parser.add_argument(
            "--organization", metavar="SLUG", help="where they are a member; left out for a personal account anywhere"
        )
        parser.add_argument(
            "--actor", metavar="NAME", default="system", help="who acts: a Skype Name, an address, or system"
        )

    def act(self, *args: Any, **options: Any) -> object:
        if options["organization"] is None:
            user = User.objects.named(options["member"]).filter(kind=User.Kind.PERSONAL).first()
            if user is None:
                raise Refused(f"There is no personal account “{options['member']}”. Name the organization of others.")
            if options["actor"] != "system":
                raise Refused("Only the system acts outside of an organization.")
            reset_personal_second_factor(actor=Actor.system(), user=user)
            return {"skype_name": user.skype_name, "reset": True}
        organization = find_organization(options["organization"])
        member = find_member(organization, options["member"])
        if member is None:
            raise Refused(f"There is no member “{options['member']}” in {organization.name}.")
        actor = find_actor(organization, options["actor"])
        reset_second_factor(actor=actor, organization=organization, member=member)
        return {"skype_name": member.user.skype_name, "reset": True}

    def explain(self, result: Any) -> None:
        self.stdout.write(f"{result['skype_name']} signs in with the password alone, and is signed out everywhere.")
