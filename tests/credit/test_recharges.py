from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credit.errors import LimitBelowAmount, RechargeOfNothing, ThresholdAboveAmount, ThresholdBelowZero
from credit.invariants import recharges_keep_their_limits
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import RechargeCall, RechargePlan, Transfer
from credit.recharging import recharge
from credit.selectors.balances import balance_of, list_balances, wallet_balance
from credit.selectors.recharges import State, recharging_of, refused_plans
from credit.services.recharge import stop_auto_recharge
from credit.services.recharge_sweep import answer_calls, recharge_members, resume_recharges, sweep_recharges
from members.jobs import Run
from members.models import AuditEntry, Member, User
from members.months import present_month
from tests.credit.recharges import SYSTEM, call, pay, plan, put_into_the_past, recharged, refusal_of
from tests.factories import MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory()


@pytest.fixture
def member(organization):
    return MemberFactory(organization=organization)


def allocate(organization, member, amount):
    wallet = account_of(organization, "wallet")
    moves = [Move(wallet, accounts_of(organization, [member])[member.pk], Decimal(amount), uuid4())]
    post(organization=organization, operation="allocation", moves=moves, actor=SYSTEM)


def test_saving_acts_at_once_for_whoever_is_below(organization):
    poor, rich = (MemberFactory(organization=organization) for _ in range(2))
    pay(organization, 100)
    allocate(organization, rich, 5)

    assert plan(organization, poor, rich, amount=20, below=5) == 2

    assert list_balances(organization, [poor, rich]) == {poor.pk: 20, rich.pk: 5}
    assert wallet_balance(organization) == 75


def test_a_call_that_takes_the_balance_below_recharges_in_its_transaction(organization, member):
    pay(organization, 100)
    plan(organization, member, amount=20, below=5)

    call(organization, member, costs=15)
    assert balance_of(organization, member) == 5, "at the threshold is not below it"
    call(organization, member, costs="0.01")

    assert balance_of(organization, member) == Decimal("24.99")
    recharges = Transfer.objects.filter(operation="recharge").order_by("pk")
    assert [(one.amount, one.actor_kind) for one in recharges] == [(20, "system"), (20, "system")]


def test_as_many_whole_amounts_come_as_lead_back_to_the_threshold(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=10, below=10, limit=500)

    call(organization, member, costs="55.50")

    assert balance_of(organization, member) == Decimal("14.50")
    assert recharged(member) == 70


def test_the_limit_leaves_room_for_whole_amounts_only_then_it_is_suspended(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=50)
    call(organization, member, costs=120)

    assert balance_of(organization, member) == -80
    assert recharged(member) == 40
    assert refusal_of(member) == "limit"
    stands = recharging_of(organization, member)
    assert (stands.state, stands.used) == (State.SUSPENDED, 40)
    assert stands.suspended_until == present_month(organization).end
    assert list(refused_plans(organization, "limit")) == [RechargePlan.objects.get()]


def test_it_is_suspended_as_soon_as_no_other_amount_fits(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=20)

    stands = recharging_of(organization, member)

    assert (stands.balance, stands.state) == (20, State.SUSPENDED)
    assert refusal_of(member) == "", "nothing was refused so far"


def test_a_new_month_resumes_by_itself(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=20)
    call(organization, member, costs=30)
    assert balance_of(organization, member) == -10

    put_into_the_past(member, days=40)
    recharge_members(organization)

    assert balance_of(organization, member) == 10
    stands = recharging_of(organization, member)
    assert (stands.used, refusal_of(member)) == (20, "")


def test_credit_added_by_hand_does_not_count(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=40)
    allocate(organization, member, 500)

    call(organization, member, costs=519)

    assert recharging_of(organization, member).used == 40
    assert balance_of(organization, member) == 21


def test_nothing_moves_for_whom_the_wallet_cannot_cover_and_the_others_are_served(organization):
    much, little = (MemberFactory(organization=organization) for _ in range(2))
    plan(organization, much, amount=50, below=5, limit=500)
    plan(organization, little, amount=10, below=5, limit=500)
    pay(organization, 30)

    assert answer_calls() == 1

    assert list_balances(organization, [much, little]) == {much.pk: 0, little.pk: 10}
    assert (refusal_of(much), refusal_of(little)) == ("wallet", "")
    assert wallet_balance(organization) == 20
    pay(organization, 30)
    assert answer_calls() == 1
    assert balance_of(organization, much) == 50


def test_what_the_wallet_could_not_cover_is_tried_again_when_it_is_funded(organization, member):
    plan(organization, member, amount=20, below=5)
    assert balance_of(organization, member) == 0
    stands = recharging_of(organization, member)
    assert (stands.state, stands.waiting_for, refusal_of(member)) == (State.ACTIVE, 20, "wallet")
    assert [one.member for one in refused_plans(organization, "wallet")] == [member]

    pay(organization, 100)
    assert RechargeCall.objects.count() == 1
    assert answer_calls() == 1

    assert balance_of(organization, member) == 20
    assert recharging_of(organization, member).waiting_for == 0
    assert refusal_of(member) == ""
    assert list(refused_plans(organization, "wallet")) == []
    assert not RechargeCall.objects.exists()
    assert answer_calls() == 0


def test_since_when_something_is_refused_stays_while_it_is(organization, member):
    plan(organization, member)
    since = RechargePlan.objects.get().refused_at

    recharge_members(organization)

    assert RechargePlan.objects.get().refused_at == since


def test_a_refusal_is_over_when_credit_is_added_by_hand(organization, member):
    plan(organization, member, amount=20, below=5)
    pay(organization, 19)
    allocate(organization, member, 19)
    assert list(refused_plans(organization, "wallet")) == []

    recharge_members(organization)

    assert refusal_of(member) == ""


def test_who_has_left_is_recharged_no_more(organization, member):
    pay(organization, 100)
    plan(organization, member, amount=20, below=5)
    Member.objects.filter(pk=member.pk).update(state="left")

    call(organization, member, costs=18)

    assert balance_of(organization, member) == 2
    assert recharge_members(organization) == 0
    member.refresh_from_db()
    assert recharging_of(organization, member).state is State.OFF
    assert plan(organization, member, amount=10, below=5) == 0


def test_turned_off_nothing_comes_any_more(organization, member):
    pay(organization, 100)
    plan(organization, member, amount=20, below=5)

    everybody = Member.objects.all()
    assert stop_auto_recharge(actor=SYSTEM, organization=organization, members=everybody) == 1
    assert stop_auto_recharge(actor=SYSTEM, organization=organization, members=everybody) == 0
    call(organization, member, costs=18)

    assert balance_of(organization, member) == 2
    assert recharging_of(organization, member).state is State.OFF


def test_the_log_says_what_changed_and_only_that(organization, member):
    plan(organization, member, amount=20, below=5, limit=50)
    assert plan(organization, member, amount=20, below=5, limit=50) == 0
    plan(organization, member, amount=20, below="2.50", limit=50)
    stop_auto_recharge(actor=SYSTEM, organization=organization, members=Member.objects.all())

    on, changed, off = AuditEntry.objects.filter(action__startswith="recharge.").order_by("pk")
    first = {"recharge_amount": "20.00 EUR", "recharge_below": "5.00 EUR", "recharge_limit": "50.00 EUR"}
    assert on.before == dict.fromkeys(first)
    assert (on.after, changed.before, changed.after) == (first, first, {**first, "recharge_below": "2.50 EUR"})
    assert (off.before, off.after) == (changed.after, {})
    assert {entry.subject_member_id for entry in (on, changed, off)} == {member.pk}


@pytest.mark.parametrize(
    ("amount", "below", "limit", "refused"),
    [
        ("0", "0", "50", RechargeOfNothing),
        ("-5", "-5", "50", RechargeOfNothing),
        ("20", "-1", "50", ThresholdBelowZero),
        ("20", "20.01", "50", ThresholdAboveAmount),
        ("20", "5", "19.99", LimitBelowAmount),
        ("20", "5", "0", LimitBelowAmount),
        ("20", "5", "-50", LimitBelowAmount),
    ],
)
def test_terms_that_make_no_sense_together_are_refused(organization, member, amount, below, limit, refused):
    with pytest.raises(refused):
        plan(organization, member, amount=amount, below=below, limit=limit)

    assert not RechargePlan.objects.exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        RechargePlan.objects.create(
            organization=organization, member=member, amount=amount, below=below, monthly_limit=limit
        )


def test_a_plan_belongs_to_the_organization_of_its_member(organization):
    stranger = MemberFactory()

    assert plan(organization, stranger) == 0
    with pytest.raises(DatabaseError), transaction.atomic():
        RechargePlan.objects.create(organization=organization, member=stranger, amount=20, below=5, monthly_limit=50)


def test_a_call_that_was_charged_before_is_charged_and_recharged_once(organization, member):
    pay(organization, 100)
    plan(organization, member, amount=20, below=5)
    key = uuid4()

    first = call(organization, member, costs=16, key=key)
    again = call(organization, member, costs=16, key=key)

    assert (first.new, again.new) == (1, 0)
    assert balance_of(organization, member) == 24
    assert recharged(member) == 40


def test_a_limit_that_is_lowered_below_what_was_used_suspends(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=500)
    call(organization, member, costs=100)
    assert recharged(member) == 120

    plan(organization, member, amount=20, below=20, limit=20)
    call(organization, member, costs=15)

    assert recharged(member) == 120
    assert refusal_of(member) == "limit"


def test_a_thousand_members_take_as_many_statements_as_one(organization):
    members = crowd(organization, 1_000)
    pay(organization, 1_000_000)
    plan(organization, *members, amount=20, below=5, limit=1000)
    assert wallet_balance(organization) == 980_000

    def statements(*some):
        with CaptureQueriesContext(connection) as captured:
            call(organization, *some, costs=16)
        return len(captured)

    statements(members[0])
    few = statements(*members[1:3])
    assert statements(*members[3:]) == few <= 10
    assert {balance_of(organization, one) for one in (members[0], members[-1])} == {24}
    assert recharge_members(organization) == 0


def crowd(organization, number):
    """Many members, by few statements."""
    users = User.objects.bulk_create(
        [UserFactory.build(business_of=organization, password="!") for _place in range(number)]
    )
    return Member.objects.bulk_create(
        [MemberFactory.build(organization=organization, user=user, email=user.email) for user in users]
    )


def as_at(instant):
    """Have recharges believe that it is another moment; what they post is recorded now."""

    def turn(execute, sql, params, many, context):
        if 'CLOCK_TIMESTAMP() AS "now"' in sql:
            sql = sql.replace("CLOCK_TIMESTAMP()", f"timestamptz '{instant.isoformat()}'")
        return execute(sql, params, many, context)

    return connection.execute_wrapper(turn)


ZONES = ["America/Havana", "UTC", "Pacific/Auckland"]


@pytest.mark.parametrize("zone", ZONES)
def test_when_the_month_turns_during_a_recharge_both_limits_are_kept(zone):
    organization = OrganizationFactory(time_zone=zone)
    member = MemberFactory(organization=organization)
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=50)
    put_into_the_past(member, days=32)
    month = present_month(organization)

    with as_at(month.start - timedelta(microseconds=1)):
        call(organization, member, costs=40)
    call(organization, member, costs=100)

    recharges = Transfer.objects.filter(operation="recharge").order_by("pk")
    sums = [sum(one.amount for one in recharges if (one.recorded_at >= month.start) == now) for now in (False, True)]
    assert sums == [20, 40], "in the month in which it was recorded, and no more than that allows"
    assert refusal_of(member) == "limit"


@pytest.mark.parametrize("zone", ZONES)
def test_what_the_old_month_refuses_is_made_in_the_new_one(zone):
    organization = OrganizationFactory(time_zone=zone)
    member = MemberFactory(organization=organization)
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=20)
    month = present_month(organization)
    # Into the last hours of the month before, in which the limit is reached by that.
    put_into_the_past(member, days=(timezone.now() - month.start).days + 1)

    with as_at(month.start - timedelta(microseconds=1)):
        call(organization, member, costs=20)
    assert (recharged(member), refusal_of(member)) == (20, "limit")
    resume_recharges(Run(month, organization))

    assert (recharged(member), refusal_of(member)) == (40, "")


def test_a_month_that_begins_twice_for_the_workers_recharges_once(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=20)
    call(organization, member, costs=20)
    put_into_the_past(member, days=40)
    run = Run(present_month(organization), organization)

    for _tick in range(3):
        resume_recharges(run)
        sweep_recharges(run)

    assert recharged(member) == 40


def test_a_limit_that_was_passed_is_noticed(organization, member):
    pay(organization, 1000)
    plan(organization, member, amount=20, below=5, limit=40)
    call(organization, member, costs=20)
    plan(organization, member, amount=20, below=5, limit=20)
    assert list(recharges_keep_their_limits()) == [], "it was higher when they were made"

    account = accounts_of(organization, [member])[member.pk]
    moves = [Move(account_of(organization, "wallet"), account, Decimal(20), uuid4())]
    post(organization=organization, operation="recharge", moves=moves, actor=SYSTEM)

    assert list(recharges_keep_their_limits()) == ["1 members were recharged by more than their monthly limit."]


def test_recharging_nobody_asks_one_question(organization, member, django_assert_num_queries):
    pay(organization, 100)
    plan(organization, member)
    account = accounts_of(organization, [member])[member.pk]

    with django_assert_num_queries(1):
        assert recharge(organization=organization, accounts=[account]) == 0


def test_the_wallet_is_touched_once_and_after_all_members(organization):
    members = [MemberFactory(organization=organization) for _ in range(4)]
    pay(organization, 1000)
    plan(organization, *members, amount=20, below=5)
    wallet = account_of(organization, "wallet")
    before = Transfer.objects.filter(source=wallet).count()

    with CaptureQueriesContext(connection) as captured:
        call(organization, *members, costs=16)

    locks = [query["sql"] for query in captured if " FOR NO KEY UPDATE" in query["sql"]]
    assert len(locks) == 2
    assert "member" in locks[0]
    assert "ORDER BY" in locks[0]
    assert f'"id" = {wallet}' in locks[1]
    assert Transfer.objects.filter(source=wallet).count() == before + 4


def test_refused_at_is_a_moment_of_this_month(organization, member):
    plan(organization, member)

    month = present_month(organization)

    assert month.start <= RechargePlan.objects.get().refused_at < month.end
    assert month.end - month.start >= timedelta(days=28) - timedelta(hours=2)
