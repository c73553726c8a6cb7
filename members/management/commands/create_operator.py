import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from members.access import Actor
from members.addresses import normalize_address
from members.authentication import find_by_login
from members.management.base import JsonCommand, Refused
from members.models import User
from members.names import check_person_name, check_skype_name
from members.services.operators import appoint_operator, create_operator, dismiss_operator


class Command(JsonCommand):
    help = "Let a personal account run this installation; one that does not exist yet is made."
    nothing_done = {"operator": None}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("skype_name", help="the Skype Name of the account")
        parser.add_argument("--email", help="the address of a new account")
        parser.add_argument("--first-name", default="", help="of a new account")
        parser.add_argument("--last-name", default="", help="of a new account")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password of a new account from standard input"
        )
        parser.add_argument("--dismiss", action="store_true", help="take the right away again")

    def act(self, **options: Any) -> dict[str, object]:
        skype_name = check_skype_name(options["skype_name"])
        if options["dismiss"]:
            user = dismiss_operator(actor=Actor.system(), skype_name=skype_name)
        elif find_by_login(skype_name) is not None:
            user = appoint_operator(actor=Actor.system(), skype_name=skype_name)
        else:
            user = self._create(skype_name, options)
        return {"operator": user.skype_name, "is_operator": user.is_operator}

    def explain(self, result: dict[str, object]) -> None:
        runs = "runs" if result["is_operator"] else "no longer runs"
        self.stdout.write(f"{result['operator']} {runs} this installation.")

    def _create(self, skype_name: str, options: dict[str, Any]) -> User:
        if not (options["email"] and options["password_stdin"]):
            raise Refused(f"There is no account “{skype_name}”. To make one, give --email and --password-stdin.")
        email = normalize_address(options["email"])
        first_name, last_name = check_person_name(options["first_name"]), check_person_name(options["last_name"])
        password = sys.stdin.readline().rstrip("\r\n")
        try:
            validate_password(password, User(skype_name=skype_name, email=email))
        except ValidationError as error:
            raise Refused(" ".join(error.messages)) from None
        return create_operator(
            actor=Actor.system(),
            skype_name=skype_name,
            email=email,
            first_name=first_name,
            last_name=last_name,
            password=password,
        )
