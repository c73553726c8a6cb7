from typing import Any

from members.management.base import JsonCommand
from members.services.letters import retry_letters


class Command(JsonCommand):
    help = "Try again the letters that were given up since each of their senders died."

    def act(self, **options: Any) -> dict[str, int]:
        """Put them back into the outbox; workers send them."""
        return {"letters": retry_letters()}

    def explain(self, result: dict[str, int]) -> None:
        """Say how many letters those are."""
        self.stdout.write(f"{result['letters']} letters wait again.")
