import io
import json

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.urls import reverse

from members.access import Actor
from members.errors import NoSuchAccount, SkypeNameTaken
from members.models import Letter, Member, User
from members.services.operators import appoint_operator, create_operator, dismiss_operator
from tests.factories import PASSWORD, AuthenticatorAppFactory, MemberFactory, OrganizationFactory, UserFactory

SYSTEM = Actor.system()
NEW = {
    "skype_name": "opal.stone",
    "email": "opal@example.com",
    "first_name": "Opal",
    "last_name": "Stone",
    "password": PASSWORD,
}


@pytest.fixture
def operator(db, client):
    operator = UserFactory(is_operator=True)
    AuthenticatorAppFactory(user=operator)
    client.force_login(operator)
    return operator


def run(*arguments, password="", monkeypatch=None):
    if monkeypatch:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    out = io.StringIO()
    call_command("create_operator", *arguments, stdout=out)
    return out.getvalue()


# Services


def test_a_personal_account_is_appointed_and_dismissed(db):
    user = UserFactory()

    assert appoint_operator(actor=SYSTEM, skype_name=user.skype_name.upper()).is_operator
    assert not dismiss_operator(actor=SYSTEM, skype_name=user.skype_name).is_operator
    with pytest.raises(NoSuchAccount):
        dismiss_operator(actor=SYSTEM, skype_name=user.skype_name)


def test_a_business_or_a_blocked_account_runs_nothing(db):
    for user in (MemberFactory().user, UserFactory(is_active=False)):
        with pytest.raises(NoSuchAccount):
            appoint_operator(actor=SYSTEM, skype_name=user.skype_name)
    assert not User.objects.filter(is_operator=True).exists()


def test_a_new_operator_has_a_verified_personal_account(db):
    user = create_operator(actor=SYSTEM, **NEW)

    assert (user.kind, user.is_operator, user.check_password(PASSWORD)) == ("personal", True, True)
    assert user.email_verified_at is not None
    with pytest.raises(SkypeNameTaken):
        create_operator(actor=SYSTEM, **NEW)


def test_administrators_appoint_nobody(db):
    actor = Actor.of_member(MemberFactory(admin=True))

    for act in (
        lambda: appoint_operator(actor=actor, skype_name=UserFactory().skype_name),
        lambda: dismiss_operator(actor=actor, skype_name=UserFactory(is_operator=True).skype_name),
        lambda: create_operator(actor=actor, **NEW),
    ):
        with pytest.raises(PermissionDenied):
            act()


# The command


def test_the_command_appoints_an_existing_account(db):
    user = UserFactory(skype_name="opal.stone")

    assert run("opal.stone") == "opal.stone runs this installation.\n"
    assert json.loads(run("opal.stone", "--json")) == {"operator": "opal.stone", "is_operator": True}
    assert run("opal.stone", "--dismiss") == "opal.stone no longer runs this installation.\n"
    user.refresh_from_db()
    assert not user.is_operator


def test_the_command_makes_an_account_that_is_missing(db, monkeypatch):
    run("opal.stone", "--email", "Opal@Example.com", "--password-stdin", password=PASSWORD, monkeypatch=monkeypatch)

    user = User.objects.get(skype_name="opal.stone")
    assert user.is_operator
    assert user.email == "Opal@example.com"
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "password", "reason"),
    [
        (["nobody.here"], "", "no account “nobody.here”"),
        (["opal.stone", "--email", "opal@example.com"], "", "no account"),
        (["opal.stone", "--email", "opal@example.com", "--password-stdin"], "short", "too short"),
        (["opal.stone", "--email", "nobody", "--password-stdin"], PASSWORD, "@"),
        (["1opal"], "", "begins with a letter"),
        (["nobody.here", "--dismiss"], "", "nobody.here"),
    ],
)
def test_the_command_refuses_with_a_reason(db, monkeypatch, arguments, password, reason):
    with pytest.raises(CommandError, match=reason):
        run(*arguments, password=password, monkeypatch=monkeypatch)
    assert not User.objects.exists()


# The page


def test_the_page_lists_every_organization_with_what_an_operator_needs(client, operator):
    waiting = OrganizationFactory(name="Waiting", slug="waiting", letters_released_at=None)
    member = MemberFactory(organization=waiting)
    MemberFactory(organization=waiting, state=Member.State.LEFT)
    for state in (Letter.State.WAITING, Letter.State.SENT):
        Letter.objects.create(organization=waiting, kind=Letter.Kind.INVITATION, member=member, state=state)
    OrganizationFactory(name="Acme", slug="acme")

    response = client.get(reverse("ops:organization_list"))

    rows = [(row.organization.slug, row.members, row.letters_waiting) for row in response.context["rows"]]
    assert rows == [("acme", 0, 0), ("waiting", 1, 1)]
    assert "Not confirmed" in response.text
    assert "2 of 2 organizations, by address" in response.text


@pytest.mark.parametrize(
    ("query", "found"),
    [("?q=nord", ["nordic"]), ("?q=%25", []), ("?q=ACME", ["acme"]), ("?cursor=x&sort=name", ["acme", "nordic"])],
)
def test_organizations_are_found_by_name_or_address(client, operator, query, found):
    OrganizationFactory(name="Acme", slug="acme")
    OrganizationFactory(name="Nordic Söner", slug="nordic")

    response = client.get(reverse("ops:organization_list") + query)

    assert [row.organization.slug for row in response.context["rows"]] == found


def test_the_page_costs_as_many_queries_for_twenty_as_for_one(client, operator, django_assert_num_queries):
    OrganizationFactory()
    with django_assert_num_queries(8):
        client.get(reverse("ops:organization_list"))
    OrganizationFactory.create_batch(20)
    with django_assert_num_queries(8):
        client.get(reverse("ops:organization_list"))


def test_to_everybody_else_the_page_does_not_exist(client, db):
    url = reverse("ops:organization_list")
    assert client.get(url).status_code == 302
    client.force_login(MemberFactory(admin=True).user)
    assert client.get(url).status_code == 404
