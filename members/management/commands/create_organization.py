import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from members.access import Actor
from members.addresses import normalize_address
from members.management.base import JsonCommand, Refused
from members.models import User
from members.names import (
    check_company_name,
    check_person_name,
    check_skype_name,
    check_slug,
    propose_admin_name,
    propose_slug,
)
from members.places import CURRENCIES, currency_of, time_zone_of, zones_by_country
from members.services.organizations import Company, Founder, create_organization, free_slug
from members.skype_names import free_skype_name


class Command(JsonCommand):
    help = "Set up a Skype Manager without a browser: an organization and its first administrator."
    nothing_done = {"slug": None, "admin": None}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="the name of the company")
        parser.add_argument("--slug", help="its address in URLs; made from the name unless given")
        parser.add_argument("--country", required=True, type=str.upper, help="ISO 3166, such as FR")
        parser.add_argument(
            "--currency", type=str.upper, help="ISO 4217, such as EUR; that of the country unless given"
        )
        parser.add_argument("--time-zone", help="such as Europe/Paris; that of the country unless given")
        parser.add_argument(
            "--language",
            default=settings.LANGUAGE_CODE,
            choices=[code for code, _name in settings.LANGUAGES],
            help="of letters and pages, unless people choose their own",
        )
        parser.add_argument("--admin-email", required=True, help="the address of the first administrator")
        parser.add_argument("--admin-skype-name", help="made from the name of the company unless given")
        parser.add_argument("--admin-first-name", default="", help="as the letters call them")
        parser.add_argument("--admin-last-name", default="", help="as the letters call them")
        parser.add_argument(
            "--admin-password-stdin",
            action="store_true",
            help="read a password from standard input; without it the administrator is invited by a letter",
        )
        parser.add_argument("--dry-run", action="store_true", help="check everything, and change nothing")

    def act(self, **options: Any) -> dict[str, str]:
        name = check_company_name(options["name"])
        country = options["country"]
        zones = {zone for zones in zones_by_country().values() for zone in zones}
        if country not in zones_by_country():
            raise Refused(f"There is no country “{country}”.")
        currency = options["currency"] or currency_of(country)
        if currency not in CURRENCIES:
            raise Refused(f"The currency must be one of {', '.join(CURRENCIES)}.")
        time_zone = options["time_zone"] or time_zone_of(country)
        if time_zone not in zones:
            raise Refused(f"There is no time zone “{time_zone}”.")
        skype_name = options["admin_skype_name"]
        founder = Founder(
            skype_name=check_skype_name(skype_name) if skype_name else free_skype_name(propose_admin_name(name)),
            email=normalize_address(options["admin_email"]),
            first_name=check_person_name(options["admin_first_name"]),
            last_name=check_person_name(options["admin_last_name"]),
        )
        password = self._password(founder) if options["admin_password_stdin"] else ""
        slug = check_slug(options["slug"]) if options["slug"] else free_slug(propose_slug(name))
        if not options["dry_run"]:
            create_organization(
                actor=Actor.system(),
                company=Company(
                    name=name,
                    slug=slug,
                    country=country,
                    currency=currency,
                    time_zone=time_zone,
                    language=options["language"],
                ),
                founder=replace(founder, password=make_password(password) if password else ""),
            )
        return {"slug": slug, "admin": founder.skype_name}

    def _password(self, founder: Founder) -> str:
        person = User(
            skype_name=founder.skype_name,
            email=founder.email,
            first_name=founder.first_name,
            last_name=founder.last_name,
        )
        password = sys.stdin.readline().rstrip("\r\n")
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise Refused(" ".join(error.messages)) from error
        return password

    def explain(self, result: dict[str, str]) -> None:
        self.stdout.write(f"{settings.BASE_URL}/{result['slug']}/ is set up. Its administrator is {result['admin']}.")
