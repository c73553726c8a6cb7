"""What the commands have in common: who acts, in which organization, and how they answer."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from members.access import Actor
from members.departments import check_path, join_path, same_path
from members.models import Department, Member, Organization, Tenure, User
from members.selectors.departments import list_departments, subtree
from skypemgr.characters import printable, storable
from skypemgr.errors import DomainError
from skypemgr.plain_json import as_json
from skypemgr.problems import Problem


class Refused(CommandError):
    """The command did nothing, or not all, for a reason that ``result`` (what --json prints) shows in detail."""

    def __init__(self, reason: str, result: object = None) -> None:
        # It often repeats what was given, and goes to a terminal.
        super().__init__("\n".join(map(printable, reason.split("\n"))))
        self.result = result


class JsonCommand(BaseCommand):
    """A command that tells people what it did, or programs with --json: one JSON value on standard output.

    Subclasses write ``act``, which does the work through a service and gives the result, and ``explain``, which
    prints that result for people. A refusal prints ``nothing_done`` and its reason, and exits with 1.
    """

    nothing_done: ClassVar[dict[str, object]] = {}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as one JSON value")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.act(**options)
        except Refused as refusal:
            if refusal.result is None:
                refusal.result = {**self.nothing_done, "error": str(refusal)}
            self._print_json(refusal.result, options)
            raise
        except DomainError as refusal:
            raise self._refused(str(refusal), options) from refusal
        except PermissionDenied as refusal:
            raise self._refused("The actor may not do this.", options) from refusal
        self._print_json(result, options)
        if not options["json"]:
            self.explain(result)

    def act(self, *args: Any, **options: Any) -> object:
        """Do the work and give the result: dicts, lists, texts, numbers, Decimals and datetimes."""
        raise NotImplementedError

    def explain(self, result: Any) -> None:
        """Tell people what was done."""
        raise NotImplementedError

    def _refused(self, reason: str, options: dict[str, Any]) -> Refused:
        result = {**self.nothing_done, "error": reason}
        self._print_json(result, options)
        return Refused(reason, result)

    def _print_json(self, result: object, options: dict[str, Any]) -> None:
        # A refusal is told on standard error; standard output is for programs then.
        if options["json"]:
            text = as_json(result)
            self.stdout.write(text.encode("utf-8", "backslashreplace").decode())


class OrganizationCommand(JsonCommand):
    """A command that acts inside one organization; ``act`` gets ``organization``, ``actor`` and ``dry_run``.

    ``even_closed`` are those that do what the law goes on to ask of a closed one.
    """

    even_closed: ClassVar[bool] = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--organization", metavar="SLUG", help="the organization; may be left out while there is only one"
        )
        parser.add_argument(
            "--actor", metavar="NAME", default="system", help="who acts: a Skype Name, an address, or system"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["organization"] = find_organization(options["organization"], even_closed=self.even_closed)
            options["actor"] = find_actor(options["organization"], options["actor"])
        except Refused as refusal:
            raise self._refused(str(refusal), options) from None
        super().handle(*args, **options)


def find_organization(slug: str | None, *, even_closed: bool = False) -> Organization:
    """The organization of ``slug``, or the only open one. Raises Refused when there is no such one, or it is closed."""
    if slug is None:
        first_two = list(Organization.objects.filter(closed_at=None).order_by("pk")[:2])
        if len(first_two) == 1:
            return first_two[0]
        raise Refused("Name the organization: --organization SLUG.")
    organization = Organization.objects.filter(slug=storable(slug).lower()).first()
    if organization is None:
        raise Refused(f"There is no organization “{slug}”.")
    if organization.closed_at is not None and not even_closed:
        raise Refused(f"{organization.name} was closed on {organization.closed_at:%Y-%m-%d}.")
    return organization


def find_actor(organization: Organization, name: str) -> Actor:
    """Who acts: the system, an active member, or an operator. Raises Refused when it is nobody."""
    if name == "system":
        return Actor.system()
    member = find_member(organization, name)
    if member is not None and member.state == Member.State.ACTIVE:
        return Actor.of_member(member)
    operator = User.objects.named(storable(name)).filter(is_operator=True, is_active=True).first()
    if operator is not None:
        return Actor.operator(operator)
    raise Refused(f"There is no active member “{name}” in {organization.name}.")


def find_member(organization: Organization, name: str) -> Member | None:
    """The member of a Skype Name or an e-mail address, whatever their state; one who is present before one who left."""
    members = Member.objects.of(organization).with_people()
    name = storable(name)
    for match in (members.named(name), members.addressed(name)):
        if found := match.present().first():
            return found
    return members.named(name).first() or members.addressed(name).first()


def find_departments(organization: Organization, path: str) -> list[Department]:
    """The department of a path, and then those under it. Raises Refused when there is no such one."""
    departments = list_departments(organization)
    wanted = same_path(join_path(check_path(path)))
    for department in departments:
        if same_path(department.path) == wanted:
            return subtree(departments, department)
    raise Refused(f"There is no department “{path}”.")


def named_member(organization: Organization, name: str) -> Member:
    """The member that ``find_member`` finds. Raises Refused when there is no such one."""
    found = find_member(organization, name)
    if found is None:
        raise Refused(f"There is no member “{name}” in {organization.name}.")
    return found


def tenure_before(member: Member, number: int) -> Tenure:
    """That of the ``number``-th person, from 1, who had the account of ``member`` before. Raises Refused if none did.

    The refusal lists those who did, by when they had it.
    """
    before = member.predecessors
    if 0 < number <= len(before):
        return before[number - 1]
    listed = "".join(f"\n{place}: until {tenure.ended_at:%Y-%m-%d}" for place, tenure in enumerate(before, start=1))
    raise Refused(f"So many had {member.user.skype_name} before: {len(before)}.{listed}")


def read_key(key: str) -> UUID:
    """The key that a text stands for: a UUID for itself, "" for one that nobody else has."""
    try:
        return UUID(key) if key else uuid4()
    except ValueError:
        return uuid5(NAMESPACE_URL, key)


def checked(check: Callable[[str], str], text: str) -> str:
    """What ``check`` makes of a text that was given. Raises Refused with what it says of one that can't be."""
    try:
        return check(text)
    except Problem as problem:
        raise Refused(str(problem)) from None
