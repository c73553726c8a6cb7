"""Whether an organization takes people with accounts of their own, at each of its doors."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from members.access import Actor
from members.errors import PersonalAccountsRefused
from members.models import Invitation, Letter, Member, Organization, User
from members.services.invitations import invite_personal
from members.services.joining import accept_personal_invitation, join_with_new_account
from members.tokens import invitation_token
from tests.factories import PASSWORD, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def admin(organization):
    return MemberFactory(organization=organization, admin=True)


@pytest.fixture
def invitation(organization, admin):
    """Sent while they were welcome."""
    return Invitation.objects.create(
        organization=organization,
        kind="personal",
        email="guest@people.example",
        invited_by=admin,
        expires_at=timezone.now() + timedelta(days=7),
    )


def switch(organization, allowed):
    """Behind the back of whoever has read the organization before."""
    Organization.objects.filter(pk=organization.pk).update(allow_personal_accounts=allowed)


def nobody_was_invited():
    return not Invitation.objects.exists() and not Letter.objects.exists()


def test_the_form_says_so_and_refuses(client, organization, admin):
    switch(organization, False)
    client.force_login(admin.user)
    url = "/acme/members/add/personal/"
    assert "Invite personal accounts" not in client.get("/acme/members/add/").text

    answer = client.post(url, {"people": "guest@people.example", "key": str(uuid4())})

    assert answer.status_code in (200, 403, 422)
    assert nobody_was_invited()


def test_the_verb_refuses_though_its_organization_was_read_before(organization, admin):
    switch(organization, False)
    assert organization.allow_personal_accounts

    with pytest.raises(PersonalAccountsRefused):
        invite_personal(
            actor=Actor.of_member(admin), organization=organization, people=["guest@people.example"], key=uuid4()
        )
    assert nobody_was_invited()


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_the_command_refuses_dry_too(organization, admin, dry):
    switch(organization, False)

    with pytest.raises(CommandError, match="takes business accounts only"):
        call_command("invite_members", "--personal", "guest@people.example", *dry, stdout=StringIO())
    assert nobody_was_invited()


def test_a_file_makes_business_accounts_only(organization, admin, tmp_path):
    switch(organization, False)
    ines = UserFactory(skype_name="ines.moreau", email="ines@home.example")
    file = tmp_path / "people.csv"
    file.write_text("E-mail,Skype Name,Kind of account\nguest@people.example,guest.person,Personal account\n")

    call_command("import_members", str(file), "--organization", "acme", stdout=StringIO())

    assert set(Member.objects.of(organization).values_list("account_kind", flat=True)) == {"business"}
    assert User.objects.get(skype_name="guest.person").owner == organization
    assert not ines.memberships.exists()


def test_an_invitation_from_before_explains_itself_and_works_again_when_they_are_welcome(
    client, organization, invitation
):
    switch(organization, False)
    guest = UserFactory(email="guest@people.example")
    link = f"/join/{invitation_token(invitation)}/"
    for signed_in in (False, True):
        if signed_in:
            client.force_login(guest)
        page = client.get(link)
        assert (page.status_code, "Acme takes no accounts of people’s own now" in page.text) == (410, True)
        assert client.post(f"{link}accept/", {"skype_name": "guest.person", "password": PASSWORD}).status_code == 410
    assert not Member.objects.filter(account_kind="personal").exists()
    invitation.refresh_from_db()
    assert (invitation.state, invitation.opened_at) == ("pending", None)

    switch(organization, True)

    assert client.post(f"{link}accept/", {}).status_code == 302
    assert Member.objects.get(account_kind="personal").user == guest


def test_whoever_is_quick_is_refused_by_the_verbs(organization, invitation):
    switch(organization, False)
    with pytest.raises(PersonalAccountsRefused):
        accept_personal_invitation(
            actor=Actor.of_person(UserFactory(email="guest@people.example")), invitation=invitation
        )
    with pytest.raises(PersonalAccountsRefused):
        join_with_new_account(
            actor=Actor.visitor(),
            invitation=invitation,
            skype_name="guest.person",
            first_name="",
            last_name="",
            password=PASSWORD,
        )
    invitation.refresh_from_db()
    assert invitation.state == "pending"
    assert not User.objects.filter(skype_name="guest.person").exists()


def test_those_who_are_members_stay(client, organization):
    member = MemberFactory(organization=organization, personal=True)
    switch(organization, False)
    client.force_login(member.user)

    assert "Acme" in client.get("/me/").text
    member.refresh_from_db()
    assert member.state == "active"
