"""Licenses at the end of what is paid: renewed once, ended, unpaid, asleep and awake again."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import timezone

from credit.selectors.balances import wallet_balance
from members.access import Actor
from members.models import AuditEntry, Member
from skypemgr.invariants import all_invariants
from telephony.license_errors import NoFreeSeat
from telephony.licensing import today_of
from telephony.models import License, LicenseAssignment, LicensePeriod, ProductPrice
from telephony.services.license_work import free_seats_of_left, renew_due, retry_licenses
from telephony.services.licenses import change_renewal
from tests.closings import close
from tests.credit.moves import buy
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory
from tests.telephony.licensed import assigning, buying, has

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    found = OrganizationFactory()
    buy(found, "100")
    return found


@pytest.fixture(autouse=True)
def nothing_contradicts_itself(db):
    yield
    for name, asked in all_invariants().items():
        if name.startswith("telephony."):
            assert list(asked()) == [], name


def due(bought, days=0):
    """Have the period of a license end so many days ago: nothing but a test can."""
    bought.refresh_from_db()
    until = today_of(bought.organization) - timedelta(days=days)
    start = until - timedelta(days=30)
    License.objects.filter(pk=bought.pk).update(began_on=start, anchored_on=start, renews_on=until)
    LicensePeriod.objects.create(
        organization=bought.organization,
        license=bought,
        begins_on=start,
        ends_before=until,
        quantity=bought.quantity,
        amount=0,
    )


def had(organization, code="phone-system", quantity=1):
    """A license that was bought long ago."""
    bought = LicenseFactory(organization=organization, code=code, quantity=quantity)
    due(bought, days=200)
    return bought


def renewed(bought):
    renew_due(bought.organization)
    bought.refresh_from_db()
    return bought


def waited(bought, days):
    """Have it been unpaid since so many days."""
    License.objects.filter(pk=bought.pk).update(grace_since=timezone.now() - timedelta(days=days))


def empty(organization):
    buying(organization, "caller-id", quantity=int(wallet_balance(organization)))


def test_what_is_due_is_paid_once_however_often_it_is_looked_at(organization):
    bought = had(organization, quantity=2)
    due(bought)
    before = wallet_balance(organization)

    for _ in range(3):
        renewed(bought)

    assert before - wallet_balance(organization) == Decimal("16.80")
    assert bought.renews_on > today_of(organization)
    assert AuditEntry.objects.filter(action="license.renewed").count() == 1


def test_what_is_not_due_is_left_alone(organization):
    bought = buying(organization)

    assert renewed(bought).periods.count() == 1


def test_every_period_that_was_missed_is_paid_and_they_follow_each_other(organization):
    bought = had(organization)
    due(bought, days=65)

    renewed(bought)

    periods = list(LicensePeriod.objects.filter(license=bought).order_by("begins_on"))[2:]
    assert len(periods) == 4
    assert all(first.ends_before == second.begins_on for first, second in pairwise(periods))


def test_a_renewal_costs_what_the_product_costs_then(organization):
    bought = had(organization)
    ProductPrice.objects.filter(product=bought.product, currency="EUR").update(monthly=10)
    due(bought)

    assert renewed(bought).monthly_price == 10


def test_a_product_without_a_price_is_renewed_at_the_last_one(organization):
    bought = had(organization)
    ProductPrice.objects.filter(product=bought.product).delete()
    due(bought)

    assert renewed(bought).monthly_price == Decimal("8.40")


def test_a_canceled_license_ends_and_its_people_lose_what_requires_it_too(organization):
    bought, plan = had(organization), buying(organization, "calling-plan-domestic")
    member = MemberFactory(organization=organization)
    assigning("phone-system", member)
    assigning("calling-plan-domestic", member)
    change_renewal(actor=Actor.system(), organization=organization, bought=bought, quantity=0)
    due(bought)

    assert renewed(bought).state == "ended"
    assert has(member) == []
    assert dict(LicenseAssignment.objects.values_list("product__code", "ending")) == {
        "phone-system": "expired",
        "calling-plan-domestic": "requirement",
    }
    plan.refresh_from_db()
    assert (plan.state, plan.assigned) == ("active", 0)


def test_people_of_a_license_that_ends_go_on_with_free_seats(organization):
    bought, other = had(organization, quantity=2), buying(organization, quantity=1)
    first, second = MemberFactory.create_batch(2, organization=organization)
    License.objects.filter(pk=other.pk).update(renewed_quantity=0)
    assigning("phone-system", first, second)
    License.objects.filter(pk=other.pk).update(renewed_quantity=1)
    change_renewal(actor=Actor.system(), organization=organization, bought=bought, quantity=0)
    due(bought)

    renewed(bought)

    assert (has(first), has(second)) == (["phone-system"], [])
    other.refresh_from_db()
    assert other.assigned == 1


def test_a_reduced_license_renews_fewer_seats(organization):
    bought = had(organization, quantity=5)
    change_renewal(actor=Actor.system(), organization=organization, bought=bought, quantity=2)
    due(bought)
    before = wallet_balance(organization)

    assert renewed(bought).quantity == 2
    assert before - wallet_balance(organization) == Decimal("16.80")


def test_a_wallet_too_low_gives_three_days_and_then_the_seats_sleep(organization):
    bought = had(organization)
    member = MemberFactory(organization=organization)
    assigning("phone-system", member)
    empty(organization)
    due(bought)

    assert renewed(bought).state == "grace"
    waited(bought, 2.9)
    assert renewed(bought).state == "grace"
    waited(bought, 3)
    assert renewed(bought).state == "asleep"
    assert has(member) == ["phone-system"]
    assert renewed(bought).state == "asleep"
    assert AuditEntry.objects.filter(action="license.asleep").count() == 1


def test_what_is_paid_within_grace_goes_on_from_the_day_it_was_due(organization):
    bought = had(organization)
    empty(organization)
    due(bought, days=2)
    renewed(bought)
    buy(organization, "50")

    retry_licenses()

    bought.refresh_from_db()
    assert bought.state == "active"
    assert bought.began_on == today_of(organization) - timedelta(days=2)


def test_a_sleeping_license_wakes_when_funded_and_pays_from_that_day(organization):
    bought = had(organization)
    empty(organization)
    due(bought, days=20)
    renewed(bought)
    waited(bought, 4)
    assert renewed(bought).state == "asleep"
    buy(organization, "50")

    retry_licenses()

    bought.refresh_from_db()
    assert bought.state == "active"
    assert bought.began_on == today_of(organization)


def test_people_of_a_sleeping_license_go_on_with_free_seats_or_get_new_ones(organization):
    bought = had(organization, quantity=2)
    first, second = MemberFactory.create_batch(2, organization=organization)
    assigning("phone-system", first, second)
    other = buying(organization, quantity=1)
    empty(organization)
    due(bought)
    renewed(bought)
    waited(bought, 3)
    renewed(bought)

    awake = LicenseAssignment.objects.open().awake()
    assert list(awake.values_list("member_id", "license_id")) == [(first.pk, other.pk)]
    with pytest.raises(NoFreeSeat):
        assigning("phone-system", second)
    buy(organization, "8.40")
    buying(organization)
    assert assigning("phone-system", second) == 1
    assert awake.count() == 2


def test_whoever_left_with_a_personal_account_frees_the_seat(organization):
    buying(organization, "premium", quantity=2)
    personal = MemberFactory(organization=organization, personal=True)
    business = MemberFactory(organization=organization)
    assigning("premium", personal, business)
    Member.objects.filter(organization=organization).update(state="left")

    free_seats_of_left(organization=organization)

    assert (has(personal), has(business)) == ([], ["premium"])


def test_a_closed_organization_pays_nothing(organization):
    bought = had(organization)
    due(bought, days=1)
    waited(bought, 1)
    close(organization)

    retry_licenses()

    assert bought.periods.count() == 3
