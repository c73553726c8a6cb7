"""What seats cost, set by operators."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction
from django.urls import reverse

from members.access import Actor
from telephony.licensing import renewal_cost
from telephony.models import License, PriceChange, ProductPrice
from telephony.services.prices import set_prices
from tests.credit.moves import buy
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory
from tests.telephony.licensed import buying, product

pytestmark = pytest.mark.django_db

SENT = {"EUR": "5.50", "USD": "4.99", "GBP": "4.20", "SEK": "52"}


def url(name, *args):
    return reverse(f"telephony_ops:{name}", args=args)


def price(currency="EUR"):
    return (
        ProductPrice.objects.filter(product__code="premium", currency=currency)
        .values_list("monthly", flat=True)
        .first()
    )


def test_an_operator_sets_a_price_and_it_stands_there_who_did(client, operator):
    assert "€4.99" in client.get(url("price_list")).text

    answer = client.post(url("price", "premium"), SENT, follow=True)

    assert "The prices of Skype Premium are saved." in answer.text
    assert "€5.50" in answer.text
    assert operator.display_name in answer.text
    assert PriceChange.objects.count() == 1
    client.post(url("price", "premium"), SENT)
    assert PriceChange.objects.count() == 1, "what stays as it is is no change"


def test_a_price_counts_for_what_is_bought_from_then_on_and_from_the_next_renewal_on():
    organization = OrganizationFactory()
    buy(organization, "100")
    owned = LicenseFactory(organization=organization, code="premium", quantity=1, monthly_price=Decimal("4.99"))

    set_prices(actor=Actor.system(), product=product("premium"), prices={"EUR": Decimal(7)})

    assert buying(organization, "premium").monthly_price == 7
    owned = License.objects.get(pk=owned.pk)
    assert owned.monthly_price == Decimal("4.99")
    assert renewal_cost(owned) == 7


def test_a_price_taken_away_is_no_price(client, operator):
    client.post(url("price", "premium"), {**SENT, "GBP": ""})

    assert price("GBP") is None
    assert price("EUR") == Decimal("5.50")


@pytest.mark.parametrize("wrong", ["-1", "x", "1.234"])
def test_what_is_no_price_changes_nothing(client, operator, wrong):
    answer = client.post(url("price", "premium"), {**SENT, "EUR": wrong})

    assert answer.status_code == 422
    assert price() == Decimal("4.99")


def test_nobody_else_sets_prices(client):
    member = MemberFactory(admin=True)
    client.force_login(member.user)

    assert client.get(url("price_list")).status_code == 404
    with pytest.raises(PermissionDenied):
        set_prices(actor=Actor.of_member(member), product=product("premium"), prices={"EUR": Decimal(0)})


def test_what_was_set_stays_on_record():
    set_prices(actor=Actor.system(), product=product("premium"), prices={"EUR": Decimal(7)})

    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        PriceChange.objects.all().delete()


def run(*arguments):
    out = StringIO()
    call_command("set_price", "--product", "premium", "--currency", "EUR", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_price_is_set_by_command_as_on_the_page():
    assert run("--monthly", "5.50", "--dry-run")["would_be"] == "5.5000"
    assert price() == Decimal("4.99")

    told = run("--monthly", "5.50")

    assert (told["before"], told["monthly"], told["changed"]) == ("4.9900", "5.5000", 1)
    assert price() == Decimal("5.50")
    assert run("--monthly", "5.50")["changed"] == 0
    assert PriceChange.objects.count() == 1
    assert run("--not-sold")["monthly"] is None
    assert price() is None
    assert price("USD") is not None


@pytest.mark.parametrize("wrong", ["5,5,0", "-1", "1.001", "free"])
def test_the_command_takes_no_price_that_the_page_would_not(wrong):
    with pytest.raises(CommandError):
        run(f"--monthly={wrong}")

    assert price() == Decimal("4.99")
