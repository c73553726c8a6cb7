from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.models import AuditEntry, Invitation, Letter, Member, User
from members.renewals import renew_invitations
from members.services.invitations import cancel_invitations, change_invited_address, resend_invitations
from members.tokens import invitation_token
from tests.factories import (
    PASSWORD,
    DepartmentFactory,
    InvitationFactory,
    MemberFactory,
    OrganizationFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "seven slow barges passing"
ANSWERS = {"first_name": "Théo", "last_name": "Lacombe", "password": NEW_PASSWORD}


def path_of(invitation, page="invitation") -> str:
    return reverse(f"join:{page}", args=[invitation_token(invitation)])


def join(client, invitation, **answers):
    return client.post(path_of(invitation, "accept"), ANSWERS | answers)


def signed_in_as(client) -> str:
    return client.session.get("_auth_user_id", "")


@pytest.fixture
def invitation():
    organization = OrganizationFactory(name="Architectes")
    inviter = MemberFactory(
        organization=organization, admin=True, user__first_name="Hélène", user__last_name="Marchand"
    )
    member = MemberFactory(
        organization=organization, invited=True, user__email_verified_at=None, user__first_name="", user__last_name=""
    )
    return InvitationFactory(member=member, invited_by=inviter)


@pytest.fixture
def personal():
    organization = OrganizationFactory(name="Architectes")
    return InvitationFactory(
        member=None, organization=organization, user=None, kind="personal", email="ines.moreau@home.example"
    )


# Business accounts


def test_opening_a_link_tells_who_invites_and_consumes_nothing(client, invitation):
    for _time in range(3):
        page = client.get(path_of(invitation))
        assert page.status_code == 200
    client.head(path_of(invitation))

    assert "Hélène Marchand" in page.text
    assert "Join Architectes" in page.text
    assert invitation.member.user.skype_name in page.text
    invitation.refresh_from_db()
    assert (invitation.state, invitation.version) == ("pending", 1)


def test_joining_finishes_the_account_and_lands_signed_in_on_ones_own_page(client, invitation):
    client.get("/accounts/sign-in/")
    before = client.session.session_key

    response = client.post(path_of(invitation, "accept"), ANSWERS, follow=True)

    assert response.redirect_chain == [("/me/", 302)]
    assert "Welcome. You are part of Architectes now." in response.text
    member = Member.objects.select_related("user").get(pk=invitation.member.pk)
    assert (member.state, member.joined_at is not None) == ("active", True)
    assert member.user.check_password(NEW_PASSWORD)
    assert (member.user.first_name, member.user.last_name) == ("Théo", "Lacombe")
    assert member.user.email_verified_at is not None
    assert "lacombe" in member.search_text
    assert signed_in_as(client) == str(member.user.pk)
    assert client.session.session_key != before
    [entry] = AuditEntry.objects.filter(action="member.joined")
    assert (entry.actor_member, entry.subject_member) == (member, member)


def test_a_used_link_explains_itself_and_offers_to_sign_in(client, invitation):
    join(client, invitation)
    client.logout()

    for response in (client.get(path_of(invitation)), join(client, invitation, password="another good password")):
        assert response.status_code == 410
        assert "This invitation was already used" in response.text
        assert "/accounts/sign-in/" in response.text
    invitation.member.user.refresh_from_db()
    assert invitation.member.user.check_password(NEW_PASSWORD)


def test_whoever_has_just_joined_and_opens_the_link_again_lands_on_their_page(client, invitation):
    join(client, invitation)

    assert client.get(path_of(invitation)).url == "/"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"password": "too short"}, "This password is too short. It must have at least 15 characters."),
        ({"password": "x" * 257}, "This password is too long."),
        ({"password": "theo.lacombe.theo"}, "little more than your name"),
        ({"first_name": ""}, "This field is required."),
        ({"first_name": "www.evil.example"}, "A name can"),
    ],
)
def test_what_cannot_be_kept_is_said_next_to_its_field_and_nothing_is_consumed(client, invitation, answers, sentence):
    response = join(client, invitation, **answers)

    assert response.status_code == 422
    assert sentence in response.text
    invitation.refresh_from_db()
    assert invitation.state == "pending"
    assert signed_in_as(client) == ""


def test_an_expired_link_explains_itself_and_its_holder_can_ask_for_another(client, invitation):
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    page = client.get(path_of(invitation))
    assert page.status_code == 410
    assert "This link is too old" in page.text
    assert "Ask for a new link" in page.text
    assert join(client, invitation).status_code == 410

    response = client.post(path_of(invitation, "tell_inviter"), follow=True)
    assert "You asked for a new link." in response.text
    invitation.refresh_from_db()
    assert (invitation.reply, invitation.state, invitation.version) == ("new_link", "pending", 1)


@pytest.mark.parametrize("token", ["nonsense", "WzEsMSwiYSJd:forged", "a:b:c", "x" * 500])
def test_a_forged_link_is_not_found(client, invitation, token):
    response = client.get(f"/join/{token}/")

    assert response.status_code == 404
    assert "There is no such invitation" in response.text
    assert client.post(f"/join/{token}/accept/", ANSWERS).status_code == 404
    assert client.post(f"/join/{token}/tell/").status_code == 404


def _resend(invitation):
    resend_invitations(actor=Actor.system(), organization=invitation.organization, invitations=[invitation.pk])


def _cancel(invitation):
    cancel_invitations(actor=Actor.system(), organization=invitation.organization, invitations=[invitation.pk])


def _move(invitation):
    change_invited_address(
        actor=Actor.system(),
        organization=invitation.organization,
        member=invitation.member,
        email="elsewhere@a.example",
    )


def _expire(invitation):
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_resend, "There is a newer letter"),
        (_cancel, "This invitation was taken back"),
        (_move, "There is a newer letter"),
        (_expire, "This link is too old"),
    ],
)
def test_after_a_resend_cancel_change_of_address_or_expiry_no_old_link_lives(client, invitation, change, sentence):
    path, accept = path_of(invitation), path_of(invitation, "accept")
    change(invitation)

    for response in (client.get(path), client.post(accept, ANSWERS)):
        assert response.status_code == 410
        assert sentence in response.text
    invitation.member.refresh_from_db()
    assert invitation.member.state != Member.State.ACTIVE
    assert signed_in_as(client) == ""


def test_the_newest_link_works_after_a_resend_and_a_change_of_address(client, invitation):
    _resend(invitation)
    _move(invitation)
    invitation.refresh_from_db()

    assert join(client, invitation).status_code == 302

    member = Member.objects.select_related("user").get(pk=invitation.member.pk)
    assert (member.state, member.email, member.user.email) == ("active", "elsewhere@a.example", "elsewhere@a.example")


def test_a_link_dies_with_every_one_of_many_resends(client, invitation):
    links = []
    for _time in range(3):
        links.append(path_of(invitation))
        renew_invitations([invitation])
        invitation.refresh_from_db()

    assert [client.get(link).status_code for link in links] == [410, 410, 410]
    assert client.get(path_of(invitation)).status_code == 200


def test_somebody_else_who_is_signed_in_is_told_and_can_sign_out(client, invitation):
    other = MemberFactory()
    client.force_login(other.user)

    for response in (client.get(path_of(invitation)), join(client, invitation)):
        assert response.status_code == 409
        assert "Somebody else is signed in" in response.text
    invitation.refresh_from_db()
    assert invitation.state == "pending"

    response = client.post("/accounts/sign-out/", {"next": path_of(invitation)}, follow=True)
    assert response.redirect_chain == [(path_of(invitation), 302)]
    assert "Join Architectes" in response.text


def test_whoever_got_the_letter_by_mistake_can_say_so(client, invitation):
    response = client.post(path_of(invitation, "tell_inviter"), follow=True)

    assert response.status_code == 200
    assert "sees that this letter is not for you" in response.text
    invitation.refresh_from_db()
    assert (invitation.reply, invitation.state) == ("not_me", "pending")


def test_an_invitee_with_a_first_password_goes_on_where_they_are_signed_in(client):
    member = MemberFactory(invited=True, user__waiting=False, user__must_change_password=True)
    invitation = InvitationFactory(member=member)
    client.force_login(member.user)

    assert client.get(path_of(invitation)).url == "/"


def test_a_link_speaks_the_language_of_its_letter_until_another_is_chosen(client, invitation):
    invitation.organization.language = "fr"
    invitation.organization.save()

    assert '<html lang="fr"' in client.get(path_of(invitation)).text
    client.post("/language/", {"language": "sv"})
    assert '<html lang="sv"' in client.get(path_of(invitation)).text


def test_an_invited_account_cannot_be_claimed_by_making_a_new_one(client, invitation, personal):
    response = client.post(
        path_of(personal, "accept"), ANSWERS | {"skype_name": invitation.member.user.skype_name.upper()}
    )

    assert response.status_code == 422
    assert "is already taken" in response.text
    assert User.objects.filter(skype_name__iexact=invitation.member.user.skype_name).count() == 1
    invitation.refresh_from_db()
    assert invitation.state == "pending"


def test_a_personal_account_cannot_accept_the_link_of_a_business_account(client, invitation):
    client.force_login(UserFactory(email=invitation.email))

    assert join(client, invitation).status_code == 409
    invitation.refresh_from_db()
    assert invitation.state == "pending"


# Personal accounts


def test_the_invitee_sees_what_the_company_will_and_will_not_see(client, personal):
    page = client.get(path_of(personal))

    assert page.status_code == 200
    assert "What Architectes sees" in page.text
    assert "What it doesn’t see" in page.text
    assert "Decline" in page.text


def test_a_signed_in_person_joins_with_one_button(client, personal):
    user = UserFactory()
    client.force_login(user)

    response = client.post(path_of(personal, "accept"), follow=True)

    assert response.redirect_chain == [("/me/", 302)]
    member = Member.objects.get(user=user)
    assert (member.organization, member.state, member.role, member.email) == (
        personal.organization,
        "active",
        "member",
        "ines.moreau@home.example",
    )
    personal.refresh_from_db()
    assert (personal.state, personal.member) == ("accepted", member)
    user.refresh_from_db()
    assert user.kind == "personal"


def test_a_visitor_signs_in_and_comes_back_to_the_invitation(client, personal):
    user = UserFactory()
    page = client.get(path_of(personal))
    assert f"/accounts/sign-in/?next={path_of(personal)}".replace(":", "%3A") in page.text

    response = client.post(
        "/accounts/sign-in/",
        {"login": user.skype_name, "password": PASSWORD, "next": path_of(personal)},
    )

    assert response.url == path_of(personal)


def test_a_visitor_makes_an_account_of_their_own_at_the_link(client, personal):
    page = client.get(path_of(personal))
    assert 'value="ines.moreau"' in page.text

    response = client.post(path_of(personal, "accept"), ANSWERS | {"skype_name": "ines.moreau"})

    assert (response.status_code, response.url) == (302, "/me/")
    user = User.objects.get(skype_name="ines.moreau")
    assert (user.kind, user.email, user.email_verified_at is not None) == (
        "personal",
        "ines.moreau@home.example",
        True,
    )
    assert Member.objects.get(user=user).state == "active"
    assert signed_in_as(client) == str(user.pk)


def test_declining_closes_the_link_and_makes_nobody_a_member(client, personal):
    response = client.post(path_of(personal, "decline"), follow=True)

    assert "You declined the invitation of Architectes." in response.text
    personal.refresh_from_db()
    assert personal.state == "declined"
    assert Member.objects.count() == 0
    assert "This invitation was declined" in client.get(path_of(personal)).text
    assert AuditEntry.objects.filter(action="invitation.declined").count() == 1


def test_an_invitation_by_skype_name_is_for_that_account_alone(client):
    ines, other = UserFactory(skype_name="ines.moreau"), UserFactory()
    invitation = InvitationFactory(
        member=None, organization=OrganizationFactory(), user=ines, kind="personal", email=ines.email
    )
    page = client.get(path_of(invitation))
    assert "Sign in as ines.moreau" in page.text
    assert "No account of your own yet?" not in page.text

    client.force_login(other)
    assert client.post(path_of(invitation, "accept")).status_code == 409
    client.force_login(ines)
    assert client.post(path_of(invitation, "accept")).status_code == 302
    assert Member.objects.get().user == ines


def test_a_business_account_cannot_join_a_second_organization(client, personal):
    client.force_login(MemberFactory().user)

    response = client.post(path_of(personal, "accept"))

    assert response.status_code == 409
    assert "a business account" in response.text
    personal.refresh_from_db()
    assert personal.state == "pending"


def test_an_organization_that_takes_business_accounts_only_takes_nobody_in(client, personal):
    personal.organization.allow_personal_accounts = False
    personal.organization.save()
    client.force_login(UserFactory())

    response = client.post(path_of(personal, "accept"))

    assert response.status_code == 410
    assert "takes no accounts of people’s own now" in response.text
    personal.refresh_from_db()
    assert personal.state == "pending"


def test_who_had_left_comes_back_as_a_plain_member(client, personal):
    left = MemberFactory(organization=personal.organization, personal=True, admin=True, state="left")
    Invitation.objects.filter(pk=personal.pk).update(department=DepartmentFactory(organization=personal.organization))
    client.force_login(left.user)

    assert client.post(path_of(personal, "accept")).status_code == 302

    left.refresh_from_db()
    assert (left.state, left.role, left.department is not None) == ("active", "member", True)


def test_who_is_already_a_member_is_told(client, personal):
    member = MemberFactory(organization=personal.organization, personal=True)
    client.force_login(member.user)

    response = client.post(path_of(personal, "accept"))

    assert response.status_code == 422
    assert "is already a member." in response.text


def test_an_address_somebody_else_took_in_the_meantime_is_named(client, personal):
    MemberFactory(organization=personal.organization, email="INES.moreau@home.example")

    response = client.post(path_of(personal, "accept"), ANSWERS | {"skype_name": "ines.moreau"})

    assert response.status_code == 422
    assert "already has the address ines.moreau@home.example" in response.text
    assert not User.objects.filter(skype_name="ines.moreau").exists()


def test_joining_sends_no_letter_that_was_still_waiting(client, personal):
    client.post(path_of(personal, "decline"))

    assert not Letter.objects.filter(state=Letter.State.WAITING).exists()
