"""The VAT of a purchase: which rule, how it is rounded, and what goes back of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.models import Treatment
from credit.vat import Price, Vat, part_of, price_of, read_vat_id, vat_for

RATES = {"LU": Decimal(17), "FR": Decimal(20)}
CURRENCIES = {"EUR": 2, "JPY": 0, "TND": 3}


def rule(buyer, *, vat_id="", evidence=False, seller="LU"):
    found = vat_for(seller_country=seller, rates=RATES, buyer_country=buyer, buyer_vat_id=vat_id, evidence=evidence)
    return found.treatment.value, found.rate


def test_at_home_the_sellers_rate_applies_whatever_vat_id_there_is():
    assert rule("LU") == ("standard", 17)
    assert rule("LU", vat_id="LU12345613", evidence=True) == ("standard", 17)


def test_in_another_country_of_the_eu_its_own_rate_applies_if_there_is_one():
    assert rule("FR") == ("standard", 20)
    assert rule("AT") == ("standard", 17)


def test_reverse_charge_needs_a_vat_id_of_the_buyers_country_and_evidence():
    assert rule("FR", vat_id="FR40303265045", evidence=True) == ("reverse_charge", 0)
    assert rule("FR", vat_id="FR40303265045") == ("standard", 20)
    assert rule("FR", evidence=True) == ("standard", 20)
    assert rule("FR", vat_id="DE136695976", evidence=True) == ("standard", 20)
    assert rule("GR", vat_id="EL094259216", evidence=True) == ("reverse_charge", 0)


def test_outside_the_eu_there_is_no_vat():
    assert rule("US") == ("outside", 0)
    assert rule("GB", vat_id="GB980780684", evidence=True) == ("outside", 0)
    assert rule("FR", seller="US") == ("outside", 0)


@pytest.mark.parametrize("wrong", ["FR40303265046", "40303265045", "XX123", "", "GB980780684", "FR 403 032"])
def test_what_is_no_vat_id_of_the_eu_is_refused(wrong):
    with pytest.raises(ValueError, match=wrong or "^$"):
        read_vat_id(wrong)


def test_a_vat_id_is_kept_compact():
    assert read_vat_id(" fr 40 303 265 045 ") == "FR40303265045"


@pytest.mark.parametrize(
    ("net", "rate", "currency", "vat"),
    [
        ("10.00", "20", "EUR", "2.00"),
        ("0.01", "20", "EUR", "0.00"),
        ("0.03", "17", "EUR", "0.01"),
        ("12.50", "17", "EUR", "2.13"),
        ("33.33", "25.5", "EUR", "8.50"),
        ("125", "10", "JPY", "13"),
        ("1.005", "10", "TND", "0.101"),
    ],
)
def test_vat_is_rounded_once_half_up_to_the_places_of_the_currency(net, rate, currency, vat):
    price = price_of(Decimal(net), Vat(Treatment.STANDARD, Decimal(rate)), currency)

    assert price.vat == Decimal(vat)
    assert price.gross == Decimal(net) + Decimal(vat)


@st.composite
def prices(draw):
    currency = draw(st.sampled_from(list(CURRENCIES)))
    net = draw(st.integers(1, 10**9)) * Decimal(1).scaleb(-CURRENCIES[currency])
    rate = draw(st.decimals(0, 50, places=2))
    return price_of(net, Vat(Treatment.STANDARD, rate), currency), currency


@given(prices())
def test_vat_is_never_off_by_more_than_half_a_unit(drawn):
    price, currency = drawn

    assert price.gross == price.net + price.vat
    assert abs(price.vat - price.net * price.vat_rate / 100) * 2 <= Decimal(1).scaleb(-CURRENCIES[currency])


@given(prices(), st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_what_goes_back_in_parts_goes_back_whole(drawn, weights):
    price, currency = drawn
    unit = Decimal(1).scaleb(-CURRENCIES[currency])
    before = net_before = vat_before = Decimal(0)
    for weight in weights:
        back = max(unit, (price.gross * weight / 700).quantize(unit))
        if before + back >= price.gross:
            break
        part = checked_part(price, back, before, net_before, currency)
        before, net_before, vat_before = before + part.gross, net_before + part.net, vat_before + part.vat
    rest = checked_part(price, price.gross - before, before, net_before, currency)

    assert (net_before + rest.net, vat_before + rest.vat) == (price.net, price.vat)


def checked_part(price: Price, back, before, net_before, currency) -> Price:
    part = part_of(price, back=back, before=before, net_before=net_before, currency=currency)
    assert part.gross == part.net + part.vat == back
    assert part.net >= 0
    assert part.vat >= 0
    return part
