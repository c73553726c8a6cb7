"""What a number costs is paid from the wallet: a month when it is acquired, and each month after that."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from credit.models import Transfer
from credit.selectors.balances import wallet_balance
from members.models import Member
from telephony.license_errors import WalletTooSmall
from telephony.licensing import today_of
from telephony.models import PhoneNumber
from telephony.services.number_work import renew_numbers
from tests.credit.moves import buy
from tests.factories import MemberFactory
from tests.telephony.stock import allow, stocked
from tests.telephony.test_reservations import acquire, release, reserve
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    member = MemberFactory(role=Member.Role.VOICE_MANAGER)
    open_voice(member.organization)
    allow(member.organization, 100)
    buy(member.organization, "10")
    return member


@pytest.fixture
def area():
    area = stocked(4)
    PhoneNumber.objects.update(monthly_price=2, currency="EUR")
    return area


def renew(member):
    renew_numbers(SimpleNamespace(organization=member.organization))


def test_the_first_month_is_paid_when_numbers_are_acquired(manager, area):
    acquire(manager, reserve(manager, area, 3))

    assert wallet_balance(manager.organization) == Decimal(4)
    fee = Transfer.objects.get(operation="fee")
    assert fee.amount == Decimal(6)
    assert (
        PhoneNumber.objects.of(manager.organization).filter(renews_on__gt=today_of(manager.organization)).count() == 3
    )


def test_what_the_wallet_does_not_cover_is_not_acquired(manager, area):
    PhoneNumber.objects.update(monthly_price=4)
    reservation = reserve(manager, area, 3)

    with pytest.raises(WalletTooSmall):
        acquire(manager, reservation)


def test_numbers_are_renewed_once_on_their_day(manager, area):
    acquire(manager, reserve(manager, area, 2))
    renew(manager)
    assert wallet_balance(manager.organization) == Decimal(6)
    today = today_of(manager.organization)
    PhoneNumber.objects.of(manager.organization).update(anchored_on=today - timedelta(days=31), renews_on=today)

    for _time in range(2):
        renew(manager)

    assert wallet_balance(manager.organization) == Decimal(2)
    assert PhoneNumber.objects.of(manager.organization).filter(renews_on__gt=today).count() == 2


def test_what_the_wallet_does_not_cover_is_renewed_when_it_does(manager, area):
    acquire(manager, reserve(manager, area, 4))
    PhoneNumber.objects.of(manager.organization).update(
        anchored_on=date(2026, 1, 31), renews_on=today_of(manager.organization)
    )

    renew(manager)
    assert wallet_balance(manager.organization) == Decimal(2)
    buy(manager.organization, "10")
    renew(manager)

    assert wallet_balance(manager.organization) == Decimal(4)


def test_what_was_given_back_is_not_renewed(manager, area):
    [number] = acquire(manager, reserve(manager, area, 1))

    release(manager, number)

    number.refresh_from_db()
    assert number.renews_on is None


def test_what_costs_nothing_moves_nothing(manager):
    acquire(manager, reserve(manager, stocked(2, city="Seattle"), 2))
    renew(manager)

    assert not Transfer.objects.filter(operation="fee").exists()
