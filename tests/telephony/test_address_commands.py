import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from telephony.models import DisclaimerAcceptance, EmergencyAddress, Place
from tests.factories import EmergencyAddressFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

# As companies write them, with what comes of it.
VECTORS = """name,country,house_number,street,city,region,postal_code,status,field,becomes
Head office,US,1,Microsoft Way,Redmond,WA,98052,validated,,
A letter lost,US,1,Microsoft Way,Redmnd,WA,98052,corrected,city,Redmond
Of another state,US,1,Microsoft Way,Redmond,CA,98052,rejected,postal_code,
Numbered,US,123,5 Avenue,New York,NY,10001,corrected,street,5th Avenue
Box,US,,PO Box 12,Seattle,WA,98101,rejected,street,
Siège,FR,1,rue de Rivoli,Paris,,75001,validated,,
Too short,FR,1,rue de Rivoli,Paris,,7500,rejected,postal_code,
For letters,FR,12,rue de la Paix,Paris Cedex 02,,75084,rejected,city,
Closed up,GB,10,Downing Street,London,,sw1a2aa,corrected,postal_code,SW1A 2AA
Huvudkontor,SE,1,Drottninggatan,Stockholm,,11151,corrected,postal_code,111 51
"""


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


def run(command, *arguments, **options):
    """What a command prints, and the code it exits with."""
    out = io.StringIO()
    try:
        call_command(command, *arguments, "--json", stdout=out, stderr=io.StringIO(), **options)
    except CommandError as error:
        return json.loads(out.getvalue()), error.returncode
    return json.loads(out.getvalue()), 0


def options_of(row):
    return [
        f"--{name.replace('_', '-')}={row[name]}"
        for name in ("name", "country", "house_number", "street", "city", "region", "postal_code")
        if row[name]
    ]


@pytest.mark.parametrize("row", list(csv.DictReader(io.StringIO(VECTORS))), ids=lambda row: row["name"])
@pytest.mark.parametrize("only", [False, True])
def test_each_kind_of_address_gets_its_answer(organization, row, only):
    answer, code = run("add_emergency_address", *options_of(row), *(["--validate-only"] if only else []))

    assert (answer["status"], code) == (row["status"], 1 if row["status"] == "rejected" else 0)
    if row["status"] == "corrected":
        [change] = answer["changes"]
        assert (change["field"], change["new"]) == (row["field"], row["becomes"])
        assert answer["address"][row["field"]] == row["becomes"]
    else:
        assert answer["changes"] == []
    if row["status"] == "rejected":
        assert answer["fields"][row["field"]] == "invalid"
        assert answer["error"]
    assert EmergencyAddress.objects.count() == (0 if only or row["status"] == "rejected" else 1)


def test_a_name_that_is_taken_is_refused(organization):
    EmergencyAddressFactory(organization=organization, name="Siège")
    row = {"name": "siège", "country": "FR", "house_number": "2", "street": "rue X", "city": "Paris", "region": ""}

    answer, code = run("add_emergency_address", *options_of({**row, "postal_code": "75001"}))

    assert (code, answer["status"], "siège" in answer["error"]) == (1, "rejected", True)


def test_a_place_is_added_to_an_address_by_its_name(organization):
    EmergencyAddressFactory(organization=organization, name="Siège")

    answer, code = run("add_place", "--emergency-address", "SIÈGE", "--name", "3e étage", "--floor=-1")
    assert (code, answer["emergency_address"], answer["place"]) == (0, "Siège", "3e étage")
    assert Place.objects.get().floor == "-1"

    answer, code = run("add_place", "--emergency-address", "Nowhere", "--name", "3e étage")
    assert (code, answer["place"]) == (1, None)


def test_a_disclaimer_is_accepted_for_a_country(organization):
    answer, code = run("accept_disclaimer", "--country", "fr", dry_run=True)
    assert (code, answer["accepted_at"], DisclaimerAcceptance.objects.count()) == (0, None, 0)

    answer, code = run("accept_disclaimer", "--country", "fr")
    again, _code = run("accept_disclaimer", "--country", "FR")
    assert (code, answer["country"], answer["version"]) == (0, "FR", 1)
    assert again == answer

    answer, code = run("accept_disclaimer", "--country", "XX")
    assert (code, answer["country"]) == (1, None)


def test_postal_codes_are_loaded_by_country():
    answer, code = run("load_postcodes", "SE", "gb")
    assert (code, answer) == (
        0,
        {"countries": [{"country": name, "written": 0, "removed": 0} for name in ("SE", "GB")]},
    )

    answer, code = run("load_postcodes", "XX")
    assert (code, answer["countries"]) == (1, [])
