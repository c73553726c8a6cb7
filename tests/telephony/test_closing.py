"""The end of an organization that has numbers and licenses."""

import pytest
from django.urls import reverse

from members.models import AuditEntry
from members.registry import ClosingStep, registry
from skypemgr.invariants import find_violations
from telephony import closing
from telephony.models import License, LicenseAssignment, NumberAssignment, NumberTag, PhoneNumber
from tests.closings import close
from tests.factories import PhoneNumberFactory, PortOrderFactory
from tests.telephony.leavers import equipped

pytestmark = pytest.mark.django_db


def told(organization):
    return [text for step in registry.all(ClosingStep) for text in step.consequences(organization)]


def test_numbers_go_back_and_licenses_end_with_the_organization(monkeypatch):
    monkeypatch.setattr(closing, "AT_ONCE", 2)
    who = equipped()
    others = PhoneNumberFactory.create_batch(4, organization=who.organization)
    NumberTag.objects.create(organization=who.organization, number=others[0], name="Sales", key="sales")

    close(who.organization)

    assert not PhoneNumber.objects.of(who.organization).exists()
    assert PhoneNumber.objects.filter(former_owner=who.organization).count() == 5
    assert not PhoneNumber.objects.free().exists()
    assert not NumberAssignment.objects.filter(until=None).exists()
    assert not LicenseAssignment.objects.filter(ended_at=None).exists()
    assert not License.objects.owned().exists()
    assert AuditEntry.objects.filter(action="number.released").count() == 5
    assert [one for one in find_violations() if one.invariant != "members.changes_are_in_the_log"] == []


def test_nothing_is_taken_from_another_organization():
    who, other = equipped(), equipped()

    close(who.organization)

    assert NumberAssignment.objects.filter(member=other.member, until=None).exists()
    assert License.objects.owned().filter(organization=other.organization).count() == 2


def test_the_page_says_how_many_numbers_and_licenses_end():
    who = equipped()
    PhoneNumberFactory(organization=who.organization)

    assert "2 phone numbers go back to the stock. Nobody reaches you by them any more." in told(who.organization)
    assert "20 licenses end. What was paid for them is not paid back." in told(who.organization)
    [(_label, url)] = closing.files(who.organization)
    assert url == reverse("telephony:number_export", args=[who.organization.slug])


def test_numbers_that_are_being_brought_in_have_to_be_dealt_with_first():
    order = PortOrderFactory()

    [obstacle] = closing.obstacles(order.organization)

    assert obstacle.url == reverse("porting:order_list", args=[order.organization.slug])
    type(order).objects.update(state="canceled")
    assert closing.obstacles(order.organization) == []
