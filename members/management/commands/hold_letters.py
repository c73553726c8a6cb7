from typing import Any

from members.management.base import JsonCommand
from members.services.letters import hold_letters


class Command(JsonCommand):
    help = (
        "Hold every letter that waits, until release_letters: after a restore that can't be noticed, of a disk say. "
        "After pg_restore, and after recovery from the journal, workers do it by themselves."
    )

    def act(self, **options: Any) -> dict[str, int]:
        """Hold them."""
        return {"letters": hold_letters()}

    def explain(self, result: dict[str, int]) -> None:
        """Say how many letters those are."""
        self.stdout.write(f"{result['letters']} letters are held.")
