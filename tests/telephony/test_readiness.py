"""Everybody who could not be found in an emergency, and why; and that a successor gets number and licenses."""

import io
import json
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from credit.gateways.pdf import PdfUnavailable
from members.models import Member
from members.registry import HandOverPart, registry
from members.services.hand_over import hand_over
from telephony.models import Disclaimer, EmergencyAddress, License, NumberAssignment
from telephony.selectors.numbers import assignments_of
from telephony.selectors.readiness import Readiness, readiness_of
from telephony.services.disclaimers import accept_disclaimer
from tests.factories import EmergencyAddressFactory, MemberFactory, SeatFactory
from tests.telephony.leavers import SYSTEM, equipped, leave
from tests.telephony.licensed import has
from tests.workbooks import cells_of

pytestmark = pytest.mark.django_db


def found(organization, reason=""):
    """Who could not be found, and why."""
    asked = readiness_of(organization, reason)
    return {one.member: one.reasons for members in asked.chunks() for one in asked.explain(members)}


def somebody(who, **facts):
    """Somebody else with Phone System."""
    member = MemberFactory(organization=who.organization, **facts)
    SeatFactory(license=who.phone_system, member=member)
    return member


def url(who, name):
    return reverse(f"telephony:{name}", args=[who.organization.slug])


def signed_in(who):
    client = Client()
    client.force_login(who.boss.user)
    return client


def test_who_has_everything_is_not_listed():
    who = equipped()

    assert found(who.organization) == {}


def test_who_has_phone_system_and_no_number_is():
    who = equipped()
    active, invited = somebody(who), somebody(who, invited=True)
    somebody(who, state="blocked")
    MemberFactory(organization=who.organization)

    assert found(who.organization) == {active: ["no_number"], invited: ["no_number"]}


def test_seats_that_sleep_or_have_ended_do_not_count():
    who = equipped()
    somebody(who)
    now = timezone.now()

    License.objects.filter(pk=who.phone_system.pk).update(grace_since=now, asleep_since=now)

    assert found(who.organization) == {}


def test_an_address_that_was_retired_does_not_count():
    who = equipped()
    EmergencyAddress.objects.filter(pk=who.site.pk).update(retired_at=timezone.now())

    assert found(who.organization) == {who.member: ["no_address"]}


def test_an_address_of_another_country_does_not_count():
    who = equipped()
    abroad = EmergencyAddressFactory(organization=who.organization, country="SE")
    NumberAssignment.objects.filter(until=None).update(emergency_address=abroad)

    assert found(who.organization)[who.member][0] == "elsewhere"
    assert list(found(who.organization, "elsewhere")) == [who.member]


def test_a_disclaimer_that_counts_now_has_to_be_accepted():
    who, other = equipped(), equipped()
    texts = dict.fromkeys(["text_en", "text_fr", "text_sv"], "New")
    Disclaimer.objects.create(country="FR", version=9, begins_at=timezone.now(), **texts)
    accept_disclaimer(actor=SYSTEM, organization=other.organization, country="FR")

    assert found(who.organization) == {who.member: ["no_disclaimer"]}
    assert found(other.organization) == {}


def test_each_reason_finds_its_own_people():
    who = equipped()
    without = somebody(who)
    EmergencyAddress.objects.filter(pk=who.site.pk).update(retired_at=timezone.now())

    assert list(found(who.organization, "no_number")) == [without]
    assert list(found(who.organization, "no_address")) == [who.member]
    assert found(who.organization, "not_validated") == {}


def test_the_page_tells_why_and_where_to_go():
    who = equipped()
    member = somebody(who)

    page = signed_in(who).get(url(who, "readiness"))

    assert "No phone number" in page.text
    assert reverse("members:member_profile", args=[who.organization.slug, member.user.skype_name]) in page.text
    assert "Nobody for this reason" in signed_in(who).get(url(who, "readiness") + "?reason=elsewhere").text


def test_the_page_costs_the_same_for_many():
    who = equipped()
    somebody(who)
    client = signed_in(who)

    def cost():
        with CaptureQueriesContext(connection) as captured:
            client.get(url(who, "readiness"))
        return len(captured)

    cost()
    few = cost()
    for _number in range(8):
        somebody(who)
    assert cost() == few


def test_pages_follow_each_other():
    who = equipped()
    License.objects.filter(pk=who.phone_system.pk).update(quantity=100, renewed_quantity=100)
    members = {somebody(who).pk for _number in range(60)}
    client, seen, address = signed_in(who), set(), url(who, "readiness")

    while address:
        page = client.get(address).context["page"]
        seen |= {member.pk for member in page.rows}
        address = page.next_url and url(who, "readiness") + page.next_url

    assert seen == members


def test_the_file_and_the_command_tell_the_same():
    who = equipped()
    member = somebody(who)
    file = b"".join(signed_in(who).get(url(who, "readiness_export")).streaming_content).decode()
    out = io.StringIO()

    call_command("show_readiness", "--organization", who.organization.slug, "--json", stdout=out)

    assert member.user.skype_name in file
    assert who.member.user.skype_name not in file
    told = json.loads(out.getvalue())
    assert [(row["member"], row["reasons"]) for row in told["rows"]] == [(member.user.skype_name, ["no_number"])]
    assert told["people"] == 1


def test_the_file_is_a_workbook_or_a_paper_when_asked_for():
    who = equipped()
    member = somebody(who)
    client, export = signed_in(who), url(who, "readiness_export")

    book = cells_of(b"".join(client.get(f"{export}?format=xlsx").streaming_content))
    paper = client.get(f"{export}?format=pdf")

    assert [row[0] for row in book] == ["Skype Name", member.user.skype_name]
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")


def test_where_no_paper_can_be_made_the_page_says_what_else_there_is(monkeypatch):
    who = equipped()
    somebody(who)

    def refuse(*args, **kwargs):
        raise PdfUnavailable

    monkeypatch.setattr("telephony.views.readiness.make_pdf", refuse)

    answer = signed_in(who).get(url(who, "readiness_export") + "?format=pdf", follow=True)

    assert "take a file for a spreadsheet" in answer.text


def test_the_overview_tells_how_many_there_are():
    who = equipped()
    client, overview = signed_in(who), reverse("reports:dashboard", args=[who.organization.slug])
    assert "could not be found in an emergency" not in client.get(overview).text

    somebody(who)

    page = client.get(overview).text
    assert "1 person could not be found in an emergency" in page
    assert url(who, "readiness") in page


def test_a_reason_that_does_not_exist_asks_for_all():
    who = equipped()
    member = somebody(who)
    asked = Readiness.read(who.organization, Client().get("/?reason=x").wsgi_request.GET)

    assert [one.pk for one in asked.page().rows] == [member.pk]


def give(who):
    return hand_over(
        actor=SYSTEM,
        organization=who.organization,
        member=Member.objects.get(pk=who.member.pk),
        email="bert@people.example",
        first_name="Bert",
        last_name="Lind",
        key=uuid4(),
    )


def test_whoever_gets_an_account_gets_its_number_and_licenses():
    who = equipped()
    name = who.member.user.display_name

    leave(who, choices={"number": "keep", "license-phone-system": "keep", "license-calling-plan-domestic": "keep"})
    give(who)

    assert has(who.member) == ["calling-plan-domestic", "phone-system"]
    [held] = assignments_of(who.organization, who.number)
    assert held.until is None
    # Who had it then stays the one who had it then.
    assert held.member.name_at(held.since) == name
    assert held.member.name_at(timezone.now()) == "Bert Lind"


def test_the_page_of_the_hand_over_tells_what_goes_along():
    who = equipped()

    lines = {str(label): value for part in registry.all(HandOverPart) for label, value in part.list(who.member)}

    assert lines["Phone number"].startswith("+")
    assert lines["Emergency address"] == "Siège: to be confirmed again"
    assert "Phone System" in lines["Licenses"]
