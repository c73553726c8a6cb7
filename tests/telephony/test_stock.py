"""The stock is loaded from files, each number once; numbers are read as people write them."""

import io
import json
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.core.management.base import CommandError

from members.access import Actor
from members.models import Member
from telephony.demo import PLACES, add_stock
from telephony.models import NumberArea, PhoneNumber
from telephony.phone_numbers import NotANumber, digits_of, read_phone_number, shown_number
from telephony.services.stock import load_numbers
from telephony.stock_file import StockRow
from tests.factories import MemberFactory, PhoneNumberFactory

pytestmark = pytest.mark.django_db

HEADER = "number,country,region,city,type"


def load(tmp_path: Path, *rows: str, header: str = HEADER, options: tuple[str, ...] = ()) -> dict:
    file = tmp_path / "numbers.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    out = io.StringIO()
    try:
        call_command("load_numbers", str(file), "--json", *options, stdout=out)
    except CommandError:
        return {**json.loads(out.getvalue()), "refused": True}
    return json.loads(out.getvalue())


ROWS = (
    "+14255550100,US,Washington,Redmond,user",
    "+33561000001,FR,Occitanie,Toulouse,user",
    "+18005550100,US,,,toll_free",
)


def test_a_file_is_loaded_once(tmp_path):
    assert load(tmp_path, *ROWS) == {"added": 3, "updated": 0, "errors": []}
    assert load(tmp_path, *ROWS) == {"added": 0, "updated": 0, "errors": []}
    assert PhoneNumber.objects.count() == 3
    redmond = NumberArea.objects.get(city="Redmond")
    assert (redmond.total, redmond.free, redmond.owned) == (1, 1, 0)


def test_what_a_file_says_otherwise_is_updated(tmp_path):
    load(tmp_path, *ROWS)

    found = load(tmp_path, ROWS[0].replace("Redmond", "Seattle"), *ROWS[1:])

    assert found == {"added": 0, "updated": 1, "errors": []}
    assert PhoneNumber.objects.get(number="+14255550100").area.city == "Seattle"


def test_a_price_comes_with_its_currency(tmp_path):
    header = f"{HEADER},monthly_price,currency"

    found = load(tmp_path, f"{ROWS[0]},2.50,EUR", f"{ROWS[1]},2,", header=header, options=("--valid-rows-only",))

    assert found["added"] == 1
    assert [error["field"] for error in found["errors"]] == ["monthly_price"]
    number = PhoneNumber.objects.get()
    assert (number.monthly_price, number.currency) == (2.5, "EUR")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("+1415555267,US,California,Los Angeles,user", "number"),
        ("+999123456789,US,California,Los Angeles,user", "number"),
        ("911,US,California,Los Angeles,user", "number"),
        ("+1911,US,California,Los Angeles,user", "number"),
        ("+1-800-FLOWERS,US,,,toll_free", "number"),
        ("++14255550100,US,Washington,Redmond,user", "number"),
        ("+12015550123;isub=1,US,New Jersey,Newark,user", "number"),
        ("+33561000001,US,Washington,Redmond,user", "number"),
        ("+18005550100,US,Washington,Redmond,user", "number"),
        ("+14255550100,US,,,toll_free", "number"),
        (",US,Washington,Redmond,user", "number"),
        ("+14255550100,USA,Washington,Redmond,user", "country"),
        ("+14255550100,US,Washington,Redmond,person", "type"),
        ("+14255550100,US,Washington,,user", "city"),
    ],
)
def test_a_row_that_is_wrong_keeps_the_whole_file_out_and_is_named(tmp_path, row, field):
    found = load(tmp_path, ROWS[1], row)

    assert (found["added"], found["refused"]) == (0, True)
    assert [(error["row"], error["field"]) for error in found["errors"]] == [(2, field)]
    assert not PhoneNumber.objects.exists()
    assert load(tmp_path, ROWS[1], row, options=("--valid-rows-only",))["added"] == 1


def test_a_number_twice_in_a_file_is_taken_once_and_refused_when_it_says_two_things(tmp_path):
    assert load(tmp_path, ROWS[0], ROWS[0])["added"] == 1

    found = load(tmp_path, ROWS[1], ROWS[1].replace("Toulouse", "Albi"))

    assert [error["row"] for error in found["errors"]] == [2]


def test_a_file_without_the_columns_is_refused(tmp_path):
    assert "number" in load(tmp_path, "+14255550100", header="telephone")["error"]


def test_to_try_a_file_loads_nothing(tmp_path):
    found = load(tmp_path, *ROWS, options=("--dry-run",))

    assert (found["added"], found["would_add"]) == (0, 3)
    assert not PhoneNumber.objects.exists()


def test_an_owned_number_stays_in_its_country_and_of_its_type(tmp_path):
    PhoneNumberFactory(number="+14255550100", organization=MemberFactory().organization)

    found = load(tmp_path, "+14255550100,US,Washington,Redmond,service")

    assert [error["field"] for error in found["errors"]] == ["country"]


def test_numbers_are_loaded_by_those_who_run_the_installation_alone():
    row = StockRow(1, "+14255550100", "US", "Washington", "Redmond", "user", None, "")

    with pytest.raises(PermissionDenied):
        load_numbers(actor=Actor.of_member(MemberFactory(role=Member.Role.ADMINISTRATOR)), rows=[row])
    assert not PhoneNumber.objects.exists()


@pytest.mark.parametrize(
    ("written", "country", "read"),
    [
        ("+33 1 99 00 45 10", "", "+33199004510"),
        ("01 99 00 45 10", "FR", "+33199004510"),
        ("+٤٤٢٠٧٩٤٦٠٩٥٨", "", "+442079460958"),
        ("＋１４２５５５５０１００", "", "+14255550100"),
        ("+1\u200b4255550100", "", "+14255550100"),
        ("\u202d+14255550100\u202c", "", "+14255550100"),
        ("+1 (425) 555-0100", "", "+14255550100"),
    ],
)
def test_numbers_are_read_as_people_write_them(written, country, read):
    assert read_phone_number(written, country=country) == read


@pytest.mark.parametrize(
    "written",
    ["4155552671", "+1415555267", "+999123456789", "911", "112", "+1911", "+1-800-FLOWERS", "++14155552671",
     "+12015550123;isub=1", "+0014155552671", "+14155552671\r\n", "", "+1 415 555 2671 x5"],
)  # fmt: skip
def test_what_is_no_number_is_refused(written):
    with pytest.raises(NotANumber):
        read_phone_number(written)


def test_the_demo_has_a_stock_of_numbers_that_can_be_called(settings):
    settings.LOCAL = True

    for _time in range(2):
        add_stock(MemberFactory().organization)

    numbers = PhoneNumber.objects.values_list("number", flat=True)
    assert len(numbers) == sum(number for *_place, number in PLACES)
    assert {read_phone_number(number) for number in numbers} == set(numbers)
    settings.LOCAL = False
    with pytest.raises(PermissionDenied):
        add_stock(MemberFactory().organization)


def test_numbers_are_shown_in_groups():
    assert shown_number("+33199004510") == "+33 1 99 00 45 10"
    assert digits_of("+33 1 99") == "33199"
