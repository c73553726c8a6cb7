import json
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from members.models import Batch, Invitation, Letter, Member
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue())


def refused(*arguments):
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue()), str(refusal.value)


@pytest.fixture
def organization():
    return OrganizationFactory(slug="architectes")


def test_addresses_become_business_accounts_with_a_letter_each(organization):
    result = run("invite_members", "Anna Berg <anna@a.example>", "bo@a.example, anna@a.example")

    assert (result["rows"], result["created"], result["skipped"], result["errors"]) == (3, 2, 1, [])
    assert [person["email"] for person in result["invited"]] == ["anna@a.example", "bo@a.example"]
    members = Member.objects.of(organization)
    assert {member.state for member in members} == {"invited"}
    assert members.get(email="anna@a.example").user.first_name == "Anna"
    assert Letter.objects.filter(kind="invitation").count() == 2


def test_one_address_that_is_none_refuses_all_and_exits_1(organization):
    result, reason = refused("invite_members", "anna@a.example", "not an address")

    assert (result["rows"], result["created"]) == (2, 0)
    assert result["errors"][0]["row"] == 2
    assert "Nobody was invited." in reason
    assert Member.objects.count() == 0
    assert Batch.objects.count() == 0


def test_a_dry_run_says_what_would_happen(organization):
    MemberFactory(organization=organization, email="here@a.example")

    result = run("invite_members", "anna@a.example", "here@a.example", "--dry-run")

    assert (result["would_create"], result["created"], result["skipped"]) == (1, 0, 1)
    assert Member.objects.count() == 1


def test_personal_accounts_are_invited_by_address_and_by_name(organization):
    UserFactory(skype_name="ines.moreau", email="secret@home.example")

    result = run("invite_members", "--personal", "anna@home.example", "ines.moreau")

    assert result["created"] == 2
    assert result["invited"] == [
        {"email": "anna@home.example", "skype_name": ""},
        {"email": "", "skype_name": "ines.moreau"},
    ]
    assert Invitation.objects.filter(kind="personal").count() == 2
    result, reason = refused("invite_members", "--personal", "ines.moreau", "nobody.here")
    assert len(result["errors"]) == 2
    assert "nobody.here" in reason


@pytest.mark.parametrize("only_tried", [[], ["--dry-run"]])
def test_who_may_not_manage_members_learns_nothing_about_personal_accounts(organization, only_tried):
    UserFactory(skype_name="ines.moreau")
    viewer = MemberFactory(organization=organization, role=Member.Role.REPORTS_VIEWER)

    with pytest.raises((CommandError, PermissionDenied)):
        run("invite_members", "--personal", "ines.moreau", "--actor", viewer.user.skype_name, *only_tried)


def test_invitations_are_sent_again_to_all_or_to_some(organization):
    first, second = (
        InvitationFactory(member=MemberFactory(organization=organization, invited=True)) for _number in range(2)
    )
    InvitationFactory()

    assert run("resend_invitations", "--organization", "architectes", "--dry-run")["would_resend"] == 2
    result = run("resend_invitations", "--organization", "architectes")
    assert (result["resent"], result["members"]) == (
        2,
        [first.member.user.skype_name, second.member.user.skype_name],
    )
    result = run("resend_invitations", "--organization", "architectes", "--member", first.email, "--actor", "system")
    assert result["resent"] == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.version, second.version) == (3, 2)


def test_refusals_name_their_reason_and_still_print_json(organization):
    other = MemberFactory(organization=organization)
    OrganizationFactory()

    for arguments, sentence in [
        (["--organization", "architectes", "--member", "nobody"], "No invitation waits for “nobody”."),
        (["--organization", "nowhere"], "There is no organization “nowhere”."),
        ([], "Name the organization"),
        (["--organization", "architectes", "--actor", "nobody"], "There is no active member “nobody”"),
        (["--organization", "architectes", "--actor", other.user.skype_name], "The actor may not do this."),
    ]:
        result, reason = refused("resend_invitations", *arguments)
        assert sentence in reason
        assert sentence in result["error"]
        assert result["resent"] == 0


def test_people_read_what_was_done(organization):
    out = StringIO()
    call_command("invite_members", "anna@a.example", stdout=out)

    assert out.getvalue() == "1 of 1 people are invited.\n"
