import re
from datetime import timedelta

import pytest
from django.utils import timezone

from members.access import Actor
from members.audit import Action, record
from members.models import Letter
from members.registry import ChecklistItem, registry
from tests.factories import InvitationFactory, MemberFactory

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
