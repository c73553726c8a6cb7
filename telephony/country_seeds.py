"""Rules and disclaimers of countries as they come with the product; operators change and publish them from there on."""

from datetime import UTC, datetime
from typing import Any

# Country: whether the address comes first, what happens outside the number's area, whom people there call. In Europe
# a number comes with its address; in six countries the address has to be in the number's area.
RULES = {
    "US": (False, "none", "911"),
    "CA": (False, "none", "911"),
    "GB": (True, "none", "999, 112"),
    "FR": (True, "warn", "112, 15, 17, 18"),
    "SE": (True, "none", "112"),
    "BE": (True, "warn", "112, 101"),
    "DE": (True, "warn", "112, 110"),
    "IE": (True, "warn", "112, 999"),
    "NL": (True, "warn", "112"),
    "ES": (True, "warn", "112"),
    "AT": (True, "none", "112, 133, 144"),
    "AU": (True, "none", "000, 112"),
    "CH": (True, "none", "112, 117, 144"),
    "DK": (True, "none", "112"),
    "FI": (True, "none", "112"),
    "IT": (True, "none", "112"),
    "JP": (True, "none", "110, 119"),
    "LU": (True, "none", "112, 113"),
    "NO": (True, "none", "112, 110, 113"),
    "PL": (True, "none", "112"),
    "PT": (True, "none", "112"),
}
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

TEXTS = {
    "en": (
        "Emergency calls ({numbers}) are routed by the emergency address of the caller’s number, wherever the caller is"
        " at that moment. Keep the address and the place of everybody up to date, and change them before people"
        " move.\n\n"
        "The format and the consistency of an address are checked here. No emergency service has confirmed it.\n\n"
        "An emergency call may fail without electricity, without internet access, or while the service is disturbed."
        " Keep another way to call for help, and tell everybody who gets a number."
    ),
    "fr": (
        "Les appels d’urgence ({numbers}) sont acheminés d’après l’adresse d’urgence du numéro utilisé, où que se"
        " trouve la personne qui appelle. Tenez à jour l’adresse et l’emplacement de chaque personne, et modifiez-les"
        " avant qu’elle ne déménage.\n\n"
        "Le format et la cohérence d’une adresse sont vérifiés ici. Aucun service d’urgence ne l’a confirmée.\n\n"
        "Un appel d’urgence peut échouer sans électricité, sans accès à Internet ou pendant une perturbation du"
        " service. Gardez un autre moyen d’appeler les secours, et informez toute personne qui reçoit un numéro."
    ),
    "sv": (
        "Nödsamtal ({numbers}) dirigeras efter nödadressen för uppringarens nummer, var uppringaren än befinner sig"
        " just då. Håll allas adress och plats aktuella, och ändra dem innan någon flyttar.\n\n"
        "Adressens format och rimlighet kontrolleras här. Ingen nödtjänst har bekräftat den.\n\n"
        "Ett nödsamtal kan misslyckas utan el, utan internetanslutning eller när tjänsten är störd. Ha ett annat sätt"
        " att ringa efter hjälp, och informera alla som får ett nummer."
    ),
}
UNITED_STATES = {
    "en": " In the United States, rescuers need building, floor and room as well: give them as a place.",
    "fr": " Aux États-Unis, les secours ont aussi besoin du bâtiment, de l’étage et de la salle : indiquez-les comme"
    " emplacement.",
    "sv": " I USA behöver räddningstjänsten också byggnad, våning och rum: ange dem som plats.",
}


def plant(rules: Any, disclaimers: Any) -> None:
    """Write the rules and first disclaimers that aren't there yet, by the models that are given."""
    rules.objects.bulk_create(
        [
            rules(country=country, address_first=first, area_match=match, emergency_numbers=numbers)
            for country, (first, match, numbers) in RULES.items()
        ],
        ignore_conflicts=True,
    )
    disclaimers.objects.bulk_create(
        [
            disclaimers(country=country, version=1, begins_at=BEGAN, **_texts(country, numbers))
            for country, (_first, _match, numbers) in RULES.items()
        ],
        ignore_conflicts=True,
    )


def _texts(country: str, numbers: str) -> dict[str, str]:
    return {
        f"text_{language}": text.format(numbers=numbers) + (UNITED_STATES[language] if country == "US" else "")
        for language, text in TEXTS.items()
    }
