"""Buying licenses, looking at them, and assigning them, in the pages."""

import pytest
from django.urls import reverse

from credit.selectors.balances import wallet_balance
from telephony.models import License
from tests.credit.moves import buy
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.telephony.licensed import has

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    organization = OrganizationFactory()
    buy(organization, "1000")
    return MemberFactory(organization=organization, role="voice_manager")


@pytest.fixture
def ask(client, manager):
    client.force_login(manager.user)

    def asked(name, *args, send=None, **query):
        url = reverse(f"telephony:{name}", args=[manager.organization.slug, *args])
        answer = client.get(url, query) if send is None else client.post(url, send, follow=True)
        return answer.status_code, answer.content.decode()

    return asked


def test_features_tell_what_is_owned_and_why_a_plan_is_not_offered(manager, ask):
    SeatFactory(license=LicenseFactory(organization=manager.organization, code="premium", quantity=7))

    status, page = ask("features")

    assert status == 200
    assert "Domestic Calling Plan is offered once you own Phone System" in page
    assert "€58.80" in page


def test_seats_are_bought_for_what_was_shown(manager, ask):
    _, page = ask("buy_licenses", product="phone-system", quantity=5, months=3)
    assert all(amount in page for amount in ("€8.40", "€126.00", "€1,000.00", "€874.00"))

    sent = {"product": "phone-system", "quantity": 5, "months": 3, "price": "8.4000"}
    status, page = ask("buy_licenses", send=sent)

    assert (status, "5 × Phone System (Cloud PBX) bought" in page) == (200, True)
    assert wallet_balance(manager.organization) == 874


def test_a_wallet_that_has_too_little_is_told_before_buying(ask):
    _, page = ask("buy_licenses", product="e5", quantity=100, months=12)

    assert "The wallet lacks €67,400.00 for this." in page
    assert "Buy for" not in page


def test_a_price_that_changed_is_told_and_nothing_is_bought(ask):
    status, page = ask("buy_licenses", send={"product": "premium", "quantity": 1, "months": 1, "price": "4.00"})

    assert (status, "The price has changed" in page) == (422, True)
    assert not License.objects.exists()


def test_a_license_is_canceled_and_that_is_taken_back(manager, ask):
    bought = LicenseFactory(organization=manager.organization, code="premium")

    _, page = ask("license_renewal", bought.pk, send={"quantity": 0})
    assert "Take the cancelation back" in page
    _, page = ask("license_renewal", bought.pk, send={"quantity": 10})
    assert "Cancel the license" in page
    status, page = ask("license_renewal", bought.pk, send={"quantity": 11})
    assert (status, "The license has 10 seats" in page) == (422, True)


def test_a_member_gets_features_in_their_order_and_loses_them_together(manager, ask):
    for code in ("phone-system", "calling-plan-domestic"):
        LicenseFactory(organization=manager.organization, code=code)
    member = MemberFactory(organization=manager.organization)
    name = member.user.skype_name

    _, page = ask("member_assign", name, send={"product": "calling-plan-domestic"})
    assert "needs Phone System (Cloud PBX) before Domestic Calling Plan" in page
    ask("member_assign", name, send={"product": "phone-system"})
    ask("member_assign", name, send={"product": "calling-plan-domestic"})
    assert has(member) == ["calling-plan-domestic", "phone-system"]
    _, page = ask("member_unassign", name, send={"product": "phone-system"})
    assert "Domestic Calling Plan, which requires" in page
    ask("member_unassign", name, send={"product": "phone-system", "together": "1"})
    assert has(member) == []


def test_what_another_product_includes_is_told_and_not_assigned(manager, ask):
    LicenseFactory(organization=manager.organization, code="voicemail")
    member = SeatFactory(license=LicenseFactory(organization=manager.organization, code="e5")).member

    _, page = ask("member_features", member.user.skype_name)

    assert page.count("With Enterprise E5") == 5
