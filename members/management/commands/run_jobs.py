from argparse import ArgumentParser
from typing import Any

from members.management.base import JsonCommand
from members.services.jobs import retry_runs, run_due_jobs


class Command(JsonCommand):
    help = "Carry out what is due by the clock, as workers do: cron may call it where there is no beat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--retry", action="store_true", help="try again what was given up after five attempts")

    def act(self, *, retry: bool, **options: Any) -> dict[str, int]:
        """Give back what was given up, with ``retry``, then carry out what is due."""
        retried = retry_runs() if retry else 0
        return {"finished": run_due_jobs(), "retried": retried}

    def explain(self, result: dict[str, int]) -> None:
        """Say how many runs were finished."""
        self.stdout.write(f"{result['finished']} runs are finished.")
