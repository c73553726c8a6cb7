from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.models import Invitation, Letter
from members.services.invitations import invite_personal
from tests.factories import InvitationFactory, MemberFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return MemberFactory(admin=True, organization__name="Architectes")


@pytest.fixture
def actor(admin):
    return Actor.of_member(admin)


@pytest.fixture
def invitation(admin):
    return InvitationFactory(member=MemberFactory(organization=admin.organization, invited=True))


def fresh(invitation) -> Invitation:
    return Invitation.objects.select_related("member__user", "organization").get(pk=invitation.pk)


@pytest.fixture
def console(admin) -> Client:
    client = Client()
    client.force_login(admin.user)
    return client


def url(admin, name="invitation_list", *args) -> str:
    return reverse(f"members:{name}", args=[admin.organization.slug, *args])


def test_the_page_shows_who_waits_and_what_became_of_each_letter(console, admin):
    organization = admin.organization

    def letter(**facts):
        invitation = InvitationFactory(member=MemberFactory(organization=organization, invited=True))
        Letter.objects.create(
            organization=organization, kind="invitation", invitation=invitation, email=invitation.email, **facts
        )
        return invitation

    InvitationFactory(member=MemberFactory(organization=organization, invited=True))
    letter()
    letter(state="sent", closed_at=timezone.now())
    letter(state="failed", last_error="550")
    letter(last_error="451")
    letter(last_error="ConnectionRefusedError")
    InvitationFactory(
        member=MemberFactory(organization=organization, invited=True), expires_at=timezone.now() - timedelta(days=1)
    )

    page = console.get(url(admin))

    assert page.status_code == 200
    for sentence in (
        "No letter sent",
        "Waiting to be sent",
        "The mail server asks to try later (451).",
        "The mail server can’t be reached.",
        "5 of 5 invitations, newest first",
    ):
        assert sentence in page.text
    assert "expired on" in console.get(url(admin), {"state": "expired"}).text
    assert "The mail server refuses the address (550)." in console.get(url(admin), {"state": "bounced"}).text


def test_the_page_says_that_letters_are_held_until_the_founder_is_confirmed(console, admin, invitation):
    admin.organization.letters_released_at = None
    admin.organization.save()
    Letter.objects.create(
        organization=admin.organization, kind="invitation", invitation=invitation, email=invitation.email
    )

    page = console.get(url(admin))

    assert "Held" in page.text
    assert "No invitation leaves before the founder’s address is confirmed." in page.text


def test_the_page_costs_the_same_for_one_invitation_and_for_fifty(console, admin, django_assert_max_num_queries):
    for _number in range(55):
        InvitationFactory(member=MemberFactory(organization=admin.organization, invited=True))

    with django_assert_max_num_queries(16):
        page = console.get(url(admin))

    assert "50 of 55 invitations" in page.text
    assert len(page.content) < 100_000


def test_the_address_of_somebody_invited_by_skype_name_is_not_shown(console, admin):
    ines = UserFactory(skype_name="ines.moreau", email="secret@home.example")
    invite_personal(actor=Actor.of_member(admin), organization=admin.organization, people=["ines.moreau"], key=uuid4())

    page = console.get(url(admin))

    assert ines.skype_name in page.text
    assert "secret@home.example" not in page.text
    assert "ines.moreau" not in console.get(url(admin), {"q": "secret"}).text


def test_the_list_is_searched_by_name_and_address(console, admin):
    organization = admin.organization
    InvitationFactory(member=MemberFactory(organization=organization, invited=True, user__first_name="Åsa"))
    InvitationFactory(member=MemberFactory(organization=organization, invited=True, user__first_name="Björn"))

    page = console.get(url(admin), {"q": "asa"})

    assert "Åsa" in page.text
    assert "Björn" not in page.text


def test_buttons_send_again_and_take_back(console, admin, invitation):
    response = console.post(url(admin, "invitation_resend", invitation.pk), follow=True)
    assert "A new letter is on its way." in response.text
    assert fresh(invitation).version == 2

    response = console.post(url(admin, "invitation_cancel", invitation.pk), follow=True)
    assert "The invitation is taken back." in response.text
    assert fresh(invitation).state == "canceled"

    response = console.post(url(admin, "invitation_cancel", invitation.pk), follow=True)
    assert "This invitation was already accepted, declined or canceled." in response.text
    assert "Invite again" in console.get(url(admin), {"state": "canceled"}).text


def test_a_question_of_somebody_with_a_dead_link_stands_on_the_page(console, admin, invitation):
    Invitation.objects.filter(pk=invitation.pk).update(reply="new_link")

    page = console.get(url(admin), {"state": "replied"})

    assert "Asked for a new link" in page.text


def test_the_form_invites_people_in_any_usual_form(console, admin):
    UserFactory(skype_name="ines.moreau")
    UserFactory(skype_name="bo.lindqvist")
    assert console.get(url(admin, "invite_personal")).status_code == 200

    response = console.post(
        url(admin, "invite_personal"),
        {"people": "Anna Berg <anna@home.example>; ines.moreau bo.lindqvist\nkim@home.example,", "key": uuid4()},
        follow=True,
    )

    assert "4 people are invited." in response.text
    assert Invitation.objects.filter(kind="personal").count() == 4


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(console, admin):
    response = console.post(url(admin, "invite_personal"), {"people": "nobody.here, anna@home.example", "key": uuid4()})

    assert response.status_code == 422
    assert "There is no personal account with the Skype Name nobody.here." in response.text
    assert "anna@home.example" in response.text
    assert Invitation.objects.count() == 0


def test_a_double_click_invites_once(console, admin):
    answers = {"people": "anna@home.example", "key": uuid4()}

    for _click in range(2):
        response = console.post(url(admin, "invite_personal"), answers, follow=True)
        assert "1 person is invited." in response.text

    assert Invitation.objects.count() == 1
    assert Letter.objects.count() == 1
    response = console.post(url(admin, "invite_personal"), answers | {"people": "bo@home.example"})
    assert "This form was already sent with other values." in response.text
