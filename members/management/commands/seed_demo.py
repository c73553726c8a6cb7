from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from members.access import Actor
from members.crowd import tidy_tables
from members.management.base import JsonCommand, Refused
from members.models import Member
from members.registry import DemoMany, DemoPart, registry
from members.services import demo


class Command(JsonCommand):
    help = "Make a believable company to try everything on, or a very large one. Local mode only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--members", type=int, default=40, metavar="N", help="how many people (40); more are added")
        for part in registry.all(DemoMany):
            parser.add_argument(f"--{part.key}", type=int, default=0, metavar="N", help=part.help)

    def act(self, **options: Any) -> dict[str, Any]:
        if not settings.LOCAL:
            raise Refused("Demo data is made in local mode only; SKYPEMGR_ENV is production here.")
        if options["members"] < 2:
            raise Refused("A company has at least two people: --members 2 or more.")
        organization = demo.seed_demo(actor=Actor.system(), members=options["members"])
        if options["members"] >= demo.MANY:
            tidy_tables()
        for part in registry.all(DemoPart):
            part.add(organization)
        many = {part.key: part.add(organization, options[part.key]) for part in registry.all(DemoMany)}
        return {
            "slug": organization.slug,
            "members": Member.objects.of(organization).present().count(),
            **many,
            "sign_ins": [
                {"role": "administrator", "skype_name": demo.ADMINISTRATOR, "password": demo.PASSWORD},
                {"role": "member", "skype_name": demo.MEMBER, "password": demo.PASSWORD},
            ],
        }

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{settings.BASE_URL}/{result['slug']}/ has {result['members']} members. Sign in as:")
        for sign_in in result["sign_ins"]:
            self.stdout.write(f"  {sign_in['role']:<14} {sign_in['skype_name']:<20} {sign_in['password']}")
