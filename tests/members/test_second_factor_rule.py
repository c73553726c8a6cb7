import json
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.urls import reverse

from members.access import Actor
from members.errors import NotTheirAccount, OwnSecondFactor, OwnSecondFactorFirst
from members.models import AuditEntry, AuthenticatorApp, Letter, Member, Organization, Passkey, RecoveryCode, User
from members.services.factors import renew_recovery_codes, reset_personal_second_factor, reset_second_factor
from members.services.organization_settings import change_second_factor_rule
from tests.factories import (
    AuthenticatorAppFactory,
    MemberFactory,
    OrganizationFactory,
    PasskeyFactory,
    UserFactory,
)
from tests.members.signing_in import CONFIRM, SECURITY, forget_proof, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="architectes", name="Architectes")


@pytest.fixture
def admin(organization):
    """An administrator with a second factor."""
    admin = MemberFactory(organization=organization, admin=True)
    AuthenticatorAppFactory(user=admin.user)
    return admin


@pytest.fixture
def careless(organization):
    """An administrator without."""
    return MemberFactory(organization=organization, admin=True)


def demand(organization, required=True):
    Organization.objects.filter(pk=organization.pk).update(require_second_factor=required)


# The rule


def test_the_rule_is_off_until_somebody_asks_for_it(organization, careless, client):
    client.force_login(careless.user)

    assert not Organization.objects.get().require_second_factor
    assert client.get("/architectes/members/").status_code == 200
    page = client.get("/architectes/").text
    assert "Protect the administrators" in page


def test_an_administrator_with_a_second_factor_switches_it_on_and_off(client, organization, admin):
    client.force_login(admin.user)
    path = "/architectes/settings/second-factor/"
    assert "1 of 1 administrator has one." in client.get(path).text

    response = client.post(path, {"required": "on"}, follow=True)

    assert "Administrators need a second factor from now on." in response.text
    [entry] = AuditEntry.objects.filter(action="organization.changed")
    assert (entry.before, entry.after) == ({"require_second_factor": False}, {"require_second_factor": True})
    client.post(path, {"required": "on"})
    assert AuditEntry.objects.filter(action="organization.changed").count() == 1
    client.post(path, {"required": ""})
    assert not Organization.objects.get().require_second_factor


def test_who_has_none_cannot_ask_others_for_one(client, organization, careless):
    client.force_login(careless.user)

    response = client.post("/architectes/settings/second-factor/", {"required": "on"})

    assert response.status_code == 422
    assert "Set up a second factor for yourself first." in response.text
    with pytest.raises(OwnSecondFactorFirst):
        change_second_factor_rule(actor=Actor.of_member(careless), organization=organization, required=True)
    assert not Organization.objects.get().require_second_factor


def test_the_rule_holds_from_the_next_request_on(client, organization, admin, careless):
    client.force_login(careless.user)
    assert client.get("/architectes/members/").status_code == 200
    demand(organization)

    response = client.get("/architectes/members/", follow=True)

    assert response.redirect_chain == [(SECURITY, 302)]
    assert "Architectes takes a second factor beside your password." in response.text
    path = reverse("members:member_role", args=["architectes", admin.user.skype_name])
    assert client.post(path, {"role": "member"}).url == SECURITY
    assert Member.objects.get(pk=admin.pk).role == "administrator"
    AuthenticatorAppFactory(user=careless.user)
    assert client.get("/architectes/members/").status_code == 200


def test_a_passkey_satisfies_the_rule_and_recovery_codes_alone_do_not(client, organization, careless):
    demand(organization)
    client.force_login(careless.user)
    RecoveryCode.objects.create(user=careless.user, digest="x")
    assert client.get("/architectes/members/").status_code == 302

    PasskeyFactory(user=careless.user)
    assert client.get("/architectes/members/").status_code == 200


@pytest.mark.parametrize("role", ["members_manager", "credit_manager", "voice_manager", "reports_viewer"])
def test_other_roles_are_not_asked(client, organization, role):
    demand(organization)
    client.force_login(MemberFactory(organization=organization, role=role).user)

    assert client.get("/architectes/members/").status_code == 200


def test_the_rule_of_one_organization_does_not_hold_in_another(client, organization, admin):
    demand(organization)
    other = MemberFactory(admin=True, organization__slug="nord")
    client.force_login(other.user)

    assert client.get("/nord/members/").status_code == 200
    assert client.get("/architectes/members/").status_code == 404


def test_the_rule_needs_a_fresh_proof_and_an_administrator(client, organization, admin):
    client.force_login(admin.user)
    forget_proof(client)
    assert client.post("/architectes/settings/second-factor/", {"required": "on"}).url.startswith(CONFIRM)
    manager = MemberFactory(organization=organization, role="members_manager")
    client.force_login(manager.user)
    assert client.post("/architectes/settings/second-factor/", {"required": "on"}).status_code == 403
    with pytest.raises(PermissionDenied):
        change_second_factor_rule(actor=Actor.of_member(manager), organization=organization, required=True)
    assert not Organization.objects.get().require_second_factor


# Roles and erasing


@pytest.mark.parametrize("role", [role for role in Member.Role.values if role != "member"])
def test_giving_power_needs_a_fresh_proof(client, organization, admin, role):
    member = MemberFactory(organization=organization)
    path = reverse("members:member_role", args=["architectes", member.user.skype_name])
    client.force_login(admin.user)
    forget_proof(client)

    response = client.post(path, {"role": role}, headers={"referer": "http://testserver/architectes/members/?q=a"})

    assert response.url == f"{CONFIRM}?next=%2Farchitectes%2Fmembers%2F%3Fq%3Da"
    assert Member.objects.get(pk=member.pk).role == "member"


def test_taking_power_needs_none(client, organization, admin, careless):
    client.force_login(admin.user)
    forget_proof(client)
    path = reverse("members:member_role", args=["architectes", careless.user.skype_name])

    assert client.post(path, {"role": "member"}).status_code == 302

    assert Member.objects.get(pk=careless.pk).role == "member"


@pytest.mark.parametrize("method", ["get", "post"])
def test_erasing_needs_a_fresh_proof(client, organization, admin, method):
    member = MemberFactory(organization=organization, state="left")
    client.force_login(admin.user)
    forget_proof(client)
    path = reverse("members:member_erase", args=["architectes", member.user.skype_name])

    assert getattr(client, method)(path).url.startswith(CONFIRM)

    assert User.objects.get(pk=member.user.pk).erased_at is None


# A lost phone


@pytest.fixture
def lost(organization):
    member = MemberFactory(organization=organization, user__skype_name="carla.ful")
    AuthenticatorAppFactory(user=member.user)
    PasskeyFactory(user=member.user)
    renew_recovery_codes(actor=Actor.of_person(member.user))
    Letter.objects.all().delete()
    return member


def factors_left(user) -> int:
    kinds = (AuthenticatorApp, Passkey, RecoveryCode)
    return sum(kind.objects.filter(user=user).count() for kind in kinds)


def test_an_administrator_resets_the_second_factor_of_a_business_account(client, organization, admin, lost):
    theirs = client.__class__()
    theirs.force_login(lost.user)
    client.force_login(admin.user)
    profile = client.get(reverse("members:member_profile", args=["architectes", "carla.ful"])).text
    path = reverse("members:member_second_factor", args=["architectes", "carla.ful"])
    assert path in profile
    assert "Make sure that it is really them who ask" in client.get(path).text

    response = client.post(path, follow=True)

    assert "signs in with the password alone now" in response.text
    assert factors_left(lost.user) == 0
    assert theirs.get("/me/").status_code == 302
    [letter] = Letter.objects.all()
    assert (letter.email, letter.facts) == (lost.user.email, {"event": "factors_reset"})
    [entry] = AuditEntry.objects.filter(action="factors.reset")
    assert (entry.subject_member, entry.actor_member) == (lost, admin)
    assert sign_in(theirs, lost.user).url == "/me/"
    assert "There is no second factor to reset." in client.post(path, follow=True).text


def test_a_reset_needs_a_fresh_proof(client, admin, lost):
    client.force_login(admin.user)
    forget_proof(client)
    path = reverse("members:member_second_factor", args=["architectes", "carla.ful"])

    assert client.get(path).url.startswith(CONFIRM)
    assert client.post(path).url.startswith(CONFIRM)
    assert factors_left(lost.user) == 12


@pytest.mark.parametrize("role", [role for role in Member.Role.values if role != "administrator"])
def test_only_an_administrator_resets(client, organization, lost, role):
    other = MemberFactory(organization=organization, role=role)
    client.force_login(other.user)

    assert client.post(reverse("members:member_second_factor", args=["architectes", "carla.ful"])).status_code == 403
    with pytest.raises(PermissionDenied):
        reset_second_factor(actor=Actor.of_member(other), organization=organization, member=lost)
    assert factors_left(lost.user) == 12


def test_nobody_resets_in_another_organization_or_with_their_own_page(organization, admin, lost):
    other = MemberFactory(admin=True)
    for acting, place in ((other, organization), (other, other.organization), (admin, other.organization)):
        with pytest.raises(PermissionDenied):
            reset_second_factor(actor=Actor.of_member(acting), organization=place, member=lost)
    with pytest.raises(OwnSecondFactor):
        reset_second_factor(actor=Actor.of_member(admin), organization=organization, member=admin)
    assert factors_left(lost.user) == 12


def test_a_personal_account_is_reset_by_whoever_runs_the_installation_alone(organization, admin):
    member = MemberFactory(organization=organization, personal=True)
    AuthenticatorAppFactory(user=member.user)
    with pytest.raises(NotTheirAccount):
        reset_second_factor(actor=Actor.of_member(admin), organization=organization, member=member)
    with pytest.raises(PermissionDenied):
        reset_personal_second_factor(actor=Actor.of_member(admin), user=member.user)
    assert factors_left(member.user) == 1

    reset_second_factor(actor=Actor.operator(UserFactory(is_operator=True)), organization=organization, member=member)
    assert factors_left(member.user) == 0


def run(*arguments) -> str:
    out = StringIO()
    call_command("reset_second_factor", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_resets_a_member_and_a_personal_account(lost):
    person = AuthenticatorAppFactory(user__skype_name="paul.private").user

    result = json.loads(run("--organization", "architectes", "--member", "carla.ful", "--json"))
    told = run("--member", "PAUL.private")

    assert result == {"skype_name": "carla.ful", "reset": True}
    assert told == "paul.private signs in with the password alone, and is signed out everywhere.\n"
    assert factors_left(lost.user) == factors_left(person) == 0
    assert AuditEntry.objects.get(action="factors.reset").actor_kind == "system"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--organization", "architectes", "--member", "nobody.here"], "no member"),
        (["--organization", "nowhere", "--member", "carla.ful"], "no organization"),
        (["--member", "carla.ful"], "no personal account"),
        (["--member", "paul.private", "--actor", "carla.ful"], "Only the system"),
        (["--organization", "nord", "--member", "carla.ful"], "no member"),
        (["--organization", "architectes", "--member", "carla.ful", "--actor", "manager"], "no active member|may not"),
    ],
)
def test_the_command_refuses_with_a_reason(lost, arguments, reason):
    OrganizationFactory(slug="nord")
    UserFactory(skype_name="paul.private")

    with pytest.raises(CommandError, match=reason):
        run(*arguments)
    assert factors_left(lost.user) == 12


# Operators


def test_an_operator_always_needs_a_second_factor(client):
    operator = UserFactory(is_operator=True)
    client.force_login(operator)
    assert client.get("/ops/").url == SECURITY

    AuthenticatorAppFactory(user=operator)
    assert client.get("/ops/").status_code == 200


def test_what_an_operator_changes_needs_a_fresh_proof(client, rf):
    operator = UserFactory(is_operator=True)
    AuthenticatorAppFactory(user=operator)
    client.force_login(operator)
    forget_proof(client)

    assert client.get("/ops/").status_code == 200
    assert client.post("/ops/").url.startswith(CONFIRM)
