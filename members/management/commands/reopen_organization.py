from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import JsonCommand, find_organization
from members.services.closing import call_closing_off


class Command(JsonCommand):
    help = "Call the closing of an organization off, before its day has come."
    nothing_done = {"called_off": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the organization")

    def act(self, *, slug: str, **options: Any) -> dict[str, Any]:
        organization = find_organization(slug)
        return {
            "slug": organization.slug,
            "called_off": call_closing_off(actor=Actor.system(), organization=organization),
        }

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['slug']} {'stays open' if result['called_off'] else 'was not about to close'}.")
