"""Countries, time zones and currencies to choose from, named in the reader's language."""

from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import get_timezone_location
from babel.numbers import get_currency_name, get_currency_symbol, get_territory_currencies

from members.names import sort_key
from skypemgr.locales import present_locale

# Products have seeded prices in these.
CURRENCIES = ["EUR", "GBP", "SEK", "USD"]


@lru_cache
def zones_by_country() -> dict[str, list[str]]:
    """The time zones of each country, the most populous first, by the tz database's own table."""
    zones: dict[str, list[str]] = {}
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, zone, *_comment = line.split("\t")
            zones.setdefault(country, []).append(zone)
    return zones


@lru_cache(maxsize=8)
def country_choices(language: str) -> list[tuple[str, str]]:
    """(ISO 3166 code, name) of every country, by name in ``language``."""
    names = Locale(language).territories
    return sorted(((code, names[code]) for code in zones_by_country()), key=lambda row: sort_key(row[1], language))


def country_name(code: str) -> str:
    """What a country is called in the active language; its code, where it is none that is known."""
    return str(present_locale().territories.get(code, code))


@lru_cache(maxsize=8)
def _zone_names(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (
            country,
            [
                (zone, get_timezone_location(zone, locale=language, return_city=True))
                for zone in zones_by_country()[code]
            ],
        )
        for code, country in country_choices(language)
    ]


def time_zone_choices(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Time zones grouped by country: "Paris (UTC+1)" under "France", both in ``language``."""
    # Offsets change with the season, so only the names are kept.
    now = datetime.now(UTC)
    return [
        (country, [(zone, f"{city} ({_offset(zone, now)})") for zone, city in zones])
        for country, zones in _zone_names(language)
    ]


def currency_choices(language: str) -> list[tuple[str, str]]:
    """(ISO 4217 code, "euro, €") of the currencies an organization can have."""
    return [
        (code, f"{get_currency_name(code, locale=language)}, {get_currency_symbol(code, locale=language)}")
        for code in CURRENCIES
    ]


def currency_of(country: str) -> str:
    """The currency to propose for a country."""
    used = get_territory_currencies(country)
    return next((currency for currency in used if currency in CURRENCIES), "USD")


def time_zone_of(country: str) -> str:
    """The time zone to propose for a country: its first in the tz database."""
    return zones_by_country().get(country, ["UTC"])[0]


def country_of(language: str) -> str:
    """The country to propose to a reader of ``language``."""
    return {"fr": "FR", "sv": "SE"}.get(language, "GB")


def _offset(zone: str, at: datetime) -> str:
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes >= 0 else "−"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
