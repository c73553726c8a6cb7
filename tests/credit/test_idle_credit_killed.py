"""A worker that watches idle credit, killed before its commits: everybody is warned once, and nobody too early."""

import signal
from functools import partial

import pytest
from django.utils import timezone

from credit.models import IdleCredit
from credit.services import idle_credit_work
from members.audit import Action
from members.models import AuditEntry
from tests.credit.idle import close_letters, pass_days, warnings
from tests.credit.moves import allocate, buy
from tests.factories import MemberFactory, OrganizationFactory

WORK = """
import django; django.setup()
from django.conf import settings
settings.CREDIT_INACTIVE_DAYS = 180
from credit.services import idle_credit_work
from members.models import Organization
from tests.credit.idle import watch
idle_credit_work.AT_ONCE = 2
watch(Organization.objects.get())
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(apart):
    """Does what is done once a day in a process of its own, and gives how that ended."""
    return partial(apart, "-c", WORK)


def test_however_often_the_worker_dies_everybody_is_warned_once_and_inactive_once(work):
    assert idle_credit_work.AT_ONCE > 2
    organization = OrganizationFactory()
    buy(organization, "100")
    for one in MemberFactory.create_batch(5, organization=organization):
        allocate(one, "5")
    pass_days(365)

    assert work(die_at="idle_credit.warned").returncode == -signal.SIGKILL
    assert (len(warnings()), IdleCredit.objects.count()) == (0, 0)
    assert work().returncode == 0
    assert work().returncode == 0
    assert (len(warnings()), IdleCredit.objects.filter(letter__in=warnings()).count()) == (5, 5)

    close_letters()
    pass_days(7)
    assert work(die_at="idle_credit.inactive").returncode == -signal.SIGKILL
    assert not IdleCredit.objects.filter(inactive_at__isnull=False).exists()
    assert work().returncode == 0
    assert work().returncode == 0

    assert IdleCredit.objects.filter(inactive_at__lte=timezone.now()).count() == 5
    assert AuditEntry.objects.filter(action=Action.CREDIT_INACTIVE).count() == 5
    assert len(warnings()) == 5
