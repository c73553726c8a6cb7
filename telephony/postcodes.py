"""Postal codes and their cities: where they come from, how they get into the table, and how they are looked up.

Of the United States they come from ``zipcodes``. Of other countries they come from ``countrystatecity-postal-codes``
(© its contributors, Open Database License), which only has to be there while they are loaded.
"""

import importlib.util
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import zipcodes
from django.db import connection, transaction

from telephony.models import Postcode
from telephony.validation import KnownCity

PACKAGE = "countrystatecity_postal_codes"
# Those that addresses are compared with.
COUNTRIES = ["US", "FR", "SE", "GB"]

type Row = tuple[str, str, str, str, str]


class NoSource(Exception):
    """Nothing on this machine knows the postal codes of a country."""


def cities_of(country: str, code: str) -> list[KnownCity] | None:
    """The cities of a postal code in capitals and without spaces; None where those of the country aren't loaded."""
    rows = Postcode.objects.filter(country=country, code=code).order_by("pk")
    found = [KnownCity(row.city, row.region, row.use) for row in rows]
    return found or ([] if Postcode.objects.filter(country=country).exists() else None)


def sources() -> list[str]:
    """The countries whose postal codes can be loaded on this machine."""
    return COUNTRIES if importlib.util.find_spec(PACKAGE) else ["US"]


def read_source(country: str) -> Iterator[Row]:
    """The postal codes of a country, each city of a code once: country, code, city, region, use. Raises NoSource."""
    return _american() if country == "US" else _of_package(country)


def _american() -> Iterator[Row]:
    # It has no types.
    everything: Any = zipcodes
    for entry in everything.list_all():
        main = [(entry["city"], "main")]
        others = [(city, "other") for city in entry["acceptable_cities"]]
        aliases = [(city, "alias") for city in entry["unacceptable_cities"]]
        seen = set()
        for city, use in [*main, *others, *aliases]:
            if city and city not in seen:
                seen.add(city)
                yield "US", entry["zip_code"], city, entry["state"], use


def _of_package(country: str) -> Iterator[Row]:
    if importlib.util.find_spec(PACKAGE) is None:
        raise NoSource(country)
    path = files(PACKAGE).joinpath("data", "by-country", country, "postcodes.json")
    if not path.is_file():
        raise NoSource(country)
    seen = set()
    for entry in json.loads(path.read_text("utf-8")):
        code, city = entry["code"].replace(" ", "").upper(), " ".join((entry["localityName"] or "").split())
        if city and (code, city) not in seen:
            seen.add((code, city))
            yield country, code, city, entry["stateCode"] or "", "main"


@transaction.atomic(savepoint=False)
def load(country: str) -> tuple[int, int]:
    """Make the table hold what the source has of a country: how many rows were added or changed, and how many went.

    Repeating it changes nothing. Raises NoSource.
    """
    rows = list(read_source(country))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE new_postcode (LIKE telephony_postcode) ON COMMIT DROP")
        cursor.execute("ALTER TABLE new_postcode ALTER id DROP NOT NULL")
        with cursor.copy("COPY new_postcode (country, code, city, region, use) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            "DELETE FROM telephony_postcode AS old WHERE country = %s AND NOT EXISTS"
            " (SELECT FROM new_postcode AS new WHERE (new.code, new.city) = (old.code, old.city))",
            [country],
        )
        gone = cursor.rowcount
        cursor.execute(
            "INSERT INTO telephony_postcode AS old (country, code, city, region, use)"
            " SELECT country, code, city, region, use FROM new_postcode"
            " ON CONFLICT (country, code, city) DO UPDATE SET region = EXCLUDED.region, use = EXCLUDED.use"
            " WHERE (old.region, old.use) IS DISTINCT FROM (EXCLUDED.region, EXCLUDED.use)"
        )
        written = cursor.rowcount
        cursor.execute("DROP TABLE new_postcode")
    return written, gone
