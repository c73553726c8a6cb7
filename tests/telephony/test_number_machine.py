"""Whatever two organizations do with numbers, in whatever order: each number is of one, and the quota holds (I7)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers, sampled_from

from members.access import Actor
from skypemgr.errors import DomainError
from skypemgr.invariants import all_invariants, find_violations
from telephony.errors import NothingFree, QuotaReached, ReservationOver
from telephony.models import PhoneNumber, Reservation
from telephony.quotas import quota_of
from telephony.releasing import KEPT
from telephony.selectors.reservations import list_held
from telephony.services.numbers import release_numbers, tag_numbers
from telephony.services.reservation_work import expire_reservations
from telephony.services.reservations import acquire_numbers, cancel_reservation, reserve_numbers
from tests.factories import OrganizationFactory
from tests.telephony.stock import allow, stocked
from tests.telephony.test_reservations import pass_time
from tests.telephony.voice import open_voice

SYSTEM = Actor.system()
WHO = integers(min_value=0, max_value=1)
NOT_OURS = frozenset(name for name in all_invariants() if not name.startswith("telephony."))


class Exchange(RuleBasedStateMachine):
    """What each number is, in a few words: of whom, or held by which reservation."""

    @initialize()
    def begin(self) -> None:
        self.organizations = [OrganizationFactory() for _organization in range(2)]
        self.area = stocked(7, city=f"City {uuid4()}")
        self.numbers = PhoneNumber.objects.filter(area=self.area)
        self.owned: list[set[int]] = [set(), set()]
        # Reservations whose end somebody has seen.
        self.seen_over: set[int] = set()
        self.quotas = [6, 3]
        for organization, quota in zip(self.organizations, self.quotas, strict=True):
            open_voice(organization)
            allow(organization, quota)

    def teardown(self) -> None:
        connection.check_constraints()

    def held(self, who: int) -> dict[int, set[int]]:
        """By its reservation, what somebody holds."""
        return {one.reservation.pk: {number.pk for number in one.numbers} for one in list_held(self.organizations[who])}

    @rule(who=WHO, quantity=integers(min_value=1, max_value=4))
    def reserve(self, who: int, quantity: int) -> None:
        others = {number for held in self.held(1 - who).values() for number in held} | self.owned[0] | self.owned[1]
        quota = quota_of(self.organizations[who])
        self.see_expired(who)
        try:
            reservation = reserve_numbers(
                actor=SYSTEM, organization=self.organizations[who], area=self.area, quantity=quantity, key=uuid4()
            )
        except QuotaReached:
            assert quota.can_acquire < quantity
        except NothingFree:
            # Where there is none, the quota is not asked.
            assert quota.can_acquire >= quantity or not self.numbers.free().exists()
        except DomainError:
            assert quota.can_acquire >= quantity
        else:
            got = set(reservation.numbers.values_list("pk", flat=True))
            assert 1 <= len(got) <= quantity <= quota.can_acquire
            assert not got & others
        self.seen_over |= set(Reservation.objects.filter(ended="expired").values_list("pk", flat=True))

    @rule(who=WHO, place=integers(min_value=0, max_value=3), some=booleans())
    def acquire(self, who: int, place: int, some: bool) -> None:
        reservations = list(Reservation.objects.filter(organization=self.organizations[who]).order_by("-pk")[:4])
        if not reservations:
            return
        reservation = reservations[place % len(reservations)]
        held = self.held(who).get(reservation.pk, set())
        chosen = sorted(held)[:1] if some else sorted(held)
        names = [number.number for number in PhoneNumber.objects.filter(pk__in=chosen)] if some else None
        try:
            acquired = acquire_numbers(
                actor=SYSTEM,
                organization=self.organizations[who],
                reservations=[reservation],
                numbers=names,
                key=uuid4(),
            )
        except ReservationOver:
            assert not held
            self.seen_over.add(reservation.pk)
        except DomainError:
            assert not chosen or len(self.owned[who]) + len(chosen) > self.quotas[who]
        else:
            assert reservation.pk not in self.seen_over
            assert sorted(number.pk for number in acquired) == chosen
            self.owned[who] |= set(chosen)

    @rule(who=WHO)
    def let_go(self, who: int) -> None:
        for reservation in self.held(who):
            cancel_reservation(
                actor=SYSTEM,
                organization=self.organizations[who],
                reservation=Reservation.objects.get(pk=reservation),
            )
        assert self.held(who) == {}

    @rule(who=WHO, tagged=booleans())
    def release(self, who: int, tagged: bool) -> None:
        if not self.owned[who]:
            return
        number = PhoneNumber.objects.get(pk=min(self.owned[who]))
        facts = {"actor": SYSTEM, "organization": self.organizations[who], "numbers": [number]}
        if tagged:
            tag_numbers(**facts, tag="Old")
        assert release_numbers(**facts) == 1
        self.owned[who].remove(number.pk)

    @rule(seconds=sampled_from([1, 300, 599, 601, 4_000]))
    def wait(self, seconds: int) -> None:
        pass_time(seconds)

    @rule(seconds=sampled_from([300, 601]))
    def set_the_clock_back(self, seconds: int) -> None:
        pass_time(-seconds)

    @rule()
    def wait_until_nothing_is_kept(self) -> None:
        PhoneNumber.objects.filter(former_owner__isnull=False, reservation=None).update(
            reserved_until=F("reserved_until") - KEPT - timedelta(days=1), kept_until=F("kept_until") - KEPT
        )

    @rule(who=WHO, quota=integers(min_value=0, max_value=7))
    def change_quota(self, who: int, quota: int) -> None:
        allow(self.organizations[who], quota)
        self.quotas[who] = quota

    @rule()
    def tidy(self) -> None:
        expire_reservations()
        self.seen_over |= set(Reservation.objects.filter(ended="expired").values_list("pk", flat=True))

    def see_expired(self, who: int) -> None:
        before = set(Reservation.objects.filter(organization=self.organizations[who], ended="expired"))
        self.seen_over |= {reservation.pk for reservation in before}

    @invariant()
    def numbers_are_whose_they_should_be(self) -> None:
        for organization, owned in zip(self.organizations, self.owned, strict=True):
            assert set(PhoneNumber.objects.of(organization).values_list("pk", flat=True)) == owned

    @invariant()
    def nothing_that_was_seen_over_holds_anything(self) -> None:
        for who in range(2):
            assert not self.seen_over & set(self.held(who))

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        assert find_violations(without=NOT_OURS) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("examples", "steps"), [(6, 30), pytest.param(150, 60, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_whatever_happens_each_number_is_of_one_and_the_quota_holds(examples, steps):
    with connection.cursor() as cursor:
        # All of it is one transaction, which takes longer than any of the product's may.
        cursor.execute("SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    run_state_machine_as_test(Exchange, settings=profile)
