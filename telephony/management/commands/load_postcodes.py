from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import JsonCommand, Refused
from telephony.postcodes import COUNTRIES, NoSource
from telephony.services.postcodes import load_postcodes


class Command(JsonCommand):
    help = (
        "Load the postal codes of countries, which cities are corrected by. Those of the United States come with the"
        " product; the others from the package countrystatecity-postal-codes, which has to be installed meanwhile."
    )
    nothing_done = {"countries": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("country", nargs="+", metavar="COUNTRY", help=f"two letters; known: {', '.join(COUNTRIES)}")

    def act(self, *, country: list[str], **options: Any) -> dict[str, Any]:
        loaded: list[dict[str, Any]] = []
        for code in dict.fromkeys(code.upper() for code in country):
            try:
                written, removed = load_postcodes(actor=Actor.system(), country=code)
            except NoSource:
                text = f"Nothing on this machine knows the postal codes of {code}."
                raise Refused(text, {"countries": loaded, "error": text}) from None
            loaded.append({"country": code, "written": written, "removed": removed})
        return {"countries": loaded}

    def explain(self, result: dict[str, Any]) -> None:
        for entry in result["countries"]:
            self.stdout.write(f"{entry['country']}: {entry['written']} written, {entry['removed']} removed.")
