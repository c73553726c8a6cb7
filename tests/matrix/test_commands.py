"""The commands that act in one organization reach into no other, and do nothing that their actor may not."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from members.management.base import OrganizationCommand
from tests.matrix.asking import OURS, rolled_back, rows
from tests.matrix.voice import NAMING_OF_VOICE, arguments_of_voice
from tests.matrix.world import OTHER, OWN, TRACE

pytestmark = pytest.mark.usefixtures("db")

COMMANDS = [
    name
    for name, app in get_commands().items()
    if app in OURS and isinstance(load_command_class(app, name), OrganizationCommand)
]


@pytest.fixture
def arguments(world: Any, tmp_path: Path) -> dict[str, list[str]]:
    """How each command is called so that it would do something, or tell something."""
    directory = tmp_path / "directory.csv"
    directory.write_text("E-mail,First name\nanna@people.example,Anna\n")
    addresses = tmp_path / "addresses.csv"
    addresses.write_text(f"{OWN}.guest@people.example,anna@people.example\n")
    return {
        **arguments_of_voice(world.own, tmp_path / "sites.csv"),
        "add_department": ["--department", f"{OWN} süd/New"],
        "assign_role": ["--member", f"{OWN}.plain", "--role", "credit_manager"],
        "block_member": ["--member", f"{OWN}.plain"],
        "change_department": ["--department", f"{OWN} süd", "--name", "South"],
        "change_invitation_addresses": [str(addresses)],
        "change_settings": ["--show-colleagues", "no"],
        "delete_department": ["--department", f"{OWN} süd"],
        "unblock_member": ["--member", f"{OWN}.stopped"],
        "add_credit": ["--amount", "50", "--reference", "statement 7"],
        "allocate_credit": ["--amount", "1.00", "--member", f"{OWN}.plain"],
        "erase_member": ["--member", f"{OWN}.gone"],
        "export_member_data": ["--member", f"{OWN}.plain"],
        "change_member": ["--member", f"{OWN}.plain", "--job-title", "Pilot"],
        "process_leaver": ["--member", f"{OWN}.plain"],
        "hand_over": ["--member", f"{OWN}.plain", "--email", "anna@people.example"],
        "import_members": [str(directory)],
        "invite_members": ["anna@people.example"],
        "list_departments": [],
        "list_members": [],
        "merge_departments": ["--department", f"{OWN} süd", "--into", f"{OWN} ost"],
        "resend_invitations": [],
        "send_password_letter": ["--member", f"{OWN}.plain"],
        "show_balance": [],
        "set_auto_recharge": [
            *("--member", f"{OWN}.plain", "--amount", "20"),
            *("--below", "5", "--monthly-limit", "60"),
        ],
    }


# Each option that names an object, and how it names one of a company.
NAMING: dict[str, list[tuple[str, Any]]] = {
    **NAMING_OF_VOICE,
    "allocate_credit": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "erase_member": [
        ("--member", lambda side: side.gone.user.skype_name),
        ("--member", lambda side: side.gone.email),
    ],
    "export_member_data": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "process_leaver": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "hand_over": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "change_member": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--department", lambda side: side.empty.path),
    ],
    "assign_role": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "block_member": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "change_department": [
        ("--department", lambda side: side.empty.path),
        ("--under", lambda side: side.spare.path),
    ],
    "delete_department": [
        ("--department", lambda side: side.empty.path),
        ("--successor", lambda side: side.spare.path),
    ],
    "unblock_member": [
        ("--member", lambda side: side.stopped.user.skype_name),
        ("--member", lambda side: side.stopped.email),
    ],
    "merge_departments": [
        ("--department", lambda side: side.empty.path),
        ("--into", lambda side: side.spare.path),
    ],
    "send_password_letter": [
        ("--member", lambda side: side.careful.user.skype_name),
        ("--member", lambda side: side.careful.email),
    ],
    "list_members": [("--department", lambda side: side.empty.path)],
    "resend_invitations": [
        ("--member", lambda side: side.waiting.user.skype_name),
        ("--member", lambda side: side.waiting.email),
        ("--member", lambda side: side.personal_invitation.email),
    ],
    "show_balance": [
        ("--member", lambda side: side.plain.user.skype_name),
        ("--member", lambda side: side.plain.email),
    ],
    "set_auto_recharge": [
        ("--member", lambda side: side.plain.user.skype_name),
        ("--member", lambda side: side.plain.email),
    ],
}


def run(name: str, *arguments: str) -> tuple[str, str]:
    """What a command says, and why it refused, or ""."""
    out = io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=out, stderr=out)
    except CommandError as refusal:
        return out.getvalue(), str(refusal)
    return out.getvalue(), ""


def test_every_command_of_an_organization_is_tried(arguments):
    assert set(arguments) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_tells_and_changes_nothing_of_another_organization(world, arguments, name):
    theirs = world.other.organization
    before = set(theirs.batches.values_list("pk", "state"))

    with rolled_back():
        said, refusal = run(name, *arguments[name], "--organization", OWN)
        theirs.refresh_from_db()
        assert set(theirs.batches.values_list("pk", "state")) == before

    assert refusal == ""
    assert said
    assert not TRACE.search(said)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("actor", ["administrator", "plain", "blocked", "nobody"])
def test_nobody_of_another_organization_acts(world, arguments, name, actor):
    who = "nobody.at.all" if actor == "nobody" else getattr(world.other, actor).user.skype_name
    before = rows()

    said, refusal = run(name, *arguments[name], "--organization", OWN, "--actor", who)

    assert refusal == f"There is no active member “{who}” in {world.own.organization.name}."
    assert rows() == before
    assert not TRACE.search(said.replace(who, ""))


@pytest.mark.parametrize("name", COMMANDS)
def test_an_actor_without_the_capability_is_refused(world, arguments, name):
    before = rows()

    with rolled_back():
        _said, refusal = run(name, *arguments[name], "--organization", OWN, "--actor", world.own.member.user.skype_name)

    assert refusal == "The actor may not do this."
    assert rows() == before


@pytest.mark.parametrize(("name", "place"), [(name, place) for name in NAMING for place in range(len(NAMING[name]))])
def test_an_object_of_another_organization_is_not_found(world, arguments, name, place):
    option, naming = NAMING[name][place]
    foreign = naming(world.other)
    before = rows()

    said, refusal = run(name, *arguments[name], option, foreign, "--organization", OWN)

    assert foreign in refusal
    assert rows() == before
    assert not TRACE.search(said.replace(foreign, "").replace(foreign.replace('"', '\\"'), ""))
    with rolled_back():
        assert run(name, *arguments[name], option, naming(world.own), "--organization", OWN)[1] == ""


def test_a_file_of_amounts_gives_nobody_of_another_organization_any(world, tmp_path):
    file, before = tmp_path / "amounts.csv", rows()

    def give(side, *words):
        file.write_text(f"E-mail,Amount\n{side.plain.email},1.00\n")
        return run("allocate_credit", "--file", str(file), "--organization", OWN, *words)

    said, refusal = give(world.other)
    assert f"There is no member {world.other.plain.email}." in refusal
    assert not TRACE.search(said.replace(world.other.plain.email, ""))
    assert give(world.own, "--actor", world.own.member.user.skype_name)[1] == "The actor may not do this."
    assert rows() == before
    with rolled_back():
        assert give(world.own)[1] == ""


def test_a_file_of_addresses_changes_no_invitation_of_another_organization(world, tmp_path):
    file, before = tmp_path / "addresses.csv", rows()

    def change(side):
        file.write_text(f"{side.invitation.email},anna@people.example\n")
        return run("change_invitation_addresses", str(file), "--organization", OWN)

    with rolled_back():
        said, refusal = change(world.other)
        assert f"There is no invitation to {world.other.invitation.email}." in refusal
        assert not TRACE.search(said.replace(world.other.invitation.email, ""))
    assert rows() == before
    with rolled_back():
        assert change(world.own)[1] == ""


def test_an_organization_that_is_not_named_is_not_guessed(world, arguments):
    for name in COMMANDS:
        assert run(name, *arguments[name])[1] == "Name the organization: --organization SLUG."
        assert OTHER not in run(name, *arguments[name])[0]
