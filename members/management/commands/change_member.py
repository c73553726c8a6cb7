from argparse import ArgumentParser
from typing import Any

from members import addresses, names
from members.access import Actor, Capability, require, require_over
from members.departments import check_path, join_path
from members.management.base import OrganizationCommand, checked, find_departments, named_member
from members.models import Organization, User
from members.services.members import change_member

CHECKS = {
    "first_name": names.check_person_name,
    "last_name": names.check_person_name,
    "job_title": names.check_job_title,
    "email": addresses.normalize_address,
}


class Command(OrganizationCommand):
    help = "Change the profile of a member; what is left out stays as it is."
    nothing_done = {"changed": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whose: a Skype Name, or an address")
        parser.add_argument("--first-name", metavar="NAME", help="of a business account")
        parser.add_argument("--last-name", metavar="NAME", help="of a business account")
        parser.add_argument("--email", metavar="ADDRESS", help="where the organization knows somebody who has joined")
        parser.add_argument("--job-title", metavar="TEXT", help='what they do; "" for nothing')
        parser.add_argument("--department", metavar="PATH", help='one that is there; "" for none')
        parser.add_argument(
            "--language",
            choices=[value for value, _label in User._meta.get_field("language").flatchoices],
            help='of a business account; "" for that of the organization',
        )

    def act(
        self, *, organization: Organization, actor: Actor, member: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        found = named_member(organization, member)
        given = {name: checked(check, options[name]) for name, check in CHECKS.items() if options[name] is not None}
        if options["language"] is not None:
            given["language"] = options["language"]
        department = found.department
        if options["department"] is not None:
            names_of_path = check_path(options["department"])
            department = find_departments(organization, join_path(names_of_path))[0] if names_of_path else None
        now = {name: getattr(found if name in ("email", "job_title") else found.user, name) for name in given}
        changed = [name for name, value in given.items() if value != now[name]]
        changed += ["department"] if department != found.department else []
        result = {"skype_name": found.user.skype_name, "changed": changed}
        if dry_run:
            require(actor, organization, Capability.MANAGE_MEMBERS)
            require_over(actor, found)
            return {"skype_name": found.user.skype_name, "changed": [], "would_change": changed}
        change_member(actor=actor, organization=organization, member=found, department=department, **given)
        return result

    def explain(self, result: dict[str, Any]) -> None:
        verb, what = "changed", result["changed"]
        if "would_change" in result:
            verb, what = "would change", result["would_change"]
        told = ", ".join(name.replace("_", " ") for name in what) or "nothing"
        self.stdout.write(f"{result['skype_name']}: {verb} {told}.")
