"""Credit goes from the wallet to members, at once, for good, and once for each key."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import translation

from credit.errors import HasLeft, InsufficientCredit
from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import balance_of, wallet_balance
from credit.services.allocation import allocate_credit
from members.access import Actor
from members.errors import KeyReused
from members.models import AuditEntry, Member
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
Role, State = Member.Role, Member.State
AMOUNT = Decimal("12.50")


@pytest.fixture
def organization():
    organization = OrganizationFactory()
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return organization


@pytest.fixture
def actor(organization):
    return Actor.of_member(MemberFactory(organization=organization, role=Role.CREDIT_MANAGER))


@pytest.fixture
def ann(organization):
    return MemberFactory(organization=organization, user__first_name="Ann", user__last_name="Berg")


def allocate(actor, organization, *members, amount=AMOUNT, key=None, **facts):
    return allocate_credit(
        actor=actor, organization=organization, members=members, amount=amount, key=key or uuid4(), **facts
    )


def balances(organization, *members):
    return [wallet_balance(organization), *(balance_of(organization, member) for member in members)]


def test_the_wallet_gives_and_the_member_has_it_at_once(actor, organization, ann):
    done = allocate(actor, organization, ann, reason="Trip to Basel")

    assert (done.members, done.amount, done.wallet) == (1, AMOUNT, Decimal("87.5"))
    assert balances(organization, ann) == [Decimal("87.5"), AMOUNT]
    transfer = Transfer.objects.get(operation="allocation")
    assert (transfer.reason, transfer.actor_member_id, transfer.batch) == ("Trip to Basel", actor.member.pk, None)


def test_it_stands_in_the_log_once_with_its_amount_and_reason(actor, organization, ann):
    key = uuid4()
    for _time in range(2):
        allocate(actor, organization, ann, key=key, reason="Trip to Basel")

    entry = AuditEntry.objects.get(action="credit.allocated")
    assert (entry.subject_member, entry.actor_member, entry.reason) == (ann, actor.member, "Trip to Basel")
    assert entry.after == {"amount": "12.50 EUR"}


def test_it_stands_in_the_log_once_with_the_place_the_first_time_as_later(actor, organization, ann):
    allocate(actor, organization, ann, amount=Decimal(1))
    there = Actor.of_member(actor.member, address="192.0.2.7")

    for key in (uuid4(), uuid4()):
        for _time in range(2):
            allocate(there, organization, ann, amount=Decimal(1), key=key)

    entries = AuditEntry.objects.filter(action="credit.allocated").order_by("pk")
    assert list(entries.values_list("origin__address", flat=True)) == [None, "192.0.2.7", "192.0.2.7"]


@pytest.mark.parametrize("state", [State.INVITED, State.BLOCKED])
def test_who_is_invited_or_blocked_gets_credit(actor, organization, state):
    member = MemberFactory(organization=organization, state=state)

    allocate(actor, organization, member)

    assert balance_of(organization, member) == AMOUNT


def test_who_has_left_gets_none(actor, organization):
    gone = MemberFactory(organization=organization, state=State.LEFT, user__first_name="Bo", user__last_name="Ek")

    with pytest.raises(HasLeft, match="Bo Ek has left"):
        allocate(actor, organization, gone)

    assert balances(organization, gone) == [100, 0]


def test_more_than_the_wallet_holds_is_refused_with_what_it_holds(actor, organization, ann):
    with pytest.raises(InsufficientCredit) as refusal:
        allocate(actor, organization, ann, amount=Decimal("100.01"))

    assert str(refusal.value) == "There is not enough credit: €100.00 of €100.01."
    assert refusal.value.field == "amount"
    with translation.override("fr"):
        assert "100,00\u202f€" in str(refusal.value) or "100,00\xa0€" in str(refusal.value)
    assert balances(organization, ann) == [100, 0]
    assert not AuditEntry.objects.filter(action="credit.allocated").exists()


def test_the_last_of_the_wallet_can_be_given(actor, organization, ann):
    assert allocate(actor, organization, ann, amount=Decimal(100)).wallet == 0


def test_the_same_key_and_facts_give_the_first_answer_and_move_nothing(actor, organization, ann):
    key = uuid4()
    first = allocate(actor, organization, ann, key=key)
    allocate(actor, organization, ann)

    assert allocate(actor, organization, ann, key=key) == first
    assert balances(organization, ann) == [75, 25]


def test_the_first_answer_is_given_also_when_the_wallet_is_empty_or_the_member_gone_by_then(actor, organization, ann):
    key = uuid4()
    first = allocate(actor, organization, ann, key=key, amount=Decimal(60))
    allocate(actor, organization, MemberFactory(organization=organization), amount=Decimal(40))
    Member.objects.filter(pk=ann.pk).update(state=State.LEFT)

    assert allocate(actor, organization, ann, key=key, amount=Decimal(60)) == first


@pytest.mark.parametrize("other", ["amount", "reason", "member"])
def test_the_same_key_with_other_facts_is_refused(actor, organization, ann, other):
    key = uuid4()
    allocate(actor, organization, ann, key=key)
    member = MemberFactory(organization=organization) if other == "member" else ann
    facts = {"amount": Decimal(1)} if other == "amount" else {"reason": "x"} if other == "reason" else {}

    with pytest.raises(KeyReused):
        allocate(actor, organization, member, key=key, **facts)

    assert balances(organization, ann) == [Decimal("87.5"), AMOUNT]
    assert Transfer.objects.filter(operation="allocation").count() == 1


def test_one_key_is_one_thing_in_each_organization(actor, organization, ann):
    other = OrganizationFactory()
    fund(organization=other, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    key = uuid4()

    allocate(actor, organization, ann, key=key)
    allocate(Actor.system(), other, MemberFactory(organization=other), key=key)

    assert wallet_balance(other) == Decimal("87.5")


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMINISTRATOR, Role.CREDIT_MANAGER)])
def test_only_who_manages_credit_allocates(organization, ann, role):
    with pytest.raises(PermissionDenied):
        allocate(Actor.of_member(MemberFactory(organization=organization, role=role)), organization, ann)


def test_members_of_others_are_nobodys_to_give_to(actor, organization):
    stranger = MemberFactory()

    with pytest.raises(PermissionDenied):
        allocate(actor, organization, stranger)

    assert balances(organization) == [100]
