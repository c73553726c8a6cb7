"""Consent to call detail, decided while whoever decides it leaves."""

from functools import partial

import pytest

from members.access import Actor
from members.models import CallDetailConsent
from members.selectors.consents import may_see_call_detail
from members.services.consents import decide_call_detail
from members.services.profile import leave_organization
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


def agreeing_and_leaving():
    member = MemberFactory(personal=True)
    mine = {"actor": Actor.of_person(member.user), "organization": member.organization}
    return member, partial(decide_call_detail, **mine, given=True), partial(leave_organization, **mine)


def test_agreeing_while_leaving_shows_nothing_afterward(race, rounds):
    for _round in range(rounds):
        member, agree, leave = agreeing_and_leaving()

        race(agree, leave)

        decided = CallDetailConsent.objects.filter(member=member).order_by("pk").values_list("given", flat=True)
        assert list(decided) in ([], [True, False])
        assert not may_see_call_detail(member)


def test_leaving_waits_for_whoever_is_agreeing(meanwhile):
    member, agree, leave = agreeing_and_leaving()

    held = meanwhile(agree, leave, at='^INSERT INTO "members_calldetailconsent"')

    assert held.waited
    assert not may_see_call_detail(member)


def test_control_without_the_lock_somebody_who_has_left_agrees(meanwhile):
    member, agree, leave = agreeing_and_leaving()

    meanwhile(agree, leave, at='^INSERT INTO "members_calldetailconsent"', unlocked=True)

    assert may_see_call_detail(member)
