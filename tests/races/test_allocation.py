"""Allocations at the same moment: never more than the wallet holds, never twice; and what happens without the locks."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from credit.errors import HasLeft, InsufficientCredit
from credit.funding import fund
from credit.ledger import accounts_of
from credit.models import RechargePlan, Transfer
from credit.selectors.balances import balance_of, wallet_balance
from credit.services.allocation import Allocated, allocate_credit, start_allocation
from credit.services.amounts import (
    allocate_amounts,
    allocate_file,
    discard_amounts,
    read_amounts_again,
    review_amounts,
)
from credit.services.recharge_sweep import recharge_some
from members.access import Actor
from members.errors import BatchNotOpen, KeyReused, SameContentAgain
from members.models import Batch, Member
from members.services.run_work import apply_slice
from members.services.runs import cancel_run
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)
RACERS, COVERED = 10, 5
# What the function would be without row locks: a balance that was read is changed in memory, and written back.
UNLOCKED = """
CREATE OR REPLACE FUNCTION credit_post(
    of_organization bigint, of_operation text, by_kind text, by_user bigint, by_member bigint, of_batch bigint,
    for_reason text, source bigint, target bigint, moved numeric, with_key uuid, moment timestamptz,
    alone boolean, OUT posted integer, OUT left_in_source numeric, OUT known_reason text, OUT known_batch bigint
) LANGUAGE plpgsql AS $$
DECLARE
    given record;
    taken record;
BEGIN
    SELECT * INTO taken FROM credit_ledgeraccount WHERE id = target;
    SELECT * INTO given FROM credit_ledgeraccount WHERE id = source;
    IF given.balance < moved THEN
        RAISE EXCEPTION 'An account does not hold as much.' USING ERRCODE = 'SK001',
            DETAIL = format('%s %s %s', source, given.balance, moved);
    END IF;
    PERFORM pg_sleep(0.1);
    PERFORM set_config('credit.posting', 'on', true);
    UPDATE credit_ledgeraccount SET balance = taken.balance + moved, version = taken.version + 1 WHERE id = target;
    UPDATE credit_ledgeraccount SET balance = given.balance - moved, version = given.version + 1 WHERE id = source;
    INSERT INTO credit_transfer (
        organization_id, source_id, target_id, amount, source_after, source_version, target_after, target_version,
        operation, key, happened_at, recorded_at, actor_kind, actor_user_id, actor_member_id, batch_id, reason
    ) VALUES (
        of_organization, source, target, moved, given.balance - moved, given.version + 1, taken.balance + moved,
        taken.version + 1, of_operation, with_key, clock_timestamp(), clock_timestamp(), by_kind, by_user, by_member,
        of_batch, for_reason
    );
    posted := 1;
    left_in_source := given.balance - moved;
END
$$
"""
DEFINITION = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'credit_post'"


@pytest.fixture
def organization():
    organization = OrganizationFactory()
    fund(organization=organization, actor=Actor.system(), amount=Decimal(COVERED), key=uuid4())
    return organization


def allocation(organization, member, amount=1, key=None):
    return partial(
        allocate_credit,
        actor=Actor.system(),
        organization=organization,
        members=[member],
        amount=Decimal(amount),
        key=key or uuid4(),
    )


def holds(organization, outcomes) -> bool:
    """Whether exactly what the wallet covered was accepted, and everybody else was told the truth."""
    refused = [one for one in outcomes if isinstance(one, InsufficientCredit)]
    accepted = [one for one in outcomes if isinstance(one, Allocated)]
    return (
        (len(accepted), len(refused)) == (COVERED, RACERS - COVERED)
        and {one.balance for one in refused} == {0}
        and wallet_balance(organization) == 0
        and Transfer.objects.filter(operation="allocation").count() == COVERED
    )


def test_as_many_are_accepted_as_the_wallet_covers(organization, race):
    people = MemberFactory.create_batch(RACERS, organization=organization)

    assert holds(organization, race(*(allocation(organization, person) for person in people)))


@contextmanager
def without_row_locks() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(DEFINITION)
        [[locked]] = cursor.fetchall()
        cursor.execute(UNLOCKED)
        try:
            yield
        finally:
            cursor.execute(locked)


def test_control_without_row_locks_more_is_accepted_or_the_database_breaks_off(organization, race):
    people = MemberFactory.create_batch(RACERS, organization=organization)

    with without_row_locks():
        outcomes = race(*(allocation(organization, person) for person in people))

    assert not holds(organization, outcomes)


def test_one_form_sent_many_times_at_once_adds_once_and_answers_alike(organization, race):
    [person] = MemberFactory.create_batch(1, organization=organization)
    same = allocation(organization, person, key=uuid4())

    answers = race(*[same] * RACERS)

    assert len(set(answers)) == 1
    assert balance_of(organization, person) == 1


def test_one_key_for_two_people_at_once_gives_one_of_them_something(organization, race):
    for _round in range(COVERED - 1):
        people, key = MemberFactory.create_batch(2, organization=organization), uuid4()

        outcomes = race(*(allocation(organization, person, key=key) for person in people))

        assert sorted(type(one).__name__ for one in outcomes) == [Allocated.__name__, KeyReused.__name__]
        assert sum(balance_of(organization, person) for person in people) == 1


def test_a_run_that_is_stopped_while_it_is_posted_gives_nobody_any(organization, meanwhile):
    MemberFactory.create_batch(3, organization=organization)
    batch = start_allocation(
        actor=Actor.system(),
        organization=organization,
        members=Member.objects.of(organization),
        amount=Decimal(1),
        key=uuid4(),
        asked={"all": True},
        expected=3,
    )
    stop = partial(cancel_run, actor=Actor.system(), organization=organization, batch=batch)

    held = meanwhile(partial(apply_slice, batch=batch), stop, at="credit_post_many")

    assert (held.first, held.second, held.waited) == (False, None, False)
    batch.refresh_from_db()
    assert batch.state == Batch.State.CANCELED
    assert wallet_balance(organization) == COVERED
    assert not batch.rows.exists()


def test_one_file_confirmed_in_two_windows_is_given_once(organization, race):
    MemberFactory(organization=organization, user__email="ann@acme.example")
    facts = {"actor": Actor.system(), "organization": organization}
    content = b"E-mail,Amount\nann@acme.example,1\n"
    for _round in range(3):
        drafts = [review_amounts(**facts, content=content, file_name="a.csv", key=uuid4()) for _window in range(2)]

        outcomes = race(*(partial(allocate_amounts, **facts, batch=draft) for draft in drafts))

        assert sorted(type(one).__name__ for one in outcomes) == [Batch.__name__, SameContentAgain.__name__]
        content += b"\n"
    assert wallet_balance(organization) == COVERED - 3


def drafted(organization, text=b"E-mail,Amount\nann@acme.example,1\n"):
    return review_amounts(actor=Actor.system(), organization=organization, content=text, file_name="a.csv", key=uuid4())


def ending(verb, draft, **facts):
    """A file that was guessed to be in one encoding, and what becomes of its review."""
    return partial(verb, actor=Actor.system(), organization=draft.organization, batch=draft, **facts)


COUNTED = r'^SELECT COUNT.*"members_batchrow"'
GUESSED = "E-mail;Amount;Reason\nann@acme.example;1;Prêt\n".encode("cp1252")
OTHER_ENDS = [(discard_amounts, {}), (read_amounts_again, {"encoding": "cp850"})]


@pytest.mark.parametrize(("other", "facts"), OTHER_ENDS, ids=["given-up", "read-again"])
def test_a_file_that_is_carried_out_is_neither_given_up_nor_read_again(organization, meanwhile, other, facts):
    MemberFactory(organization=organization, user__email="ann@acme.example")
    draft = drafted(organization, GUESSED)

    held = meanwhile(ending(allocate_amounts, draft), ending(other, draft, **facts), at=COUNTED)

    assert held.waited
    assert [type(one) for one in held[:2]] == [Batch, BatchNotOpen]
    assert wallet_balance(organization) == COVERED - 1


def test_control_without_the_lock_a_file_that_was_given_up_is_carried_out(organization, meanwhile):
    MemberFactory(organization=organization, user__email="ann@acme.example")
    draft = drafted(organization, GUESSED)

    held = meanwhile(ending(allocate_amounts, draft), ending(discard_amounts, draft), at=COUNTED, unlocked=True)

    assert [type(one) for one in held[:2]] == [Batch, type(None)]
    assert wallet_balance(organization) == COVERED - 1


def test_one_file_given_unseen_by_many_at_once_is_given_once(organization, race):
    MemberFactory(organization=organization, user__email="ann@acme.example")
    facts = {"actor": Actor.system(), "organization": organization, "file_name": "a.csv"}
    content = b"E-mail,Amount\nann@acme.example,1\n"

    same = race(*[partial(allocate_file, **facts, content=content, key=uuid4())] * 4)
    others = race(*(partial(allocate_file, **facts, content=content + b"\n", key=uuid4()) for _one in range(4)))

    assert len(set(same)) == 1
    assert sorted(type(one).__name__ for one in others) == [Batch.__name__] + [SameContentAgain.__name__] * 3
    assert wallet_balance(organization) == COVERED - 2


def file_and_recharge(organization):
    """A file with a reason for each of two, of whom the second is due to be recharged."""
    addresses = ["ann@acme.example", "bo@acme.example"]
    _ann, bo = (MemberFactory(organization=organization, user__email=address) for address in addresses)
    draft = drafted(organization, b"E-mail,Amount,Reason\nann@acme.example,1,a\nbo@acme.example,1,b\n")
    [account] = accounts_of(organization, [bo]).values()
    RechargePlan.objects.create(organization=organization, member=bo, amount=2, below=2, monthly_limit=2)
    recharging = partial(recharge_some, organization=organization, accounts=(account,))
    return ending(allocate_amounts, draft), recharging


def test_a_file_of_several_reasons_locks_everybody_in_it_before_the_wallet(organization, meanwhile):
    held = meanwhile(*file_and_recharge(organization), at="SELECT .*credit_post")

    assert held.waited
    assert (type(held.first), held.second) == (Batch, 1)
    assert wallet_balance(organization) == COVERED - 4


def test_control_without_the_locks_a_file_and_a_recharge_wait_for_each_other(organization, meanwhile):
    held = meanwhile(*file_and_recharge(organization), at="SELECT .*credit_post", unlocked=True)

    assert [type(one) for one in held[:2]].count(OperationalError) == 1


# To how many, whether they had credit before, and the statement that keeps them from leaving.
GIVING = [
    (1, True, "present AS MATERIALIZED"),
    (1, False, r'^SELECT "members_member"\."state"'),
    (2, True, "^SELECT id"),
]


def giving_while_one_leaves(organization, number, known):
    people = MemberFactory.create_batch(number, organization=organization)
    if known:
        accounts_of(organization, people)
    give = partial(
        allocate_credit,
        actor=Actor.system(),
        organization=organization,
        members=people,
        amount=Decimal(1),
        key=uuid4(),
    )
    return give, partial(Member.objects.filter(pk=people[0].pk).update, state=Member.State.LEFT)


@pytest.mark.parametrize(("number", "known", "at"), GIVING)
def test_whoever_leaves_while_credit_is_given_leaves_after_it(organization, meanwhile, number, known, at):
    held = meanwhile(*giving_while_one_leaves(organization, number, known), at=at)

    assert (type(held.first), held.second, held.waited) == (Allocated, 1, True)


@pytest.mark.parametrize(("number", "known", "at"), GIVING)
def test_control_without_the_lock_somebody_who_has_left_gets_credit(organization, meanwhile, number, known, at):
    held = meanwhile(*giving_while_one_leaves(organization, number, known), at=at, unlocked=True)

    assert (type(held.first), held.second, held.waited) == (Allocated, 1, False)
    assert wallet_balance(organization) == COVERED - number


def test_whoever_leaves_while_credit_is_given_has_it_or_it_is_refused(organization, race):
    for _round in range(4):
        person = MemberFactory(organization=organization, personal=True)
        leave = partial(Member.objects.filter(pk=person.pk).update, state=Member.State.LEFT)

        given, _left = race(allocation(organization, person), leave)

        assert balance_of(organization, person) == (0 if isinstance(given, HasLeft) else 1)
