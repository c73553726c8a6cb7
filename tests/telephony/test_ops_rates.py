"""Rates as operators load, ask and compare them in a browser."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from members.access import Actor
from skypemgr.clock import DatabaseClock
from telephony.models import PrefixRate, RateDeck, RateDeckVersion, RateUpload
from telephony.rate_file import open_rates
from telephony.selectors.rates import Difference, compare_versions, uncovered_by
from telephony.services.rate_work import KEPT, forget_uploads
from telephony.services.rates import load_rates
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

HEADER = "prefix,destination,per_minute,connection_fee,first_increment,currency,valid_from"
FIRST = (
    "33,France,0.02,0,60,EUR,2026-01-01",
    "34,Spain,0.03,0.1,60,EUR,2026-01-01",
    "44,GB,0.000215,0,60,EUR,2026-01-01",
)
SECOND = (
    "33,France,0.02,0,1,EUR,2026-02-01",
    "34,Spain,0.04,0.1,60,EUR,2026-02-01",
    "49,Germany,0.01,0,60,EUR,2026-02-01",
)


def content(*rows):
    return "\n".join([HEADER, *rows, ""]).encode()


def load(*rows, organization=None):
    load_rates(actor=Actor.system(), rows=open_rates(BytesIO(content(*rows))).rows(), organization=organization)
    return RateDeckVersion.objects.latest("pk")


def url(name, *args):
    return reverse(f"telephony_ops:{name}", args=args)


def upload(client, *rows, **fields):
    file = SimpleUploadedFile("rates.csv", content(*rows), content_type="text/csv")
    return client.post(url("rate_deck_list"), {"file": file, "decimals": 4, **fields}, follow=True)


def test_a_file_shows_what_differs_and_is_loaded_when_that_is_wanted(client, operator):
    load(*FIRST)

    shown = upload(client, *SECOND).text

    assert "Version 2, from " in shown
    assert "Dearer <strong>1</strong> · Billed otherwise <strong>1</strong> · New <strong>1</strong>" in shown
    assert "Gone <strong>1</strong>" in shown
    assert RateDeckVersion.objects.count() == 1, "it was only looked at"
    [kept] = RateUpload.objects.all()
    done = client.post(url("rate_upload", kept.pk), follow=True)
    assert "3 rates are loaded." in done.text
    assert RateDeckVersion.objects.latest("number").loaded_by == operator
    assert not RateUpload.objects.exists()
    assert client.post(url("rate_upload", kept.pk)).status_code == 404, "sent again it loads nothing"


def test_the_same_rates_again_leave_nothing_to_load(client, operator):
    load(*FIRST)

    shown = upload(client, *FIRST).text

    assert "The same as version 1: nothing changes." in shown
    assert "Load these rates" not in shown


def test_wrong_rows_are_told_and_nothing_is_loaded(client, operator):
    shown = upload(client, "0033,France,0.02,0,60,EUR,2026-01-01", FIRST[1]).text

    assert "The prefix is the first digits of a number" in shown
    [kept] = RateUpload.objects.all()
    assert client.post(url("rate_upload", kept.pk)).status_code == 200
    assert not RateDeck.objects.exists()
    client.post(url("rate_upload_drop", kept.pk))
    assert not RateUpload.objects.exists()


def test_what_is_no_file_of_rates_is_told_beside_the_field(client, operator):
    file = SimpleUploadedFile("people.csv", b"name,mail\nLena,lena@example.test\n")

    answer = client.post(url("rate_deck_list"), {"file": file, "decimals": 4})

    assert answer.status_code == 422
    assert "The file needs the columns prefix, destination" in answer.text
    assert "There is no organization with this address." in upload(client, *FIRST, organization="nobody").text
    assert not RateUpload.objects.exists()


def test_an_organization_gets_a_deck_of_its_own(client, operator):
    own = OrganizationFactory(slug="lumiere", name="Lumière", currency="EUR")

    upload(client, *FIRST, organization="lumiere", decimals=2)
    client.post(url("rate_upload", RateUpload.objects.get().pk))

    version = RateDeckVersion.objects.get()
    assert (version.deck.organization, version.decimals) == (own, 2)
    assert "Lumière" in client.get(url("rate_deck_list")).text


def test_a_deck_says_what_a_call_costs_and_why(client, operator):
    version = load(*FIRST)
    page = url("rate_deck", version.deck_id)

    asked = client.get(page, {"number": "+34 910 12 34 56", "seconds": 61}).text

    assert "€0.16" in asked
    assert "0.1 + 0.03 × 120 ÷ 60 → 0.1600" in asked
    assert "€0.000215" in asked, "a rate is shown to its last decimal"
    assert "no rate for it" in client.get(page, {"number": "+49 30 901820", "seconds": 60}).text
    assert "no rate for it" in client.get(page, {"number": "+33199004510", "seconds": 60, "day": "2025-12-31"}).text
    assert client.get(page, {"number": "12", "seconds": 60}).status_code == 422


@pytest.mark.parametrize(("search", "found"), [("spain", ["34"]), ("+34910123456", ["34"]), ("4", ["44"]), ("x9", [])])
def test_rates_are_found_by_destination_prefix_and_number(client, operator, search, found):
    version = load(*FIRST)

    page = client.get(url("rate_deck", version.deck_id), {"q": search}).context["page"]

    assert [one.prefix for one in page.rows] == found


def test_versions_are_compared_by_what_prefixes_cost_in_the_end(client, operator):
    old = load(*FIRST, "39,Italy,0.5,0,60,EUR,2026-01-01", "39,Italy,0.1,0,60,EUR,2026-01-15")
    new = load(*SECOND, "39,Italy,0.1,0,60,EUR,2026-02-01", "390,Italy,0.1,0,60,EUR,2026-02-01")

    found = compare_versions(old, new)

    assert {row.prefix: row.kind for row in found.rows} == {
        "33": Difference.OTHER,
        "34": Difference.DEARER,
        "390": Difference.ADDED,
        "44": Difference.REMOVED,
        "49": Difference.ADDED,
    }
    assert [row.prefix for row in found.rows] == ["33", "34", "390", "44", "49"]
    assert [row.prefix for row in compare_versions(old, new, after="34", limit=2).rows] == ["390", "44"]
    assert [row.prefix for row in compare_versions(old, new, kind=Difference.ADDED).rows] == ["390", "49"]
    assert compare_versions(new, old).counts[Difference.CHEAPER] == 1
    shown = client.get(url("rate_comparison", new.pk), {"kind": "dearer"})
    assert [row.prefix for row in shown.context["rows"]] == ["34"]
    file = client.get(url("rate_comparison", new.pk), {"file": "csv"}).getvalue().decode("utf-8-sig")
    assert "34,Spain,Dearer,0.030000,0.040000,0.100000,0.100000" in file.splitlines()


def test_two_decks_of_a_currency_are_compared_and_none_of_another(client, operator):
    own = OrganizationFactory(currency="EUR")
    general, usd = load(*FIRST), load(FIRST[0].replace("EUR", "USD"))
    special = load(FIRST[0].replace("0.02", "0.01"), organization=own)

    shown = client.get(url("rate_comparison", special.pk), {"with": general.pk})

    assert [(row.prefix, row.kind) for row in shown.context["rows"]] == [
        ("33", Difference.CHEAPER),
        ("34", Difference.REMOVED),
        ("44", Difference.REMOVED),
    ]
    assert usd not in shown.context["choices"]


def test_countries_without_a_rate_are_told():
    version = load(
        "1,NANP,1,0,60,EUR,2026-01-01", "3319,Paris,1,0,60,EUR,2026-01-01", "35,Elsewhere,1,0,60,EUR,2026-01-01"
    )

    found = {one.code: (one.countries, one.partly) for one in uncovered_by(version)}

    assert found["33"] == ("France", True)
    assert found["34"] == ("Spain", False)
    assert found["7"] == ("Russia, Kazakhstan", False)
    assert not {"1", "351", "352"} & set(found), "a shorter prefix covers them"


def test_files_that_nobody_loads_are_forgotten_after_a_day(client, operator):
    upload(client, *FIRST)
    assert forget_uploads() == 0

    RateUpload.objects.update(uploaded_at=DatabaseClock() - KEPT)

    assert forget_uploads() == 1
    assert not PrefixRate.objects.exists()


def test_to_everybody_else_there_are_no_rates(client):
    version = load(*FIRST)
    client.force_login(UserFactory())

    for page in (url("rate_deck_list"), url("rate_deck", version.deck_id), url("rate_comparison", version.pk)):
        assert client.get(page).status_code == 404
