"""Credit for several at once: all of them, or nobody."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from credit.errors import HasLeft, InsufficientCredit, NobodyGetsCredit
from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import list_balances, wallet_balance
from credit.services.allocation import allocate_credit, start_allocation
from members.access import Actor
from members.errors import KeyReused, SelectionChanged
from members.invariants import changes_of_many_are_made_once
from members.models import AuditEntry, Batch, BatchRow, Member
from members.services.import_work import advance_batches_task
from members.services.runs import cancel_run
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
State = Member.State
AMOUNT = Decimal("12.50")


@pytest.fixture
def organization():
    organization = OrganizationFactory()
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return organization


@pytest.fixture
def people(organization):
    return MemberFactory.create_batch(4, organization=organization)


@pytest.fixture(autouse=True)
def adds_up():
    yield
    assert list(changes_of_many_are_made_once()) == []


def everybody(organization):
    return Member.objects.of(organization)


def allocate(organization, members, amount=AMOUNT, key=None, **facts):
    return allocate_credit(
        actor=Actor.system(), organization=organization, members=members, amount=amount, key=key or uuid4(), **facts
    )


def start(organization, members, amount=AMOUNT, key=None, **facts):
    return start_allocation(
        actor=Actor.system(),
        organization=organization,
        members=members,
        amount=amount,
        key=key or uuid4(),
        **{"asked": {"all": True}, "expected": members.count(), **facts},
    )


def balances(organization, people):
    return [wallet_balance(organization), *list_balances(organization, people).values()]


def outcomes(batch):
    return list(batch.rows.order_by("number").values_list("member", "outcome"))


def test_each_of_several_gets_the_same(organization, people):
    done = allocate(organization, people, reason="New year")

    assert (done.members, done.amount, done.wallet) == (4, AMOUNT, 50)
    assert balances(organization, people) == [50, *[AMOUNT] * 4]
    assert {(entry.batch, entry.reason) for entry in Transfer.objects.filter(operation="allocation")} == {
        (done.batch, "New year")
    }
    done.batch.refresh_from_db()
    assert (done.batch.state, done.batch.total) == (Batch.State.DONE, 4)
    assert outcomes(done.batch) == [(person.pk, "done") for person in people]


def test_the_act_stands_in_the_log_once_with_number_and_sum(organization, people):
    done = allocate(organization, people, reason="New year")

    entry = AuditEntry.objects.get(action="credit.allocated")
    assert (entry.subject_type, entry.subject_id, entry.reason) == ("batch", done.batch.pk, "New year")
    assert entry.after == {"people": 4, "amount": "12.50 EUR", "sum": "50.00 EUR"}


def test_when_the_wallet_does_not_cover_all_nobody_gets_any(organization, people):
    with pytest.raises(InsufficientCredit, match=r"€100\.00 of €100\.04"):
        allocate(organization, people, amount=Decimal("25.01"))

    assert balances(organization, people) == [100, 0, 0, 0, 0]
    assert not Batch.objects.exists()


def test_of_a_choice_whoever_has_left_is_left_alone_and_it_is_told(organization, people):
    Member.objects.filter(pk=people[1].pk).update(state=State.LEFT)

    done = allocate(organization, everybody(organization), asked={"all": True})

    assert done.members == 3
    assert balances(organization, people) == [Decimal("62.5"), AMOUNT, 0, AMOUNT, AMOUNT]
    row = BatchRow.objects.get(outcome="skipped")
    assert (row.member, row.notes[0]["code"]) == (people[1], "left")


def test_of_people_who_are_named_none_may_have_left(organization, people):
    Member.objects.filter(pk=people[1].pk).update(state=State.LEFT)

    with pytest.raises(HasLeft):
        allocate(organization, people)

    assert balances(organization, people) == [100, 0, 0, 0, 0]


def test_nobody_is_no_allocation(organization, people):
    with pytest.raises(NobodyGetsCredit):
        allocate(organization, everybody(organization).filter(state=State.LEFT), asked={"state": "left"})


def test_somebody_named_twice_gets_it_once(organization, people):
    assert allocate(organization, [*people, people[0]]).members == 4
    assert balances(organization, people) == [50, *[AMOUNT] * 4]


def test_somebody_of_another_organization_spoils_it_for_all(organization, people):
    with pytest.raises(PermissionDenied):
        allocate(organization, [*people, MemberFactory()])

    assert balances(organization, people) == [100, 0, 0, 0, 0]


def test_the_same_key_and_facts_give_the_first_answer(organization, people):
    key = uuid4()
    first = allocate(organization, everybody(organization), key=key, asked={"all": True})
    MemberFactory(organization=organization)

    assert allocate(organization, everybody(organization), key=key, asked={"all": True}) == first
    assert wallet_balance(organization) == 50


@pytest.mark.parametrize("other", [{"amount": Decimal(1)}, {"reason": "x"}, {"asked": {"department": 1}}])
def test_the_same_key_with_other_facts_is_refused(organization, people, other):
    key = uuid4()
    allocate(organization, everybody(organization), key=key, asked={"all": True})

    with pytest.raises(KeyReused):
        allocate(organization, everybody(organization), key=key, **{"asked": {"all": True}, **other})
    with pytest.raises(KeyReused):
        allocate(organization, people[:1], key=key)

    assert wallet_balance(organization) == 50


def test_a_key_that_gave_one_member_something_gives_nobody_else_any(organization, people):
    key = uuid4()
    allocate(organization, people[:1], key=key)

    with pytest.raises(KeyReused):
        allocate(organization, people, key=key)

    assert balances(organization, people) == [Decimal("87.5"), AMOUNT, 0, 0, 0]


def test_others_than_were_shown_get_nothing(organization, people):
    for verb in (allocate, start):
        with pytest.raises(SelectionChanged):
            verb(organization, everybody(organization), asked={"all": True}, expected=3)

    assert balances(organization, people) == [100, 0, 0, 0, 0]


# Behind the pages


def test_behind_the_pages_all_get_it_at_once(organization, people):
    DepartmentFactory(organization=organization)
    Member.objects.filter(pk=people[1].pk).update(state=State.LEFT)
    batch = start(organization, everybody(organization), reason="New year")
    assert wallet_balance(organization) == 100

    advance_batches_task()

    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert balances(organization, people) == [Decimal("62.5"), AMOUNT, 0, AMOUNT, AMOUNT]
    assert [outcome for _member, outcome in outcomes(batch)] == ["done", "skipped", "done", "done"]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "run.started",
        "credit.allocated",
        "run.finished",
    ]


def test_the_same_form_begins_one_run(organization, people):
    key = uuid4()

    assert start(organization, everybody(organization), key=key) == start(
        organization, everybody(organization), key=key
    )
    with pytest.raises(KeyReused):
        start(organization, everybody(organization), key=key, amount=Decimal(1))
    assert Batch.objects.count() == 1


def test_what_the_wallet_does_not_cover_is_not_even_begun(organization, people):
    with pytest.raises(InsufficientCredit, match=r"€100\.00 of €100\.04"):
        start(organization, everybody(organization), amount=Decimal("25.01"))

    assert not Batch.objects.exists()


def test_a_run_the_wallet_covers_no_more_gives_nobody_any_and_says_why(organization, people):
    batch = start(organization, everybody(organization), amount=Decimal(25))
    allocate(organization, people[:1])

    advance_batches_task()

    batch.refresh_from_db()
    assert batch.state == Batch.State.CANCELED
    assert balances(organization, people) == [Decimal("87.5"), AMOUNT, 0, 0, 0]
    assert not batch.rows.exists()


def test_a_run_that_is_stopped_before_it_is_posted_gives_nobody_any(organization, people):
    batch = start(organization, everybody(organization))
    cancel_run(actor=Actor.system(), organization=organization, batch=batch)

    advance_batches_task()

    assert balances(organization, people) == [100, 0, 0, 0, 0]


def test_a_run_whose_starter_may_not_any_more_gives_nobody_any(organization, people):
    boss = MemberFactory(organization=organization, role="credit_manager")
    start_allocation(
        actor=Actor.of_member(boss),
        organization=organization,
        members=everybody(organization).exclude(pk=boss.pk),
        amount=AMOUNT,
        key=uuid4(),
        asked={"all": True},
        expected=4,
    )
    Member.objects.filter(pk=boss.pk).update(role="member")

    advance_batches_task()

    assert Batch.objects.get().facts["stopped"] == "PermissionDenied"
    assert wallet_balance(organization) == 100
