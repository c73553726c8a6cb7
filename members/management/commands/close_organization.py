from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from members.access import Actor
from members.management.base import JsonCommand, Refused, find_organization
from members.registry import ClosingStep, registry
from members.services.closing import ask_to_close
from members.services.closing_work import finish_closing
from skypemgr.clock import database_now


class Command(JsonCommand):
    help = "Close an organization for good: after CLOSING_DAYS, at a moment, or now."
    nothing_done = {"closes_at": None, "closed": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the organization")
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--at", metavar="TIME", help="when, as 2027-01-31T18:00, in its time zone")
        when.add_argument("--now", action="store_true", help="at once, with no time to call it off")
        parser.add_argument("--anyway", action="store_true", help="also when something should end first: it is stopped")
        parser.add_argument("--dry-run", action="store_true", help="say what stands in the way, and change nothing")

    def act(
        self, *, slug: str, at: str | None, now: bool, anyway: bool, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        organization = find_organization(slug)
        closes_at = database_now() if now else _read(at, ZoneInfo(organization.time_zone))
        if dry_run:
            steps = registry.all(ClosingStep)
            problems = [obstacle.text for step in steps for obstacle in step.obstacles(organization)]
            return {"slug": organization.slug, **self.nothing_done, "stands_in_the_way": problems}
        organization = ask_to_close(
            actor=Actor.system(),
            organization=organization,
            name=organization.name,
            closes_at=closes_at,
            despite_obstacles=anyway,
        )
        closed = now and finish_closing(organization=organization)
        return {"slug": organization.slug, "closes_at": organization.closes_at, "closed": closed}

    def explain(self, result: dict[str, Any]) -> None:
        if "stands_in_the_way" in result:
            self.stdout.write("\n".join(result["stands_in_the_way"]) or "Nothing stands in the way.")
        elif result["closed"]:
            self.stdout.write(f"{result['slug']} is closed.")
        else:
            self.stdout.write(f"{result['slug']} closes on {result['closes_at']:%Y-%m-%d %H:%M} UTC.")


def _read(at: str | None, zone: ZoneInfo) -> datetime | None:
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Refused(f"“{at}” is no moment; write it as 2027-01-31T18:00.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment <= database_now():
        raise Refused("That moment is over. To close it at once, say --now.")
    return moment
