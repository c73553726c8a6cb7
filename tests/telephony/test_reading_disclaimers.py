"""Numbers of a country become an organization's once somebody there has accepted what they mean for emergency calls."""

import io
import re
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.models import AuditEntry, Member
from telephony.address_errors import DisclaimerMissing
from telephony.countries import missing_disclaimer
from telephony.errors import AddressNeeded
from telephony.models import Disclaimer, DisclaimerAcceptance, PhoneNumber
from telephony.services.disclaimers import accept_disclaimer
from tests.factories import EmergencyAddressFactory, MemberFactory
from tests.telephony.stock import allow, stocked
from tests.telephony.test_reservations import acquire, reserve
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db

LABEL = "I have read what emergency calls from these numbers can and can’t do"


@pytest.fixture
def manager(client):
    member = MemberFactory(role=Member.Role.VOICE_MANAGER)
    open_voice(member.organization, accepted=())
    allow(member.organization, 100)
    client.force_login(member.user)
    return member


@pytest.fixture
def redmond():
    return stocked(3)


@pytest.fixture
def toulouse():
    return stocked(3, country="FR", region="Occitanie", city="Toulouse")


def url(member, name):
    return reverse(f"telephony:{name}", args=[member.organization.slug])


def publish(country, version):
    texts = {f"text_{language}": f"Version {version}" for language in ("en", "fr", "sv")}
    Disclaimer.objects.create(country=country, version=version, begins_at=timezone.now(), **texts)


def form_of(*reservations, **more):
    held = PhoneNumber.objects.filter(reservation__in=reservations)
    numbers = [number.number for number in held]
    return {"reservation": [one.pk for one in reservations], "number": numbers, "key": uuid4(), **more}


def beside(page, field):
    found = re.search(rf'<div id="acquire_{field}_error">(.*?)</div>', page.content.decode(), re.DOTALL)
    return found and found[1]


def accepted(member):
    rows = DisclaimerAcceptance.objects.filter(organization=member.organization)
    return sorted(rows.values_list("disclaimer__country", "disclaimer__version"))


def test_without_it_nothing_is_acquired_and_with_it_both_are_written_down(manager, redmond):
    reservation = reserve(manager, redmond, 2)

    for read in ({}, {"US": 2}, {"FR": 1}):
        with pytest.raises(DisclaimerMissing):
            acquire(manager, reservation, read=read)
    assert accepted(manager) == []
    assert len(acquire(manager, reservation, read={"US": 1})) == 2

    assert accepted(manager) == [("US", 1)]
    entry = AuditEntry.objects.get(action="disclaimer.accepted")
    assert (entry.after, entry.actor_member) == ({"country": "US", "version": 1}, manager)


def test_what_was_accepted_is_not_asked_again_and_not_accepted_twice(manager, redmond):
    accept_disclaimer(actor=Actor.system(), organization=manager.organization, country="US")

    assert acquire(manager, reserve(manager, redmond))
    assert acquire(manager, reserve(manager, redmond), read={"US": 1})

    assert accepted(manager) == [("US", 1)]


def test_only_countries_whose_numbers_are_acquired_are_accepted(manager, redmond, toulouse):
    american, french = reserve(manager, redmond), reserve(manager, toulouse)
    numbers = [number.number for number in PhoneNumber.objects.filter(reservation=american)]

    acquire(manager, american, french, numbers=numbers, read={"US": 1, "FR": 1})

    assert accepted(manager) == [("US", 1)]


def test_what_can_not_be_acquired_is_not_accepted_either(manager, toulouse):
    reservation = reserve(manager, toulouse)

    with pytest.raises(AddressNeeded):
        acquire(manager, reservation, read={"FR": 1})

    assert accepted(manager) == []


def test_a_country_without_a_text_asks_nothing(manager):
    area = stocked(1, country="MX", region="", city="Monterrey")
    site = EmergencyAddressFactory(organization=manager.organization, country="MX")
    assert missing_disclaimer(manager.organization, "MX") is None

    assert acquire(manager, reserve(manager, area), addresses=[site])


def test_the_page_shows_the_text_and_refuses_next_to_the_box(client, manager, redmond):
    reservation = reserve(manager, redmond)

    page = client.get(url(manager, "numbers_add")).text
    assert "Emergency calls (911) are routed by the emergency address" in page
    assert "Version 1" in page
    assert f"{LABEL}: United States" in page
    refused = client.post(url(manager, "numbers_acquire"), form_of(reservation))
    assert refused.status_code == 422
    assert "Read the text above and tick this box" in beside(refused, "accept_US_1")
    assert not PhoneNumber.objects.of(manager.organization).exists()
    assert client.post(url(manager, "numbers_acquire"), form_of(reservation, accept_US_1="on")).status_code == 302

    assert accepted(manager) == [("US", 1)]
    reserve(manager, redmond)
    assert LABEL not in client.get(url(manager, "numbers_add")).text


def test_each_country_has_a_box_and_only_those_of_ticked_numbers_are_needed(client, manager, redmond, toulouse):
    both = [reserve(manager, redmond), reserve(manager, toulouse)]
    site = EmergencyAddressFactory(organization=manager.organization)
    sent = form_of(*both, address_FR=site.pk)

    refused = client.post(url(manager, "numbers_acquire"), sent)
    assert beside(refused, "accept_US_1")
    assert beside(refused, "accept_FR_1")
    french = [number.number for number in PhoneNumber.objects.filter(reservation=both[1])]
    done = client.post(url(manager, "numbers_acquire"), {**sent, "number": french, "accept_FR_1": "on"})

    assert done.status_code == 302
    assert accepted(manager) == [("FR", 1)]


def test_who_has_read_an_older_text_reads_the_newer_one(client, manager, redmond):
    reservation = reserve(manager, redmond)
    publish("US", 2)

    refused = client.post(url(manager, "numbers_acquire"), form_of(reservation, accept_US_1="on"))
    assert refused.status_code == 422
    assert beside(refused, "accept_US_2")
    client.post(url(manager, "numbers_acquire"), form_of(reservation, accept_US_2="on"))

    assert accepted(manager) == [("US", 2)]


def test_by_command_it_is_accepted_later_before_a_number_is_assigned(manager, redmond):
    reservation = reserve(manager, redmond)
    words = ["--organization", manager.organization.slug]

    call_command("acquire_numbers", *words, "--reservation", str(reservation.pk), stdout=io.StringIO())

    assert PhoneNumber.objects.of(manager.organization).count() == 1
    assert missing_disclaimer(manager.organization, "US")
    call_command("accept_disclaimer", *words, "--country", "US", stdout=io.StringIO())
    assert accepted(manager) == [("US", 1)]
