"""The guide to calls (seed 004), step by step as it is written, by somebody who has that document and a keyboard.

What the document names is found here by that name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from credit.selectors.balances import wallet_balance
from members.models import Letter, Member, Organization
from telephony.models import EmergencyAddress, License, NumberAssignment, PhoneNumber
from telephony.phone_numbers import shown_number
from tests.browser.conftest import NewContext
from tests.browser.keys import Keys
from tests.browser.people import hashed_as_everywhere
from tests.browser.site import MailServer, Site
from tests.credit.moves import buy
from tests.factories import PASSWORD, MemberFactory, NumberAreaFactory, OrganizationFactory, PhoneNumberFactory
from tests.telephony.licensed import has

PBX, PLAN = "Système téléphonique (PBX Cloud)", "Plan d’appels national"
LICENSES = "Acheter et affecter des licences"
NUMBERS = "Obtenir des numéros de téléphone"
ADDRESSES = "Ajouter des adresses et des emplacements d’urgence"
ASSIGNMENT = "Affecter des numéros et des adresses d’urgence"
TELLING = "Communiquer leurs numéros aux personnes"
PLACE = "3e étage, salle 12"


@dataclass(frozen=True)
class Country:
    """Where a company is: two cities with how their numbers begin, and an address as it is typed and as it becomes."""

    code: str
    name: str
    cities: dict[str, str]
    typed: dict[str, str]
    corrected: tuple[str, str]

    @property
    def city(self) -> str:
        """The one of the address."""
        return next(iter(self.cities))

    @property
    def address_first(self) -> bool:
        """Outside the US step 3 comes before step 2."""
        return self.code != "US"


UNITED_STATES = Country(
    "US",
    "États-Unis",
    {"New York": "+121255501", "Redmond": "+142555501"},
    # A street whose name is a number, without its ending: the tip of step 3.
    {
        "Numéro": "123",
        "Rue": "5 Avenue",
        "Code postal": "10001",
        "Ville": "New York",
        "État ou région": "NY",
    },
    ("5 Avenue", "5th Avenue"),
)
FRANCE = Country(
    "FR",
    "France",
    {"Paris": "+331990045", "Lyon": "+334657104"},
    {"Numéro": "8", "Rue": "rue de Turenne", "Code postal": "75004", "Ville": "Pariss"},
    ("Pariss", "Paris"),
)


@pytest.fixture(scope="module")
def site(posting_site: Site) -> Site:
    return posting_site


@pytest.fixture
def keys(new_context: NewContext) -> Keys:
    return Keys(new_context(locale="fr-FR").new_page())


@pytest.fixture(params=[UNITED_STATES, FRANCE], ids=["in the US", "in France"])
def country(request: pytest.FixtureRequest) -> Country:
    found: Country = request.param
    return found


@pytest.fixture
def company(country: Country, transactional_db: None) -> Organization:
    """A company with credit, its administrator Hélène, and Anna and Bosse, who are to be called."""
    company = OrganizationFactory(name="Architectes", slug="architectes", country=country.code, language="fr")
    buy(company, "500")
    people = {"ada.boss": ("Hélène", "Marchand"), "anna.berg": ("Anna", "Berg"), "bosse.ek": ("Bosse", "Ek")}
    for skype_name, (first, last) in people.items():
        member = MemberFactory(
            organization=company,
            admin=skype_name == "ada.boss",
            user__skype_name=skype_name,
            user__first_name=first,
            user__last_name=last,
            user__language="fr",
        )
        hashed_as_everywhere(member.user)
    for city, prefix in country.cities.items():
        area = NumberAreaFactory(country=country.code, region="", city=city)
        for end in range(8):
            PhoneNumberFactory(area=area, number=f"{prefix}{end:02}")
    return company


def test_a_company_gets_calls_step_by_step(
    keys: Keys, new_context: NewContext, mail: MailServer, company: Organization, country: Country
) -> None:
    sign_in(keys, "ada.boss")
    voice_is_missing(keys)
    buy_licenses(keys, company)
    assign_licenses(keys)
    the_guide_has_the_order_of(country, keys)
    middle: list[Callable[[Keys, Organization, Country], None]] = [get_numbers, add_address_and_place]
    for step in reversed(middle) if country.address_first else middle:
        step(keys, company, country)
    assign_number(keys, company, country)
    the_guide_is_done(keys)
    print_the_list(keys)

    number = PhoneNumber.objects.get(assignments__member__user__skype_name="anna.berg")
    anna_reads_her_letter(mail, number, country)
    anna = Keys(new_context(locale="fr-FR").new_page())
    sign_in(anna, "anna.berg")
    anna_finds_her_number(anna, number, country)


def sign_in(keys: Keys, skype_name: str) -> None:
    keys.page.goto("/")
    keys.see("Se connecter")
    keys.fill("Pseudo Skype ou adresse e-mail", skype_name)
    keys.fill("Mot de passe", PASSWORD)
    keys.press("Se connecter")
    keys.page.wait_for_url(re.compile(r"/(architectes|me)/$"))


def section(keys: Keys, *names: str) -> None:
    """Go to a section of the navigation, and on to one within it."""
    for name in names:
        keys.press(name, role="link", within=keys.page.get_by_role("navigation", name="Rubriques", exact=True))
        keys.page.wait_for_load_state()


def choose(keys: Keys, label: str, beginning: str) -> None:
    """Choose from a list by typing what the choice begins with."""
    field = keys.reach(keys.page.get_by_role("main").get_by_label(label, exact=True).first)
    keys.page.keyboard.type(beginning)
    expect(field.locator("option:checked")).to_contain_text(beginning)


def toggle(keys: Keys, box: Locator, *, on: bool) -> None:
    keys.reach(box)
    keys.page.keyboard.press("Space")
    expect(box).to_be_checked(checked=on)


def steps(keys: Keys) -> Locator:
    return keys.page.locator(".checklist > li")


def told(keys: Keys, text: str) -> None:
    expect(keys.page.locator("#toasts")).to_contain_text(text)


# Étape 1 : acheter et affecter des licences


def voice_is_missing(keys: Keys) -> None:
    """« Pour que l’option Voix apparaisse …, vous devez d’abord acheter au moins une licence. »"""
    navigation = keys.page.get_by_role("navigation", name="Rubriques", exact=True)
    expect(navigation.get_by_role("link", name="Fonctions", exact=True)).to_be_visible()
    expect(navigation.get_by_role("link", name="Voix", exact=True)).to_have_count(0)


def buy_licenses(keys: Keys, company: Organization) -> None:
    section(keys, "Fonctions")
    plan = keys.page.get_by_role("row", name=PLAN)
    # « Pour voir l’option d’achat d’un plan …, vous devez tout d’abord disposer des licences PBX Cloud. »
    expect(plan.get_by_role("link", name=re.compile("^Acheter"))).to_have_count(0)
    for product, seats in ((PBX, 2), (PLAN, 2)):
        section(keys, "Fonctions")
        keys.press(f"Acheter {product}", role="link")
        keys.see("Acheter des licences")
        keys.fill("Places", str(seats))
        keys.press("Voir le prix")
        keys.reach(keys.page.get_by_role("button", name=re.compile(r"^Acheter pour ")))
        keys.page.keyboard.press("Enter")
        told(keys, product)
    bought = License.objects.filter(organization=company).order_by("pk")
    assert list(bought.values_list("product__code", "quantity")) == [
        ("phone-system", 2),
        ("calling-plan-domestic", 2),
    ]
    assert wallet_balance(company) == 500 - sum(one.quantity * one.monthly_price for one in bought)


def assign_licenses(keys: Keys) -> None:
    section(keys, "Voix")
    step = steps(keys).filter(has_text=LICENSES)
    expect(step.get_by_text("Fait", exact=True)).to_have_count(0)
    keys.press("Affecter des licences", role="link", within=step)
    for product in (PBX, PLAN):
        keys.see("Membres")
        keys.tick("Anna Berg")
        keys.tick("Bosse Ek")
        keys.press("Affecter une licence")
        keys.see("Affecter une licence")
        choose(keys, "Produit", product)
        keys.press("Voir ce qui va se passer")
        keys.press("Affecter à 2 personnes")
        told(keys, f"2 personnes ont maintenant {product}.")
    for member in Member.objects.filter(user__skype_name__in=("anna.berg", "bosse.ek")):
        assert has(member) == ["calling-plan-domestic", "phone-system"]


def the_guide_has_the_order_of(country: Country, keys: Keys) -> None:
    section(keys, "Voix")
    keys.see("Voix")
    middle = [ADDRESSES, NUMBERS] if country.address_first else [NUMBERS, ADDRESSES]
    expect(steps(keys).locator(".list-title")).to_have_text([LICENSES, *middle, ASSIGNMENT, TELLING])
    expect(steps(keys).filter(has_text=LICENSES).get_by_text("Fait", exact=True)).to_have_count(1)


# Étape 2 : obtenir des numéros de téléphone


def get_numbers(keys: Keys, company: Organization, country: Country) -> None:
    section(keys, "Voix", "Numéros de téléphone")
    keys.see("Numéros de téléphone")
    # « Vous pouvez voir le nombre de licences PBX Cloud que vous possédez » ; 2, et 10, et 10 % dont il ne reste rien.
    stats = keys.page.locator(".stat")
    expect(stats.filter(has_text="Licences PBX Cloud").locator(".stat-value")).to_have_text("2")
    expect(stats.filter(has_text="Vous pouvez acquérir").locator(".stat-value")).to_have_text("encore 12")
    keys.follow("Ajouter des numéros")

    for place, (city, quantity) in enumerate(zip(country.cities, (3, 2), strict=True)):
        keys.see("Ajouter des numéros")
        choose(keys, "Pays", country.name)
        choose(keys, "Ville", city)
        keys.fill("Quantité", str(quantity))
        keys.press("Ajouter")
        expect(keys.page.locator(".reservation")).to_have_count(place + 1)
    timer = keys.page.get_by_role("timer")
    expect(timer).to_have_accessible_name(re.compile(r"^Réservés jusqu’à "))
    expect(timer.locator("[data-time]")).to_have_text(re.compile(r"^(10:00|9:\d\d)$"))
    held = PhoneNumber.objects.held_by(company)
    assert held.count() == 5

    reservation = keys.page.locator(".reservation").filter(has_text=country.city)
    keys.reach(reservation.locator("summary").filter(has_text="Afficher les numéros"))
    keys.page.keyboard.press("Enter")
    boxes = reservation.get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    unwanted = str(boxes.last.get_attribute("value"))
    toggle(keys, boxes.last, on=False)
    # « Étiquette d’exclusion de responsabilité relative aux appels d’urgence » : read once, for the country.
    toggle(keys, keys.page.get_by_role("checkbox", name=re.compile("^J’ai lu ")), on=True)
    keys.press("Acquérir les numéros")

    keys.see("Numéros de téléphone")
    told(keys, "4 numéros sont à vous.")
    expect(keys.page.locator("tbody tr")).to_have_count(4)
    assert PhoneNumber.objects.of(company).count() == 4
    let_go = PhoneNumber.objects.get(number=unwanted)
    assert (let_go.organization, let_go.reservation) == (None, None)
    address = EmergencyAddress.objects.get(organization=company) if country.address_first else None
    assert {number.emergency_address for number in PhoneNumber.objects.of(company)} == {address}
    assert company.disclaimer_acceptances.get().disclaimer.country == country.code


# Étape 3 : ajouter des adresses et des emplacements d’urgence pour votre organisation


def add_address_and_place(keys: Keys, company: Organization, country: Country) -> None:
    section(keys, "Voix")
    keys.press("Ajouter une adresse", role="link", within=steps(keys).filter(has_text="emplacements d’urgence"))
    keys.see("Nouvelle adresse d’urgence")
    keys.fill("Nom", "Siège")
    for label, text in country.typed.items():
        keys.fill(label, text)
    keys.press("Valider")

    before, after = country.corrected
    banner = keys.page.locator(".banner-success")
    expect(banner.locator("del")).to_have_text(before)
    expect(banner.locator("ins")).to_have_text(after)
    assert not EmergencyAddress.objects.exists()
    keys.press("Enregistrer l’adresse")

    keys.see("Siège")
    address = EmergencyAddress.objects.get(organization=company)
    assert address.current is not None
    assert after in (address.current.street, address.current.city)
    keys.fill("Nom de l’emplacement", PLACE)
    keys.press("Ajouter un emplacement")
    told(keys, PLACE)
    assert address.places.get().name == PLACE


# Étape 4 : affecter des numéros de téléphone et des adresses d’urgence aux utilisateurs


def assign_number(keys: Keys, company: Organization, country: Country) -> None:
    section(keys, "Voix", "Utilisateurs Voix")
    keys.see("Utilisateurs Voix")
    keys.tick("Anna Berg")
    keys.press("Affecter un numéro")
    keys.see("Affecter un numéro")
    number = keys.reach(keys.page.get_by_label("Sélectionner le numéro à affecter", exact=True))
    keys.page.keyboard.press("Home")
    keys.page.keyboard.press("ArrowDown")
    keys.page.keyboard.press("ArrowDown")
    chosen = number.input_value()
    keys.fill("Rechercher une ville", country.city)
    before = keys.page.locator("#assign").element_handle()
    keys.press("Rechercher", within=keys.page.locator(".field").filter(has_text="Rechercher une ville"))
    before.wait_for_element_state("hidden")
    # Whoever pressed it goes on from there.
    expect(keys.page.locator("#search-city")).to_be_focused()
    expect(number).to_have_value(chosen)
    address = keys.page.get_by_role("radio", name=re.compile("^Siège"))
    keys.reach(keys.page.get_by_role("radio").first)
    while not address.is_checked():
        keys.page.keyboard.press("ArrowDown")
    choose(keys, "Emplacement (facultatif)", PLACE)
    expect(keys.page.get_by_role("checkbox", name="Envoyer un e-mail")).to_be_checked()
    keys.press("Enregistrer")

    keys.see("Utilisateurs Voix")
    row = keys.page.get_by_role("row", name="Anna Berg")
    expect(row).to_contain_text(PLACE)
    assignment = NumberAssignment.objects.get(organization=company)
    assert assignment.number.number == chosen
    assert (assignment.emergency_address.name, assignment.place and assignment.place.name) == ("Siège", PLACE)
    assert assignment.member.user.skype_name == "anna.berg"


# Étape 5 : communiquer aux utilisateurs leurs nouveaux numéros de téléphone


def the_guide_is_done(keys: Keys) -> None:
    section(keys, "Voix")
    expect(steps(keys).get_by_text("Fait", exact=True)).to_have_count(5)


def print_the_list(keys: Keys) -> None:
    section(keys, "Voix", "Utilisateurs Voix")
    keys.follow("Liste à imprimer")
    expect(keys.page.get_by_role("row", name="Anna Berg")).to_contain_text("Siège")
    expect(keys.page.get_by_role("main")).to_contain_text("Paramètres, Outils, Options, Téléphones")


def anna_reads_her_letter(mail: MailServer, number: PhoneNumber, country: Country) -> None:
    letter = mail.wait_for("anna.berg@people.example")
    assert '<html lang="fr">' in letter.body("html")
    assert shown_number(number.number) in letter.body("plain")
    assert country.city in letter.body("plain")
    assert PLACE in letter.body("plain")
    assert Letter.objects.get(kind=Letter.Kind.NUMBER_ASSIGNED).member.user.skype_name == "anna.berg"


def anna_finds_her_number(keys: Keys, number: PhoneNumber, country: Country) -> None:
    expect(keys.page.get_by_role("main")).to_contain_text(shown_number(number.number))
    keys.follow("Lire les règles des appels d’urgence")
    keys.see("Votre numéro de téléphone")
    page = keys.page.get_by_role("main")
    expect(page).to_contain_text(country.city)
    expect(page).to_contain_text(PLACE)
    keys.press("J’ai lu comment fonctionnent les appels d’urgence")
    expect(page).to_contain_text("Vous avez lu ce texte")
