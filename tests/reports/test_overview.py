import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from members.access import Actor
from members.audit import Action, record
from members.models import Letter
from members.registry import ChecklistItem, registry
from tests.factories import InvitationFactory, LicenseFactory, MemberFactory, PhoneNumberFactory
from tests.telephony.calls import a_call, imported, with_rates

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    member = MemberFactory(admin=True, organization__slug="architectes")
    client.force_login(member.user)
    return member


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_checklist_says_what_is_done_and_what_comes_next(client, admin):
    page = text_of(client.get("/architectes/"))

    assert "1 of 6 done" in page
    assert "By e-mail address, or from your directory" in page


def test_members_who_were_added_tick_the_checklist(client, admin):
    MemberFactory(organization=admin.organization)

    assert "2 of 6 done" in text_of(client.get("/architectes/"))


def test_other_apps_add_to_the_checklist(client, admin):
    item = ChecklistItem(
        key="test_step",
        label="Water the plants",
        action_label="Water",
        url=lambda organization: f"/{organization.slug}/",
        capability="open_console",
        order=99,
        state=lambda organization: (False, organization.name),
    )
    registry.add(item)
    try:
        page = text_of(client.get("/architectes/"))
    finally:
        registry.remove(ChecklistItem, "test_step")

    assert "Water the plants" in page


def test_what_waits_for_a_person_is_named(client, admin):
    invitation = InvitationFactory(member__organization=admin.organization)
    Letter.objects.create(
        organization=admin.organization,
        kind=Letter.Kind.INVITATION,
        invitation=invitation,
        email=invitation.email,
        state=Letter.State.FAILED,
    )
    InvitationFactory(member__organization=admin.organization, expires_at=timezone.now() - timedelta(days=1))
    InvitationFactory(member__organization=admin.organization, expires_at=timezone.now() + timedelta(days=1))

    page = text_of(client.get("/architectes/"))

    assert "1 letter was refused" in page
    assert "1 invitation has expired" in page
    assert "1 invitation ends within three days" in page


def test_letters_that_wait_for_the_founders_address_are_named(client, admin):
    invitation = InvitationFactory(member__organization=admin.organization)
    Letter.objects.create(
        organization=admin.organization, kind=Letter.Kind.INVITATION, invitation=invitation, email=invitation.email
    )
    admin.organization.letters_released_at = None
    admin.organization.save()

    page = text_of(client.get("/architectes/"))

    assert "1 letter waits until the founder’s address is confirmed" in page


def test_recent_changes_are_shown_to_those_who_may_read_the_log(client, admin):
    record(
        organization=admin.organization,
        actor=Actor.of_member(admin),
        action=Action.ORGANIZATION_CHANGED,
        subject=admin.organization,
    )
    assert "Recent changes" in text_of(client.get("/architectes/"))

    viewer = MemberFactory(organization=admin.organization, role="reports_viewer")
    client.force_login(viewer.user)
    assert "Recent changes" not in text_of(client.get("/architectes/"))


def test_a_plain_member_has_no_overview_and_a_stranger_no_organization(client, admin):
    client.force_login(MemberFactory(organization=admin.organization).user)
    assert client.get("/architectes/").status_code == 403

    client.force_login(MemberFactory(admin=True).user)
    assert client.get("/architectes/").status_code == 404


def test_another_organizations_people_are_not_counted(client, admin):
    MemberFactory.create_batch(3)

    response = client.get("/architectes/")

    assert response.context["members"]["present"] == 1


def with_calls(organization):
    with_rates()
    today = timezone.now().date()
    first = datetime(today.year, today.month, 1, 12, tzinfo=UTC)
    MemberFactory(organization=organization, user__skype_name="marie.curie")
    MemberFactory(organization=organization, user__skype_name="pierre.curie")
    imported(
        organization,
        [
            a_call(1, account="marie.curie", at=first, seconds=600),
            a_call(2, account="pierre.curie", to="+33123456789", at=first, seconds=600),
            a_call(3, account="pierre.curie", at=first - timedelta(days=1), seconds=60),
            a_call(4, account="nobody", at=first, seconds=600),
        ],
    )


def test_calls_of_this_month_stand_beside_those_of_the_month_before(client, admin):
    type(admin.organization).objects.update(time_zone="UTC", currency="EUR")
    admin.organization.refresh_from_db()
    with_calls(admin.organization)

    page = client.get("/architectes/")

    assert page.context["spending"]["cost"] == "€0.70"
    assert "€0.70" in text_of(page)
    assert page.context["spending"]["chart"].before.endswith(",93.75")
    assert 'data-hx-get="/architectes/reports/top/"' in page.content.decode()


def test_who_and_where_to_come_after_the_page_and_lead_to_their_calls(client, admin):
    type(admin.organization).objects.update(time_zone="UTC", currency="EUR")
    admin.organization.refresh_from_db()
    with_calls(admin.organization)

    whole = client.get("/architectes/reports/top/")
    part = client.get("/architectes/reports/top/", headers={"HX-Request": "true"})

    assert b"<html" in whole.content
    assert b"<html" not in part.content
    people, places = part.context["people"], part.context["destinations"]
    assert [(one["cost"], one["share"]) for one in people] == [(Decimal("0.5"), "100.0"), (Decimal("0.2"), "40.0")]
    assert [one["label"] for one in places] == ["Spain", "France"]
    assert [client.get(one["url"]).status_code for one in (*people, *places)] == [200] * 4
    marie = client.get(people[0]["url"])
    assert [line.call.seconds for line in marie.context["lines"]] == [600]


def test_where_no_calls_were_made_there_is_nothing_about_them(client, admin):
    assert client.get("/architectes/").context["spending"] is None


def test_licenses_and_numbers_are_told_to_whoever_manages_them(client, admin):
    LicenseFactory(organization=admin.organization, quantity=5)
    PhoneNumberFactory(organization=admin.organization)

    assert "5 of them free" in text_of(client.get("/architectes/"))
    client.force_login(MemberFactory(organization=admin.organization, role="reports_viewer").user)
    assert client.get("/architectes/").context["seats"] is None
