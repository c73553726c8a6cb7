"""Somebody whose leaving is dealt with while others block, hand over or equip them: one order wins, nothing is half."""

from functools import partial
from uuid import uuid4

import pytest

from members.errors import LastAdministrator
from members.models import Leaving, Member
from members.services.hand_over import hand_over
from members.services.leavers import process_leaver
from members.services.members import block_members
from telephony.assigning import Pairing
from telephony.assignment_errors import NumberCoolsOff, NumberTaken
from telephony.models import NumberAssignment, PhoneNumber
from telephony.services.assignments import assign_numbers
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.leavers import SYSTEM, equipped
from tests.telephony.licensed import assigning, has

pytestmark = pytest.mark.django_db(transaction=True)


def leaving(member: Member, **facts) -> partial:
    facts = {"key": uuid4(), **facts}
    return partial(process_leaver, actor=SYSTEM, organization=member.organization, member=member, **facts)


def test_the_same_leaving_arriving_twice_at_once_is_one(race, rounds):
    for _round in range(rounds):
        who = equipped()
        twice = leaving(who.member)

        first, second = race(twice, twice)

        assert first == second
        assert Leaving.objects.filter(member=who.member).count() == 1


def test_two_who_deal_with_one_leaving_at_once_free_its_number_once(race, rounds):
    for _round in range(rounds):
        who = equipped()

        outcomes = race(leaving(who.member), leaving(who.member))

        freed = [line for one in outcomes for line in one.lines if line["outcome"] == "freed"]
        assert [line["number"] for line in freed] == [who.number.number]
        assert has(who.member) == []


def test_of_two_last_administrators_one_leaves(race, rounds):
    for _round in range(rounds):
        organization = OrganizationFactory()
        pair = [MemberFactory(organization=organization, admin=True) for _ in range(2)]

        outcomes = race(*(leaving(member) for member in pair))

        assert [type(one) for one in outcomes if isinstance(one, Exception)] == [LastAdministrator]
        assert Member.objects.of(organization).administrators().count() == 1


def test_a_number_that_is_freed_while_it_is_given_has_one_holder(race, rounds):
    for _round in range(rounds):
        who = equipped()
        other = MemberFactory(organization=who.organization)
        assigning("phone-system", other)
        give = partial(
            assign_numbers,
            actor=SYSTEM,
            organization=who.organization,
            pairings=[Pairing(other, PhoneNumber.objects.get(pk=who.number.pk), who.site)],
            key=uuid4(),
        )

        left, given = race(leaving(who.member), give)

        assert isinstance(left, Leaving)
        assert isinstance(given, NumberTaken | NumberCoolsOff)
        assert not NumberAssignment.objects.filter(number=who.number, until=None).exists()


def test_whoever_is_blocked_or_handed_over_meanwhile_is_dealt_with_in_one_order(race, rounds):
    for number in range(rounds):
        who = equipped()
        block = partial(
            block_members,
            actor=SYSTEM,
            organization=who.organization,
            members=Member.objects.filter(pk=who.member.pk),
        )
        give = partial(
            hand_over,
            actor=SYSTEM,
            organization=who.organization,
            member=who.member,
            email=f"new{number}@a.example",
            first_name="Bert",
            last_name="Lind",
            key=uuid4(),
        )

        left, _blocked, given = race(leaving(who.member), block, give)

        # Whoever gets the account gets it with what is left of it, or leaves at once.
        assert isinstance(left, Leaving)
        assert not isinstance(given, Exception)
        assert Member.objects.get(pk=who.member.pk).state in {"invited", "blocked"}
        assert has(who.member) == []
        assert not NumberAssignment.objects.filter(member=who.member, until=None).exists()
