from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from members.access import Actor
from members.management.base import OrganizationCommand, Refused
from members.management.files import opened
from members.models import Organization
from telephony.call_files import FORMATS, clock_of, read_calls
from telephony.management.rows import tell_wrong_rows
from telephony.models.calls import LONGEST_SOURCE
from telephony.services.calls import import_calls


class Command(OrganizationCommand):
    help = (
        "Import calls from a file that a switch or a carrier wrote: rated, charged and added up. Calls that are known"
        " already are left alone."
    )
    nothing_done = {
        "rows": 0,
        "added": 0,
        "duplicates": 0,
        "unassigned": 0,
        "unrated": 0,
        "charged": "0.0000",
        "errors": [],
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="the file; - for standard input")
        parser.add_argument("--format", required=True, choices=list(FORMATS), help="who wrote it")
        parser.add_argument(
            "--time-zone", metavar="ZONE", default="UTC", help="the time zone of moments that name none"
        )
        parser.add_argument(
            "--source",
            metavar="NAME",
            help="the switch or carrier that it is from, within which the ids of calls are unique; else the format",
        )

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        dry_run: bool,
        file: Path,
        format: str,  # noqa: A002
        time_zone: str,
        source: str | None,
        **options: Any,
    ) -> dict[str, Any]:
        try:
            clock = clock_of(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Refused(f"There is no time zone “{time_zone}”.") from None
        source = (source or format).strip()
        if not 0 < len(source) <= LONGEST_SOURCE:
            raise Refused(f"The name of a source has 1 to {LONGEST_SOURCE} characters.")
        with opened(file) as binary:
            imported = import_calls(
                actor=actor,
                organization=organization,
                rows=read_calls(binary, named=format, clock=clock),
                source=source,
                format=format,
                file_name="" if str(file) == "-" else file.name,
                dry_run=dry_run,
            )
        result: dict[str, Any] = {
            "rows": imported.rows,
            "added": 0 if dry_run else imported.added,
            "duplicates": imported.duplicates,
            "unassigned": imported.unassigned,
            "unrated": imported.unrated,
            "charged": imported.charged,
            "currency": organization.currency,
            "errors": [error._asdict() for error in imported.errors],
        }
        if dry_run:
            result |= {"would_add": imported.added}
        if imported.wrong == imported.rows > 0:
            raise Refused(tell_wrong_rows(result["errors"]), result)
        if imported.wrong:
            # What could be read is imported all the same: nothing of a feed is lost for one line of it.
            self.stderr.write(tell_wrong_rows(result["errors"]))
        return result

    def explain(self, result: dict[str, Any]) -> None:
        if "would_add" in result:
            self.stdout.write(f"Would add {result['would_add']:,} calls.")
        self.stdout.write(
            "{added:,} calls added, {duplicates:,} known already; charged {charged} {currency}.".format(**result)
        )
        if result["unassigned"] or result["unrated"]:
            self.stdout.write("{unassigned:,} are nobody’s, {unrated:,} have no rate.".format(**result))
