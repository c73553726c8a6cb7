"""Workers that recharge after a wallet was funded, killed before and after their commit."""

import signal
from functools import partial

import pytest

from credit.models import RechargeCall
from credit.selectors.balances import balance_of, wallet_balance
from credit.services import recharge_sweep
from tests.credit.recharges import pay, plan
from tests.factories import MemberFactory, OrganizationFactory

WORK = """
import django; django.setup()
from credit.services import recharge_sweep
recharge_sweep.AT_ONCE = 2
recharge_sweep.recharge_members_task()
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(apart):
    """Does one turn of a worker's task in a process of its own, and gives how that ended."""
    return partial(apart, "-c", WORK)


def test_recharges_that_funding_allows_are_made_once_however_often_the_worker_dies(work):
    assert recharge_sweep.AT_ONCE > 2
    organization = OrganizationFactory()
    people = [MemberFactory(organization=organization) for _ in range(5)]
    plan(organization, *people, amount=20, below=5)
    pay(organization, 1000)

    def held():
        return [balance_of(organization, person) for person in people]

    assert work(die_at="recharges.before_commit").returncode == -signal.SIGKILL
    assert (held(), RechargeCall.objects.count()) == ([0] * 5, 1)
    assert work(die_at="recharges.after_work").returncode == -signal.SIGKILL
    assert (held(), RechargeCall.objects.count()) == ([20] * 5, 1), "done, and not yet forgotten"
    assert work().returncode == 0

    assert (held(), RechargeCall.objects.count()) == ([20] * 5, 0)
    assert wallet_balance(organization) == 900
