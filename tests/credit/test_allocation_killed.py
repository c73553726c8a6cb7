"""Allocations in real processes that are killed right before their commit: nothing is half, and nothing is twice."""

import io
import json
import signal
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command

from credit.models import Transfer
from credit.selectors.balances import list_balances, wallet_balance
from credit.services.allocation import start_allocation
from credit.services.amounts import allocate_amounts, review_amounts
from members.access import Actor
from members.batches import AT_ONCE, progress_of
from members.invariants import changes_of_many_are_made_once
from members.models import AuditEntry, Batch, BatchRow, Member, Operation
from members.services.import_work import advance_batches_task
from skypemgr.invariants import find_violations
from tests.credit.recharges import pay
from tests.factories import MemberFactory, OrganizationFactory

ADDRESSES = ["ann@acme.example", "bo@acme.example", "cy@acme.example"]
FILE = "E-mail,Amount,Reason\n" + "".join(f"{address},2,{address[0]}\n" for address in ADDRESSES)
TURN = "import django; django.setup(); from members.services import import_work; import_work.advance_batches_task()"
CONFIRM = """
import django; django.setup()
from credit.services.amounts import allocate_amounts
from members.access import Actor
from members.models import Batch
batch = Batch.objects.select_related("organization").get()
allocate_amounts(actor=Actor.system(), organization=batch.organization, batch=batch)
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organization():
    organization = OrganizationFactory(slug="acme")
    pay(organization, 1000)
    return organization


def what_is_left(organization):
    """How many rows of each kind an allocation leaves, and what the wallet holds."""
    allocations = Transfer.objects.filter(operation="allocation")
    rows = (allocations, AuditEntry.objects.filter(action="credit.allocated"), Operation.objects.all())
    return [*(found.count() for found in rows), wallet_balance(organization)]


def said(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return json.loads(out.getvalue())


WAYS = {
    "one": ["--amount", "2", "--member", ADDRESSES[0]],
    "all": ["--amount", "2", "--all"],
    "file": ["--file", "amounts.csv"],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_command_that_is_killed_gave_nobody_any_and_its_key_gives_one_answer(organization, apart, tmp_path, way):
    for address in ADDRESSES:
        MemberFactory(organization=organization, user__email=address)
    (tmp_path / "amounts.csv").write_text(FILE)
    words = [word.replace("amounts.csv", str(tmp_path / "amounts.csv")) for word in WAYS[way]]
    command = ["allocate_credit", *words, "--key", "November", "--organization", "acme", "--json"]
    getting = 1 if way == "one" else 3

    killed = apart("manage.py", *command, die_at="allocation.before_commit")

    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    assert what_is_left(organization) == [0, 0, 0, 1000]
    assert not Batch.objects.exists()
    first, again = (said(*command) for _time in range(2))
    assert first == again
    assert first["members"] == getting
    assert what_is_left(organization) == [getting, 1, int(way != "one"), 1000 - 2 * getting]


def test_a_reviewed_file_whose_confirmation_is_killed_waits_to_be_confirmed(organization, apart):
    people = [MemberFactory(organization=organization, user__email=address) for address in ADDRESSES]
    facts = {"actor": Actor.system(), "organization": organization}
    batch = review_amounts(**facts, content=FILE.encode(), file_name="a.csv", key=uuid4())

    assert apart("-c", CONFIRM, die_at="allocation.before_commit").returncode == -signal.SIGKILL

    batch.refresh_from_db()
    assert (batch.state, batch.started_at, batch.slices.count()) == (Batch.State.DRAFT, None, 0)
    assert what_is_left(organization) == [0, 0, 1, 1000]
    for _time in range(2):
        assert allocate_amounts(**facts, batch=batch).state == Batch.State.DONE
    assert list(list_balances(organization, people).values()) == [2, 2, 2]
    assert what_is_left(organization) == [3, 1, 1, 994]


def test_more_than_a_page_waits_for_get_all_of_it_or_nothing_however_often_the_worker_dies(organization, apart):
    number = AT_ONCE + 1
    MemberFactory.create_batch(number, organization=organization)
    key = uuid4()

    def begin():
        return start_allocation(
            actor=Actor.system(),
            organization=organization,
            members=Member.objects.of(organization),
            amount=Decimal(1),
            key=key,
            asked={"all": True},
            expected=number,
        )

    batch = begin()
    for _death in range(2):
        assert apart("-c", TURN, die_at="runs.before_slice_commit").returncode == -signal.SIGKILL

        assert begin() == batch
        batch.refresh_from_db()
        assert (batch.state, batch.finished_at, progress_of(batch).settled) == (Batch.State.RUNNING, None, 0)
        assert (what_is_left(organization), BatchRow.objects.count()) == ([0, 0, 1, 1000], 0)
    for _turn in range(2):
        advance_batches_task()

        assert begin().state == Batch.State.DONE
        assert progress_of(batch).changed == number
        assert what_is_left(organization) == [number, 1, 1, 1000 - number]
    assert set(list_balances(organization, Member.objects.of(organization)).values()) == {1}
    assert [found for found in find_violations() if found.invariant.startswith("credit.")] == []
    assert list(changes_of_many_are_made_once()) == []
