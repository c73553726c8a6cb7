from functools import partial

import pytest
from django.urls import reverse

from members.access import Actor
from members.errors import LastAdministrator, StateForbids
from members.models import AuditEntry, Invitation, Letter, Member, User
from members.registry import PersonalPanel, registry
from members.services.profile import leave_organization
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


@pytest.fixture
def member():
    organization = OrganizationFactory(name="Architectes")
    return MemberFactory(
        organization=organization,
        department=DepartmentFactory(organization=organization, name="Studio Lyon"),
        user__first_name="Camille",
        user__last_name="Rousseau",
        user__email="camille@a.example",
    )


@pytest.fixture
def own(client, member):
    client.force_login(member.user)
    return client


def reread(member) -> Member:
    return Member.objects.select_related("user", "organization").get(pk=member.pk)


def test_the_page_greets_and_shows_organization_and_account(own):
    page = own.get("/me/")

    assert page.status_code == 200
    for text in ("Hello, Camille", "Architectes", "Studio Lyon", "camille@a.example", "Business account"):
        assert text in page.text


def test_visitors_sign_in_first_and_come_back(client):
    assert client.get("/me/").url == "/accounts/sign-in/?next=/me/"
    assert client.get("/me/settings/").url == "/accounts/sign-in/?next=/me/settings/"


def test_somebody_without_an_organization_is_told_what_to_do(client):
    client.force_login(UserFactory())

    assert "You belong to no organization." in client.get("/me/").text


def test_an_invitation_for_a_personal_account_waits_on_its_page(client):
    user = UserFactory(email="ines@home.example")
    organization = OrganizationFactory(name="Architectes")
    InvitationFactory(member=None, organization=organization, user=None, kind="personal", email="INES@home.example")
    client.force_login(user)

    page = client.get("/me/")
    assert "Architectes invites you to join with this account" in page.text

    User.objects.filter(pk=user.pk).update(email_verified_at=None)
    assert "Architectes invites you" not in client.get("/me/").text


def test_panels_of_other_apps_are_shown_for_each_active_membership(client):
    user = UserFactory()
    MemberFactory(user=user, personal=True, organization__name="Alpha")
    MemberFactory(user=user, personal=True, organization__name="Beta")
    MemberFactory(user=user, personal=True, organization__name="Gamma", state="blocked")
    client.force_login(user)
    registry.add(
        PersonalPanel(key="test", order=1, render=lambda request, member: f"credit at {member.organization.name}")
    )
    try:
        page = client.get("/me/")
    finally:
        registry.remove(PersonalPanel, "test")

    assert "credit at Alpha" in page.text
    assert "credit at Beta" in page.text
    assert "credit at Gamma" not in page.text


def test_an_unconfirmed_address_is_pointed_out(own, member):
    assert "Send the letter again" not in own.get("/me/").text
    User.objects.filter(pk=member.user.pk).update(email_verified_at=None)

    assert "A letter to camille@a.example asks you to confirm it." in own.get("/me/").text


# Names and language


def test_names_and_language_are_changed_and_lists_follow(own, member):
    response = own.post("/me/settings/", {"first_name": "Åsa", "last_name": "Öberg", "language": "sv"}, follow=True)

    assert response.redirect_chain == [("/me/settings/", 302)]
    now = reread(member)
    assert (now.user.first_name, now.user.last_name, now.user.language) == ("Åsa", "Öberg", "sv")
    assert "asa oberg" in now.search_text
    assert now.sort_key != member.sort_key
    assert '<html lang="sv"' in response.text
    [entry] = AuditEntry.objects.filter(action="member.changed")
    assert "Öberg" not in str(entry.after)


@pytest.mark.parametrize("answers", [{"first_name": "x" * 101}, {"first_name": "www.evil.example"}, {"language": "xx"}])
def test_what_cannot_be_a_name_or_language_changes_nothing(own, member, answers):
    response = own.post("/me/settings/", {"first_name": "A", "last_name": "B", "language": ""} | answers)

    assert response.status_code == 422
    assert 'class="field-error"' in response.text
    assert reread(member).user.first_name == "Camille"


# Address


def change_address(client, email, password=PASSWORD):
    return client.post("/me/settings/address/", {"address-email": email, "address-password": password}, follow=True)


def test_a_new_address_must_be_confirmed_and_the_old_one_is_told(own, member):
    response = change_address(own, "camille.rousseau@b.example")

    assert "A letter to camille.rousseau@b.example asks you to confirm it." in response.text
    now = reread(member)
    assert (now.user.email, now.email, now.user.email_verified_at) == ("camille.rousseau@b.example",) * 2 + (None,)
    assert "camille.rousseau@b.example" in now.search_text
    letters = set(Letter.objects.values_list("kind", "email"))
    assert letters == {
        ("address_changed", "camille@a.example"),
        ("address_verification", "camille.rousseau@b.example"),
    }
    assert AuditEntry.objects.filter(action="address.changed", subject_member=member).count() == 1


def test_a_personal_account_keeps_the_address_an_organization_knows_it_by(client):
    member = MemberFactory(personal=True, email="work@a.example", user__email="home@a.example")
    client.force_login(member.user)

    change_address(client, "new@a.example")

    assert (reread(member).email, reread(member).user.email) == ("work@a.example", "new@a.example")


def test_an_invitation_that_waits_follows_the_person_and_its_old_link_dies(client):
    user = UserFactory(email="old@a.example")
    invitation = InvitationFactory(
        member=None, organization=OrganizationFactory(), user=user, kind="personal", email=user.email
    )
    client.force_login(user)

    change_address(client, "new@a.example")

    invitation.refresh_from_db()
    assert (invitation.email, invitation.version) == ("new@a.example", 2)
    assert Letter.objects.filter(kind="invitation", email="new@a.example").count() == 1


def test_a_taken_address_is_refused_in_the_organization_and_nothing_moves(own, member):
    MemberFactory(organization=member.organization, email="Taken@a.example")

    response = change_address(own, "taken@a.example")

    assert response.status_code == 422
    assert "Somebody in this organization already has the address taken@a.example." in response.text
    assert reread(member).user.email == "camille@a.example"
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("new@a.example", "wrong wrong wrong wrong", "This is not your present password."),
        ("not an address", PASSWORD, "Not an e-mail address"),
        ("a@[127.0.0.1]", PASSWORD, "domain name"),
        ("a@x.example\r\nBcc: z@z.example", PASSWORD, "address"),
    ],
)
def test_an_address_changes_only_by_the_password_and_to_an_address(own, member, email, password, sentence):
    response = change_address(own, email, password)

    assert response.status_code == 422
    assert sentence in response.text
    assert reread(member).user.email == "camille@a.example"


# Password


def change_password(client, password=PASSWORD, new_password=NEW_PASSWORD):
    return client.post(
        "/me/settings/password/",
        {"password-password": password, "password-new_password": new_password},
        follow=True,
    )


def test_a_new_password_ends_every_other_session_and_is_told_by_letter(own, member):
    elsewhere = own.__class__()
    elsewhere.force_login(member.user)

    response = change_password(own)

    assert "Your password is changed." in response.text
    assert reread(member).user.check_password(NEW_PASSWORD)
    assert own.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    assert Letter.objects.get().kind == "password_changed"
    assert AuditEntry.objects.filter(action="password.changed", subject_member=member).count() == 1


@pytest.mark.parametrize(
    ("password", "new_password", "sentence"),
    [
        ("wrong wrong wrong wrong", NEW_PASSWORD, "This is not your present password."),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "Camille.Rousseau1", "little more than your name"),
    ],
)
def test_a_password_changes_only_by_the_present_one_and_to_a_good_one(own, member, password, new_password, sentence):
    response = change_password(own, password, new_password)

    assert response.status_code == 422
    assert sentence in response.text
    assert reread(member).user.check_password(PASSWORD)


def test_the_present_password_cannot_be_guessed_without_end(own):
    for _number in range(10):
        change_password(own, password="wrong wrong wrong wrong")

    assert "That was tried too often." in change_password(own).text


def test_the_address_of_a_form_alone_shows_nothing(own):
    assert own.get("/me/settings/password/").status_code == 405
    assert own.get("/me/settings/address/").status_code == 405


# Leaving


def test_a_personal_account_leaves_and_stays_its_owners(client):
    member = MemberFactory(personal=True, organization__name="Architectes")
    client.force_login(member.user)
    path = reverse("me:leave", args=[member.organization.slug])
    assert "Leave Architectes?" in client.get(path).text

    response = client.post(path, follow=True)

    assert "You left Architectes." in response.text
    assert reread(member).state == "left"
    assert reread(member).user.is_active
    assert AuditEntry.objects.filter(action="member.left", subject_member=member).count() == 1
    assert client.get(path).status_code == 404


def test_a_business_account_stays(own, member):
    path = reverse("me:leave", args=[member.organization.slug])
    assert "Your account belongs to Architectes" in own.get(path).text

    response = own.post(path)

    assert response.status_code == 422
    assert "A business account belongs to its organization" in response.text
    assert reread(member).state == "active"


def test_a_blocked_personal_member_reads_so_and_leaves(client):
    member = MemberFactory(personal=True, state=Member.State.BLOCKED, role=Member.Role.ADMINISTRATOR)
    MemberFactory(organization=member.organization, admin=True)
    client.force_login(member.user)
    path = reverse("me:leave", args=[member.organization.slug])
    page = client.get("/me/").text
    assert "Its administrators have blocked you" in page
    assert path in page

    response = client.post(path, follow=True)

    assert f"You left {member.organization.name}." in response.text
    assert reread(member).state == Member.State.LEFT
    [entry] = AuditEntry.objects.filter(action="member.left")
    assert entry.before["state"] == "blocked"
    assert client.post(path).status_code == 404


def test_a_blocked_administrator_does_not_keep_the_last_one_from_being_the_last(client):
    blocked = MemberFactory(personal=True, admin=True, state=Member.State.BLOCKED)
    last = MemberFactory(organization=blocked.organization, personal=True, admin=True)
    client.force_login(last.user)

    assert client.post(reverse("me:leave", args=[last.organization.slug])).status_code == 422
    assert reread(last).state == Member.State.ACTIVE


@pytest.mark.parametrize("state", [Member.State.INVITED, Member.State.LEFT])
def test_who_has_not_joined_or_has_left_cannot_leave(client, state):
    member = MemberFactory(personal=True, state=state)
    client.force_login(member.user)

    assert client.post(reverse("me:leave", args=[member.organization.slug])).status_code == 404
    with pytest.raises(StateForbids):
        leave_organization(actor=Actor.of_person(member.user), organization=member.organization)


def test_the_last_administrator_cannot_leave(client):
    member = MemberFactory(personal=True, admin=True)
    MemberFactory(organization=member.organization, admin=True, invited=True)
    client.force_login(member.user)

    response = client.post(reverse("me:leave", args=[member.organization.slug]))

    assert response.status_code == 422
    assert "This is the last administrator." in response.text
    assert reread(member).state == "active"


@pytest.mark.django_db(transaction=True)
def test_two_last_administrators_who_leave_at_the_same_moment_leave_one_behind(race):
    organization = OrganizationFactory()
    members = [MemberFactory(organization=organization, personal=True, admin=True) for _number in range(2)]

    outcomes = race(
        *[
            partial(leave_organization, actor=Actor.of_person(member.user), organization=organization)
            for member in members
        ]
    )

    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert Member.objects.of(organization).administrators().count() == 1


def test_somebody_elses_organization_is_not_found(own):
    other = OrganizationFactory()

    assert own.get(reverse("me:leave", args=[other.slug])).status_code == 404
    assert own.post(reverse("me:leave", args=[other.slug])).status_code == 404
    assert not Invitation.objects.exists()
