"""An organization that is closed while somebody calls that off, or moves its credit."""

from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction

from credit.ledger import Move, account_of, accounts_of, post
from credit.models import Transfer
from credit.services.allocation import allocate_credit
from members.access import Actor
from members.errors import OrganizationClosed
from members.models import Organization
from members.services.closing import call_closing_off
from members.services.closing_work import close_organization, finish_closing
from tests.closings import let_come
from tests.credit.cards import balance, checkout_for, make_company, tell, tell_all
from tests.credit.recharges import call, pay
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)

# Right after a message has found its organization open.
FOUND_OPEN = '"members_organization"."closed_at" IS NULL'
HOLD_OPEN = {"without": r"pg_advisory_xact_lock_shared\(74150, %s\)", "instead": "%s"}
CLOSE_WALLET = {"without": r"credit_close\(%s\)", "instead": "%s"}


@pytest.fixture
def organization():
    organization = OrganizationFactory()
    MemberFactory(organization=organization, admin=True)
    return organization


def test_a_closing_called_off_as_its_day_comes_is_one_of_both(organization, race, rounds):
    for _round in range(rounds):
        organization = OrganizationFactory()
        let_come(organization)

        off, closed = race(
            partial(call_closing_off, actor=Actor.system(), organization=organization),
            partial(close_organization, organization=organization),
        )

        now = Organization.objects.get(pk=organization.pk)
        assert (closed, isinstance(off, OrganizationClosed)) in {(True, True), (False, False)}
        assert (now.closed_at is not None, now.closes_at is not None) == (closed, closed)


def test_two_workers_who_close_it_at_once_close_it_once(organization, race):
    people = [MemberFactory(organization=organization) for _person in range(3)]
    let_come(organization)

    assert race(*[partial(finish_closing, organization=organization)] * 2) == [True, True]

    for person in people:
        person.refresh_from_db()
        assert person.state == "blocked"
    assert organization.audit_entries.filter(action="organization.closed").count() == 1
    assert organization.audit_entries.filter(action="member.blocked").count() == 4


def test_a_charge_while_its_organization_is_closed_comes_before_or_is_refused(organization, meanwhile):
    member = MemberFactory(organization=organization)
    pay(organization, 10)
    call(organization, member, costs=1)
    let_come(organization)

    held = meanwhile(
        partial(close_organization, organization=organization),
        partial(call, organization, member, costs=2),
        at="credit_close",
    )

    assert (held.first, type(held.second), held.waited) == (True, OrganizationClosed, True)
    assert Transfer.objects.filter(operation="charge").count() == 1


def test_control_without_closing_its_wallet_credit_moves_in_a_closed_organization(organization, meanwhile):
    member = MemberFactory(organization=organization)
    call(organization, member, costs=1)
    let_come(organization)

    held = meanwhile(
        partial(close_organization, organization=organization),
        partial(call, organization, member, costs=2),
        at=r"^SELECT %s$",
        unlocked=True,
        **CLOSE_WALLET,
    )

    assert (held.first, held.second.new, held.waited) == (True, 1, False)
    assert Organization.objects.get(pk=organization.pk).closed_at is not None


def giving(organization, number):
    """An allocation to so many at once, who have accounts."""
    pay(organization, 100)
    members = MemberFactory.create_batch(number, organization=organization)
    give = partial(allocate_credit, actor=Actor.system(), organization=organization, members=members, amount=Decimal(1))
    give(key=uuid4())
    return partial(give, key=uuid4())


@pytest.mark.parametrize("number", [1, 3])
def test_credit_given_while_its_organization_is_closed_comes_before_or_is_refused(organization, meanwhile, number):
    give = giving(organization, number)
    let_come(organization)

    held = meanwhile(partial(close_organization, organization=organization), give, at="credit_close")

    assert (held.first, type(held.second), held.waited) == (True, OrganizationClosed, True)
    assert Transfer.objects.filter(operation="allocation").count() == number


@pytest.mark.parametrize("number", [1, 3])
def test_control_without_closing_its_wallet_credit_is_given_in_a_closed_organization(organization, meanwhile, number):
    give = giving(organization, number)
    let_come(organization)

    held = meanwhile(
        partial(close_organization, organization=organization),
        give,
        at=r"^SELECT %s$",
        unlocked=True,
        **CLOSE_WALLET,
    )

    assert (held.first, held.second.members, held.waited) == (True, number, False)


def test_whoever_posts_more_than_once_is_done_before_the_wallet_is_closed(organization, meanwhile):
    pay(organization, 100)
    accounts = accounts_of(organization, MemberFactory.create_batch(3, organization=organization)).values()
    moves = [Move(account_of(organization, "wallet"), account, Decimal(1), uuid4()) for account in accounts]
    let_come(organization)

    def post_all():
        with transaction.atomic():
            for some in (moves[:1], moves[1:]):
                post(organization=organization, operation="allocation", moves=some, actor=Actor.system())

    held = meanwhile(post_all, partial(close_organization, organization=organization), at=r"credit_post\(")

    assert (held.first, held.second, held.waited) == (None, True, True)
    assert Transfer.objects.filter(operation="allocation").count() == 3


@pytest.fixture
def refunded(stripe):
    """A message of a refund, and the organization whose purchase it takes back."""
    organization = make_company().organization
    payment = stripe.pay(checkout_for(organization.members.get()).session)["payment_intent"]
    tell_all(stripe)
    told = len(stripe.events)
    stripe.refund(payment)
    let_come(organization)
    return organization, stripe.events[told]


def test_a_refund_that_is_told_while_its_organization_is_closed_comes_before(refunded, meanwhile):
    organization, message = refunded

    held = meanwhile(partial(tell, message), partial(close_organization, organization=organization), at=FOUND_OPEN)

    assert (held.first, held.second, held.waited) == ("done", True, True)
    assert balance(organization) == 0


def test_control_without_holding_it_open_a_refund_comes_to_nothing(refunded, meanwhile):
    organization, message = refunded

    held = meanwhile(
        partial(tell, message),
        partial(close_organization, organization=organization),
        at=FOUND_OPEN,
        unlocked=True,
        **HOLD_OPEN,
    )

    assert (type(held.first), held.second, held.waited) == (OrganizationClosed, True, False)
    assert balance(organization) == 100
