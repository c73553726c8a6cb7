import json
from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

OURS = ("skypemgr", "members", "credit", "telephony", "reports")
# Options that Django gives to every command say nothing about this one.
DJANGO_OPTIONS = frozenset(option for option in vars(BaseCommand().create_parser("", "").parse_args([])))
FILE = settings.BASE_DIR / "docs" / "commands.json"


def describe_commands() -> dict[str, Any]:
    """Every command of ours: what it does, its arguments, and the keys of its ``--json`` answer where it names them."""
    own = {app.name for app in apps.get_app_configs() if app.name in OURS}
    return {name: _describe(app, name) for name, app in sorted(get_commands().items()) if app in own}


def _describe(app: str, name: str) -> dict[str, Any]:
    command = load_command_class(app, name)
    return {"does": command.help, "arguments": _arguments(command.create_parser("manage.py", name))}


def _arguments(parser: ArgumentParser) -> list[dict[str, Any]]:
    return [
        {
            "name": action.option_strings[-1] if action.option_strings else action.dest,
            "takes": _takes(action),
            "required": bool(action.required),
            "help": action.help or "",
        }
        for action in parser._actions
        if action.dest not in DJANGO_OPTIONS and action.dest not in {"help", "version"}
    ]


def _takes(action: Any) -> str:
    if action.nargs == 0:
        return ""
    if action.choices:
        return "|".join(map(str, action.choices))
    metavar = action.metavar or action.dest.upper()
    return f"{metavar}…" if action.nargs in {"+", "*"} else str(metavar)


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Write docs/commands.json, the list of our commands with their arguments."

    def handle(self, **options: Any) -> None:
        FILE.write_text(json.dumps(describe_commands(), indent=2, ensure_ascii=False) + "\n")
        self.stdout.write("docs/commands.json is up to date.")
