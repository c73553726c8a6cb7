"""A company gets its phones by commands alone, step by step, in the order of its country."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from members.models import Letter
from telephony.models import NumberAssignment, PhoneNumber
from tests.credit.moves import buy
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

CITIES = {
    "FR": ("Occitanie", "Toulouse", "+3356100000"),
    "US": ("WA", "Redmond", "+1425555010"),
}
SITES = {
    "FR": ["--house-number", "1", "--street", "rue de Metz", "--city", "Toulouse", "--postal-code", "31000"],
    "US": [
        *("--house-number", "1", "--street", "Microsoft Way"),
        *("--city", "Redmnd", "--region", "WA", "--postal-code", "98052"),
    ],
}


@pytest.fixture(params=["FR", "US"])
def country(request):
    return request.param


@pytest.fixture
def company(country):
    organization = OrganizationFactory(slug="architectes", country=country, currency="EUR")
    buy(organization, "500")
    for name in ("ines.even", "lena.odd"):
        MemberFactory(organization=organization, user__skype_name=name)
    return organization


def run(name, *words):
    out = io.StringIO()
    call_command(name, *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def of(name, *words):
    return run(name, *words, "--organization", "architectes")


def load_stock(country, tmp_path):
    region, city, start = CITIES[country]
    stock = tmp_path / "stock.csv"
    rows = [f"{start}{last},{country},{region},{city},user" for last in range(8)]
    stock.write_text("\n".join(["number,country,region,city,type", *rows]))
    assert run("load_numbers", str(stock))["added"] == 8


def step_1_buy_and_assign_licenses():
    with pytest.raises(CommandError):
        of("buy_licenses", "--product", "calling-plan-domestic", "--quantity", "2")
    people = ["--member", "ines.even", "--member", "lena.odd"]
    for product in ("phone-system", "calling-plan-domestic"):
        assert of("buy_licenses", "--product", product, "--quantity", "2")["owned"] == 2
        assert of("assign_licenses", "--product", product, *people)["assigned"] == 2


def step_2_get_numbers(country):
    """Two of four that are held; outside the States they come with an address."""
    assert of("show_number_quota")["can_acquire"] == 12, "two licenses, a tenth of them, and ten"
    held = of("reserve_numbers", "--country", country, "--city", CITIES[country][1], "--quantity", "4")
    assert len(held["numbers"]) == 4
    chosen = [word for number in held["numbers"][:2] for word in ("--number", number)]
    words = ["--reservation", str(held["reservation"]), *chosen]
    if country == "US":
        return of("acquire_numbers", *words)["numbers"]
    with pytest.raises(CommandError):
        of("acquire_numbers", *words)
    return of("acquire_numbers", *words, "--emergency-address", "Office")["numbers"]


def step_3_add_an_address(country):
    saved = of("add_emergency_address", "--name", "Office", "--country", country, *SITES[country])
    assert saved["status"] in ("validated", "corrected")
    assert saved["changes"] == ([{"field": "city", "old": "Redmnd", "new": "Redmond"}] if country == "US" else [])
    of("add_place", "--emergency-address", "Office", "--name", "3rd floor", "--floor", "3")
    of("accept_disclaimer", "--country", country)


def step_4_assign(numbers):
    assert {row["member"] for row in of("show_readiness")["rows"]} == {"ines.even", "lena.odd"}
    where = ["--emergency-address", "Office", "--place", "3rd floor"]
    given = of("assign_number", "--member", "ines.even", "--number", numbers[0], *where)
    assert given == {
        "member": "ines.even",
        "number": numbers[0],
        "emergency_address": "Office",
        "place": "3rd floor",
    }
    of("assign_number", "--member", "lena.odd", "--number", numbers[1], *where, "--no-notify")


def test_a_company_gets_its_phones_by_commands_alone(company, country, tmp_path):
    load_stock(country, tmp_path)

    step_1_buy_and_assign_licenses()
    if country == "US":
        numbers = step_2_get_numbers(country)
        step_3_add_an_address(country)
    else:
        step_3_add_an_address(country)
        numbers = step_2_get_numbers(country)
    step_4_assign(numbers)

    held = {row.member.user.skype_name: row.number.number for row in NumberAssignment.objects.all()}
    assert held == {"ines.even": numbers[0], "lena.odd": numbers[1]}
    assert PhoneNumber.objects.of(company).count() == 2
    assert of("show_readiness")["people"] == 0
    told = Letter.objects.filter(organization=company, kind="number_assigned")
    assert [letter.member.user.skype_name for letter in told] == ["ines.even"]
    assert of("list_numbers", "--unassigned") == []
