"""The members list narrowed to those whose credit is low."""

from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from credit import low_balances
from credit.models import LedgerAccount
from credit.models.ledger import BOUNDS
from members.models import Member
from members.selectors import member_pages
from tests.credit.moves import allocate, buy, charge
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
HELD = {"Ann": "0.0001", "Bo": "0.9999", "Cy": "1", "Di": "4.99", "Ed": "5", "Flo": "1000"}


@pytest.fixture
def organization():
    organization = OrganizationFactory(slug="acme")
    buy(organization, "10000")
    return organization


@pytest.fixture
def people(organization):
    """Those of HELD; Gus, who owes for a call; Ida, whose account is empty again; Jo, who never got any."""
    found = {
        name: MemberFactory(organization=organization, user__first_name=name) for name in (*HELD, "Gus", "Ida", "Jo")
    }
    for name, amount in HELD.items():
        allocate(found[name], amount)
    charge(found["Gus"], "2.50")
    allocate(found["Ida"], "3")
    charge(found["Ida"], "3")
    return found


@pytest.fixture
def listed(client, organization):
    boss = MemberFactory(organization=organization, admin=True, user__first_name="Zoé")
    allocate(boss, "5000")
    client.force_login(boss.user)
    return lambda query: client.get(reverse("members:member_list", args=["acme"]) + query)


def names(response):
    return [row.member.user.first_name for row in response.context["rows"]]


@pytest.mark.parametrize("window", [3, 2_000])
@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("overdrawn", ["Gus"]),
        ("1", ["Ann", "Bo", "Gus", "Ida", "Jo"]),
        ("5", ["Ann", "Bo", "Cy", "Di", "Gus", "Ida", "Jo"]),
        ("1000", ["Ann", "Bo", "Cy", "Di", "Ed", "Gus", "Ida", "Jo"]),
        ("7", ["Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Ida", "Jo", "Zoé"]),
    ],
)
def test_whoever_has_less_is_found_also_who_never_got_any(people, listed, monkeypatch, choice, found, window):
    monkeypatch.setattr(member_pages, "WINDOW", window)

    response = listed(f"?credit={choice}")

    assert names(response) == found
    assert f"{len(found)} of {len(found)} member" in response.text
    assert names(listed(f"?credit={choice}&sort=-name")) == found[::-1]


def test_the_choices_are_in_the_currency_of_the_organization(people, listed):
    response = listed("?credit=5")

    assert [str(chip.label) for chip in response.context["asked"].chips()] == ["Credit below €5.00"]
    [offered] = [entry for entry, _options in response.context["filters"] if entry.key == "credit"]
    assert [str(label) for _value, label in offered.choices][:2] == ["Overdrawn", "Credit below €1.00"]


def test_both_ways_to_ask_find_the_same(organization, people):
    members = Member.objects.of(organization)
    for choice, _label in low_balances.choices(organization):
        parts = [set(part) for part in low_balances.below_in_parts(members, choice)]

        assert set.union(*parts) == set(low_balances.below(members, choice))
        assert sum(map(len, parts)) == len(set.union(*parts))


def test_a_band_tells_how_many_bounds_a_balance_has_reached(people):
    for account in LedgerAccount.objects.filter(kind="member"):
        assert account.band == sum(account.balance >= bound for bound in BOUNDS)
    assert not LedgerAccount.objects.filter(balance=None).exclude(band=None).exists()


def test_a_transfer_that_stays_in_its_band_writes_to_no_index(organization, people):
    def hot_and_all():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_xact_all_tables WHERE relname = 'credit_ledgeraccount'"
            )
            return cursor.fetchone()

    before = hot_and_all()
    charge(people["Flo"], "0.01")
    allocate(people["Flo"], "0.01")
    charge(people["Ed"], "0.01")
    hot, updated = (now - then for now, then in zip(hot_and_all(), before, strict=True))

    # Ed's leaves its band, once; Flo's does as well, and comes back.
    assert (updated, updated - hot) == (4, 3)
    before = hot_and_all()
    for _call in range(5):
        charge(people["Flo"], Decimal("0.01") if _call else Decimal("1"))
    hot, updated = (now - then for now, then in zip(hot_and_all(), before, strict=True))
    assert (updated, updated - hot) == (5, 1)
