from argparse import ArgumentParser
from typing import Any

from members.management.base import JsonCommand
from members.services.letters import settle_held_letters


class Command(JsonCommand):
    help = "Send the letters that are held since the data were restored, or take them back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cancel", action="store_true", help="take them back: they have gone before")

    def act(self, *, cancel: bool, **options: Any) -> dict[str, Any]:
        """Let them leave, or cancel them."""
        return {"letters": settle_held_letters(cancel=cancel), "canceled": cancel}

    def explain(self, result: dict[str, Any]) -> None:
        """Say how many letters those are."""
        self.stdout.write(f"{result['letters']} letters {'are taken back' if result['canceled'] else 'leave now'}.")
