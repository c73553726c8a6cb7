"""Seats bought from the wallet: what they cost, what is offered, and what happens to them at the end of a period."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from credit.models import Transfer
from credit.selectors.balances import wallet_balance
from members.access import Actor
from members.errors import KeyReused
from members.models import AuditEntry
from telephony.license_errors import (
    LicenseHasEnded,
    MoreThanBought,
    NoPrice,
    NotOffered,
    NotSold,
    PriceChanged,
    QuantityOutOfRange,
    SeatsAreTaken,
    WalletTooSmall,
)
from telephony.licensing import end_of_period, today_of
from telephony.models import License, LicensePeriod, Product, ProductPrice
from telephony.services.licenses import change_renewal
from tests.credit.moves import buy
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.telephony.licensed import buying

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    found = OrganizationFactory()
    buy(found, "1000")
    return found


def test_seats_are_paid_from_the_wallet_for_their_whole_period(organization):
    bought = buying(organization, quantity=10, months=3)

    assert wallet_balance(organization) == Decimal("748.0000")
    [period] = LicensePeriod.objects.all()
    transfer = period.transfer
    assert (period.amount, period.quantity) == (Decimal("252.0000"), 10)
    assert (transfer.amount, transfer.operation) == (period.amount, "fee")
    assert (transfer.source.kind, transfer.target.kind) == ("wallet", "fees")
    assert (period.begins_on, period.ends_before) == (today_of(organization), bought.renews_on)
    entry = AuditEntry.objects.get(action="license.bought")
    assert entry.after["product"] == "phone-system"


def test_nothing_is_bought_when_the_wallet_has_too_little(organization):
    with pytest.raises(WalletTooSmall) as caught:
        buying(organization, "e5", quantity=18)

    assert (caught.value.balance, caught.value.wanted) == (1000, 1026)
    assert not License.objects.exists()
    assert wallet_balance(organization) == 1000


def test_the_same_key_buys_once(organization):
    key = uuid4()

    first = buying(organization, quantity=2, key=key)
    again = buying(organization, quantity=2, key=key)

    assert first == again
    assert Transfer.objects.filter(operation="fee").count() == 1
    with pytest.raises(KeyReused):
        buying(organization, quantity=3, key=key)


def test_a_calling_plan_is_offered_once_phone_system_is_owned(organization):
    with pytest.raises(NotOffered, match="Phone System"):
        buying(organization, "calling-plan-domestic")

    buying(organization)
    buying(organization, "calling-plan-domestic")


def test_a_calling_plan_is_offered_to_whoever_owns_e5(organization):
    buying(organization, "e5")

    assert buying(organization, "calling-plan-international").quantity == 1


def test_a_sleeping_phone_system_offers_no_calling_plan(organization):
    now = timezone.now()
    LicenseFactory(organization=organization, grace_since=now, asleep_since=now)

    with pytest.raises(NotOffered):
        buying(organization, "calling-plan-domestic")


@pytest.mark.parametrize("quantity", [0, -1, 100_001])
def test_a_quantity_has_its_bounds(organization, quantity):
    with pytest.raises(QuantityOutOfRange):
        buying(organization, quantity=quantity)


def test_what_has_no_price_or_is_not_sold_is_not_bought(organization):
    ProductPrice.objects.filter(product__code="premium", currency="EUR").delete()
    Product.objects.filter(code="voicemail").update(on_sale=False)

    with pytest.raises(NoPrice):
        buying(organization, "premium")
    with pytest.raises(NotSold):
        buying(organization, "voicemail")


def test_a_price_that_changed_since_it_was_shown_is_not_paid(organization):
    with pytest.raises(PriceChanged):
        buying(organization, expected_price=Decimal("8.00"))

    buying(organization, expected_price=Decimal("8.40"))


def test_only_those_who_manage_voice_buy(organization):
    member = MemberFactory(organization=organization, role="credit_manager")

    with pytest.raises(PermissionDenied):
        buying(organization, actor=Actor.of_member(member))
    buying(organization, actor=Actor.of_member(MemberFactory(organization=organization, role="voice_manager")))


def renewing(bought, quantity):
    return change_renewal(
        actor=Actor.system(), organization=bought.organization, bought=bought, quantity=quantity
    ).renewed_quantity


def test_a_license_is_canceled_reduced_and_taken_back():
    bought = LicenseFactory(quantity=10)
    SeatFactory(license=bought)

    assert [renewing(bought, quantity) for quantity in (0, 10, 4, 4)] == [0, 10, 4, 4]
    assert AuditEntry.objects.filter(action="license.renewal_changed").count() == 3


def test_a_license_is_not_reduced_below_the_seats_that_are_taken():
    bought = LicenseFactory(quantity=10)
    SeatFactory.create_batch(3, license=bought)

    with pytest.raises(SeatsAreTaken):
        renewing(bought, 2)
    with pytest.raises(MoreThanBought):
        renewing(bought, 11)
    assert renewing(bought, 3) == 3


def test_the_renewal_of_an_ended_license_stays():
    with pytest.raises(LicenseHasEnded):
        renewing(LicenseFactory(ended_at="2026-01-01T00:00Z"), 0)


def test_the_license_of_another_organization_is_not_changed():
    with pytest.raises(PermissionDenied):
        change_renewal(actor=Actor.system(), organization=OrganizationFactory(), bought=LicenseFactory(), quantity=0)


@pytest.mark.parametrize(
    ("anchor", "months", "ends"),
    [
        ("2026-01-31", 1, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2027-11-30", 3, ["2028-02-29", "2028-05-30", "2028-08-30"]),
        ("2028-02-29", 12, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("2026-12-15", 1, ["2027-01-15", "2027-02-15"]),
    ],
)
def test_periods_come_back_to_the_day_they_began_with(anchor, months, ends):
    first = day = date.fromisoformat(anchor)
    found = []
    for _ in ends:
        day = end_of_period(first, day, months)
        found.append(day.isoformat())

    assert found == ends


@given(
    st.dates(date(2020, 1, 1), date(2060, 1, 1)),
    st.sampled_from([1, 3, 12]),
    st.integers(min_value=1, max_value=40),
)
def test_periods_follow_each_other_month_by_month(anchor, months, number):
    day = anchor
    for _ in range(number):
        last, day = day, end_of_period(anchor, day, months)
        passed = 12 * (day.year - last.year) + day.month - last.month
        assert passed == months
        assert day.day <= anchor.day
        assert day.day == anchor.day or (day.month in {2, 4, 6, 9, 11} and anchor.day > 28)
