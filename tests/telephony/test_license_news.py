"""What is told of licenses where pages meet: alerts, statements, next steps, one's own page and data."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from credit.alerts import find_alerts
from credit.services.alert_letters import send_digest
from members.access import Actor
from members.gateways.mail import render_letter
from members.jobs import Run
from members.letter_texts import compose
from members.models import Letter
from members.periods import Every, period_at
from members.services.personal_data import export_member_data
from telephony.models import License
from tests.credit.moves import buy
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.telephony.licensed import assigning, buying

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


def unpaid(organization, code="premium", *, asleep=False):
    now = timezone.now()
    bought = LicenseFactory(organization=organization, code=code)
    License.objects.filter(pk=bought.pk).update(grace_since=now, asleep_since=now if asleep else None)
    return bought


def digest(organization, days=0):
    moment = timezone.now() + timedelta(days=days)
    send_digest(Run(period_at(moment, Every.DAY, ZoneInfo("Europe/Paris")), organization))


def titles(organization):
    return [alert.title for alert in find_alerts(organization)]


def test_a_license_that_could_not_be_renewed_is_told_of_until_it_is(organization, boss, client):
    bought = unpaid(organization)
    assert titles(organization) == ["1 license could not be renewed"]
    assert "1 license could not be renewed" in client.get("/acme/").text

    License.objects.filter(pk=bought.pk).update(asleep_since=timezone.now())
    assert titles(organization) == ["1 license sleeps"]
    License.objects.filter(pk=bought.pk).update(asleep_since=None, grace_since=None)
    assert titles(organization) == []


def test_whoever_manages_voice_alone_sees_it_on_the_overview(organization, client):
    client.force_login(MemberFactory(organization=organization, role="voice_manager").user)
    unpaid(organization)

    assert "1 license could not be renewed" in client.get("/acme/").text


def test_a_letter_says_so_with_the_names(organization, boss):
    unpaid(organization)
    unpaid(organization, "voicemail", asleep=True)

    digest(organization)
    digest(organization)

    letter = Letter.objects.get(kind=Letter.Kind.CREDIT_ALERT)
    composed = compose(letter)
    text = render_letter(
        template=letter.kind, context=composed.context, address=letter.email, message_id=letter.message_id
    ).body
    assert "1 license could not be renewed" in text
    assert "Skype Premium" in text
    assert "1 license sleeps" in text


def test_other_organizations_are_not_told(organization):
    unpaid(OrganizationFactory())

    assert titles(organization) == []


def test_a_fee_leads_to_its_license(organization, boss, client):
    buy(organization, "100")
    bought = buying(organization, "premium")

    page = client.get(reverse("credit:wallet_statement", args=["acme"])).text

    assert reverse("telephony:license", args=["acme", bought.pk]) in page
    assert "License Skype Premium" in page


def test_who_may_not_open_the_license_sees_no_way_there(organization, client):
    buy(organization, "100")
    bought = buying(organization, "premium")
    client.force_login(MemberFactory(organization=organization, role="credit_manager").user)

    page = client.get(reverse("credit:wallet_statement", args=["acme"])).text

    assert reverse("telephony:license", args=["acme", bought.pk]) not in page


def steps(client):
    return {step["key"]: (step["done"], step["note"]) for step in client.get("/acme/").context["steps"]}


def test_assigning_is_a_next_step_until_somebody_has_a_seat(organization, boss, client):
    assert steps(client)["assign_licenses"] == (False, "Skype Premium, Phone System and more, bought from the wallet")
    LicenseFactory(organization=organization, code="premium", quantity=3)
    assert steps(client)["assign_licenses"] == (False, "3 seats are bought, and free")
    assigning("premium", boss)
    assert steps(client)["assign_licenses"] == (True, "")


def test_numbers_are_a_next_step_where_voice_is_open(organization, boss, client):
    assert "set_up_voice" not in steps(client)
    LicenseFactory(organization=organization)
    assert steps(client)["set_up_voice"] == (False, "Each with an emergency address")


def test_everybody_sees_their_own_features(organization, client, django_assert_max_num_queries):
    member = SeatFactory(license=LicenseFactory(organization=organization, code="phone-system")).member
    SeatFactory(license=unpaid(organization, "premium", asleep=True), member=member)
    client.force_login(member.user)

    page = client.get(reverse("me:home")).text

    assert "Your features" in page
    assert "with Phone System (Cloud PBX)" in page
    assert "It is not paid at the moment" in page
    assert "Unlimited World" not in page


def test_who_has_nothing_sees_no_features(organization, client):
    client.force_login(MemberFactory(organization=organization).user)

    assert "Your features" not in client.get(reverse("me:home")).text


def test_the_file_of_a_person_holds_their_seats(organization, boss):
    member = SeatFactory(license=LicenseFactory(organization=organization, code="premium")).member

    found = export_member_data(actor=Actor.of_member(boss), organization=organization, member=member)

    assert "Skype Premium" in json.dumps(found, default=str)
