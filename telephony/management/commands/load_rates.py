from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from members.access import Actor
from members.management.base import JsonCommand, Refused, find_organization
from members.management.files import opened
from telephony.management.rows import tell_wrong_rows
from telephony.rate_file import open_rates
from telephony.rating import MOST_DECIMALS
from telephony.services.rates import load_rates


class Command(JsonCommand):
    help = (
        "Load what calls cost from a CSV file with the columns prefix, destination, per_minute, currency and"
        " valid_from, as the next version of the rate deck."
    )
    nothing_done = {"rates": 0, "prefixes": 0, "decks": [], "errors": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file; - for standard input")
        parser.add_argument(
            "--organization", metavar="SLUG", help="the rates of this organization, which stand over those of all"
        )
        parser.add_argument(
            "--decimals",
            type=int,
            choices=range(MOST_DECIMALS + 1),
            default=MOST_DECIMALS,
            help="to how many decimals what a call costs is rounded up",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

    def act(
        self, *, file: Path, organization: str | None, decimals: int, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        with opened(file) as binary:
            loaded = load_rates(
                actor=Actor.system(),
                rows=open_rates(binary).rows(),
                organization=None if organization is None else find_organization(organization),
                decimals=decimals,
                file_name="" if str(file) == "-" else file.name,
                dry_run=dry_run,
            )
        decks = [asdict(deck) for deck in loaded.decks]
        rates, prefixes = (sum(deck[name] for deck in decks) for name in ("rates", "prefixes"))
        result: dict[str, Any] = {
            "rates": 0 if dry_run else rates,
            "prefixes": 0 if dry_run else prefixes,
            "decks": decks,
            "errors": [error._asdict() for error in loaded.errors],
        }
        if dry_run:
            result |= {"would_load": rates}
        if loaded.errors:
            raise Refused(tell_wrong_rows(result["errors"]), result)
        return result

    def explain(self, result: dict[str, Any]) -> None:
        for deck in result["decks"]:
            counts = "{currency}: {rates:,} rates of {prefixes:,} prefixes".format(**deck)
            if not deck["new"]:
                self.stdout.write(f"{counts}, as version {deck['version']} has them.")
                continue
            differs = "{added:,} added, {changed:,} changed, {removed:,} removed".format(**deck)
            would = "would be version" if "would_load" in result else "version"
            self.stdout.write(f"{counts}, {would} {deck['version']}: {differs}.")
