"""What is kept about somebody, as a file for them: all of it, and nothing about anybody else."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from credit.funding import fund
from credit.models import RechargePlan
from credit.services.allocation import allocate_credit
from members.access import Actor
from members.errors import OrganizationClosed, StateForbids
from members.importing import Draft
from members.models import AuditEntry, AuditOrigin, BatchRow, Member
from members.services.erasure import erase_member
from members.services.imports import start_import_of_people
from members.services.members import assign_role
from members.services.personal_data import export_member_data
from telephony.models import AccountCode
from tests.closings import close
from tests.factories import AuthenticatorAppFactory, InvitationFactory, MemberFactory, PasskeyFactory
from tests.telephony.calls import a_call, imported

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system()


@pytest.fixture
def administrator() -> Member:
    return MemberFactory(admin=True, user__first_name="Zacharias", user__skype_name="zacharias.admin")


@pytest.fixture
def anna(administrator) -> Member:
    """Somebody about whom there is something of everything."""
    organization = administrator.organization
    member = MemberFactory(organization=organization, user__first_name="Anna", user__skype_name="anna.berg")
    InvitationFactory(organization=organization, member=member, state="accepted")
    PasskeyFactory(user=member.user, name="Anna’s phone")
    AuthenticatorAppFactory(user=member.user)
    AuditOrigin.objects.create(user=member.user, address="203.0.113.9")
    fund(organization=organization, actor=SYSTEM, amount=Decimal(100), key=uuid4())
    allocate_credit(
        actor=Actor.of_member(administrator), organization=organization, members=[member], amount=12, key=uuid4()
    )
    RechargePlan.objects.create(organization=organization, member=member, amount=20, below=5, monthly_limit=60)
    assign_role(actor=Actor.of_member(administrator), organization=organization, member=member, role="reports_viewer")
    return member


def asked(capsys, *arguments: str) -> dict:
    call_command("export_member_data", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def own_file(client, member: Member):
    client.force_login(member.user)
    return client.post(reverse("me:personal_data"))


def test_the_file_of_a_person_has_all_that_is_kept(client, anna):
    answer = own_file(client, anna)

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="skype-manager-anna.berg.json"'
    facts = json.loads(answer.content)
    assert facts["account"]["email"] == anna.user.email
    assert facts["account"]["authenticator_app_since"]
    assert [passkey["name"] for passkey in facts["account"]["passkeys"]] == ["Anna’s phone"]
    assert facts["acted_from"] == ["203.0.113.9"]
    assert len(facts["sessions"]) == 1
    [membership] = facts["memberships"]
    assert membership["role"] == "reports_viewer"
    assert [invitation["state"] for invitation in membership["invitations"]] == ["accepted"]
    assert membership["credit"]["balance"] == "12.0000"
    assert [line["change"] for line in membership["credit"]["statement"]] == ["12.0000"]
    assert membership["credit"]["auto_recharge"]["monthly_limit"] == "60.0000"
    assert "member.role_changed" in [entry["action"] for entry in membership["log"]]


def test_nothing_secret_and_nobody_else_is_in_it(client, anna, administrator):
    text = own_file(client, anna).content.decode()

    for secret in ("argon2", "password", anna.user.password, "secret", "credential"):
        assert secret not in text
    for other in ("Zacharias", administrator.user.skype_name, administrator.email):
        assert other not in text


def test_a_person_gets_each_of_their_organizations(client, anna):
    guest = MemberFactory(personal=True)
    other = MemberFactory(user=guest.user, organization=anna.organization)

    facts = json.loads(own_file(client, guest).content)

    names = [membership["organization"] for membership in facts["memberships"]]
    assert names == [guest.organization.name, other.organization.name]


def test_an_administrator_gives_what_their_organization_keeps_and_the_log_says_so(client, administrator, anna):
    MemberFactory(user=anna.user, organization__name="Elsewhere", state=Member.State.LEFT)
    client.force_login(administrator.user)

    answer = client.post(reverse("members:member_data", args=[administrator.organization.slug, "anna.berg"]))

    facts = json.loads(answer.content)
    assert facts["credit"]["balance"] == "12.0000"
    assert "Elsewhere" not in answer.content.decode()
    assert "203.0.113.9" not in answer.content.decode()
    entry = AuditEntry.objects.get(action="member.data_exported")
    assert (entry.actor_member, entry.subject_member) == (administrator, anna)


def test_how_many_calls_are_kept_and_what_switches_call_somebody_by(client, anna, administrator):
    AccountCode.objects.create(organization=anna.organization, member=anna, code="2001")
    imported(anna.organization, [a_call(1, account="2001"), a_call(2, account="2001")])

    [membership] = json.loads(own_file(client, anna).content)["memberships"]

    assert membership["calls"] == {"account_codes": ["2001"], "calls": 2}


def test_rows_of_files_about_somebody_are_in_it(client, anna, administrator):
    people = [Draft(number=1, email="anna.new@people.example", password="hash")]
    batch = start_import_of_people(actor=SYSTEM, organization=administrator.organization, people=people, key=uuid4())
    BatchRow.objects.filter(batch=batch).update(member=anna)

    facts = json.loads(own_file(client, anna).content)

    [row] = facts["memberships"][0]["imported_rows"]
    assert row["email"] == "anna.new@people.example"
    assert "password" not in row


def test_the_command_prints_the_same(capsys, anna):
    facts = asked(capsys, "--member", "anna.berg")

    assert facts["credit"]["balance"] == "12.0000"
    assert AuditEntry.objects.filter(action="member.data_exported", actor_kind="system").exists()


def test_a_rehearsal_tells_nothing_and_logs_nothing(capsys, anna):
    assert asked(capsys, "--member", "anna.berg", "--dry-run") == {"skype_name": "anna.berg"}
    assert not AuditEntry.objects.filter(action="member.data_exported").exists()


# Of a closed organization


def test_operators_give_and_forget_what_is_kept_of_a_closed_organization(capsys, administrator, anna):
    organization = administrator.organization
    close(organization)

    facts = asked(capsys, "--organization", organization.slug, "--member", "anna.berg")
    assert facts["credit"]["balance"] == "12.0000"
    assert AuditEntry.objects.filter(action="member.data_exported", subject_member=anna).exists()

    arguments = ["--organization", organization.slug, "--member", "anna.berg", "--json"]
    call_command("erase_member", *arguments, "--dry-run")
    assert json.loads(capsys.readouterr().out) == {"skype_name": "anna.berg", "erased": False, "would_erase": True}
    call_command("erase_member", *arguments)
    result = json.loads(capsys.readouterr().out)
    anna.refresh_from_db()
    assert result == {"skype_name": anna.user.skype_name, "erased": True}
    assert (anna.user.skype_name, anna.email) == (f"erased-{anna.user_id}", "")
    assert AuditEntry.objects.filter(action="member.erased", subject_member=anna).exists()


def test_members_of_a_closed_organization_give_and_forget_nothing(administrator, anna):
    organization = administrator.organization
    close(organization)
    before = AuditEntry.objects.count()
    acting = {"actor": Actor.of_member(administrator), "organization": organization, "member": anna}

    for verb in (export_member_data, erase_member):
        with pytest.raises(OrganizationClosed):
            verb(**acting)
    assert AuditEntry.objects.count() == before


def test_who_is_a_member_is_not_forgotten_by_the_command(anna):
    with pytest.raises(CommandError, match="Active"):
        call_command("erase_member", "--member", "anna.berg")
    anna.refresh_from_db()
    assert anna.user.skype_name == "anna.berg"


def test_who_is_blocked_in_an_open_organization_is_not_forgotten(anna):
    Member.objects.filter(pk=anna.pk).update(state="blocked")

    with pytest.raises(StateForbids):
        erase_member(actor=SYSTEM, organization=anna.organization, member=anna)
