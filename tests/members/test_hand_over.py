"""A business account has successive people: the next one gets it whole, and nothing of the one before opens it."""

import json
from uuid import uuid4

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from members.access import Actor
from members.errors import (
    AddressTaken,
    InvitationClosed,
    KeyReused,
    LastAdministrator,
    NobodyHasIt,
    OrganizationClosed,
    OwnAccount,
    PersonalAccountStays,
    StateForbids,
)
from members.known_browsers import known_browser
from members.models import (
    ApiToken,
    AuditEntry,
    AuditOrigin,
    AuthenticatorApp,
    Invitation,
    Letter,
    Member,
    NoticeChoice,
    RecoveryCode,
    User,
    UserSession,
)
from members.personal_data import data_of_account
from members.services.hand_over import hand_over
from members.services.invitations import cancel_invitations, resend_invitations
from members.services.joining import accept_business_invitation
from members.services.members import block_members, send_password_letter, unblock_member
from members.services.predecessors import erase_predecessor, export_predecessor_data
from members.services.profile import change_profile
from members.tenures import tenure_at
from members.tokens import invitation_token, read_invitation_token
from skypemgr.invariants import find_violations
from tests.closings import close
from tests.factories import (
    PASSWORD,
    ApiTokenFactory,
    AuthenticatorAppFactory,
    DepartmentFactory,
    InvitationFactory,
    MemberFactory,
    OrganizationFactory,
)
from tests.members.signing_in import is_signed_in, sign_in
from tests.members.test_erasure import everything_stored, trail

SYSTEM = Actor.system()
State, Role = Member.State, Member.Role
BERT = {"email": "bert@people.example", "first_name": "Bert", "last_name": "Lind"}


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization):
    return MemberFactory(organization=organization, admin=True)


@pytest.fixture
def anna(organization, boss):
    return MemberFactory(
        organization=organization,
        user__skype_name="anna.berg",
        user__email="anna@people.example",
        user__first_name="Anna",
        user__last_name="Berg",
        job_title="Planner",
        department=DepartmentFactory(organization=organization, name="Sales"),
        role=Role.CREDIT_MANAGER,
    )


def give(member, *, actor=SYSTEM, key=None, **person):
    facts = {"actor": actor, "organization": member.organization, "key": key or uuid4()}
    return hand_over(member=member, **facts, **{**BERT, **person})


def joins(member):
    """The new person opens the link of the invitation."""
    invitation, _newest = read_invitation_token(invitation_token(member.invitations.get(state="pending")))
    return accept_business_invitation(
        actor=Actor.visitor(), invitation=invitation, first_name="Bert", last_name="Lind", password=PASSWORD
    )


def test_the_choice_of_notices_goes_with_the_person_who_made_it(anna, boss):
    for member in (anna, boss, None):
        NoticeChoice.objects.create(
            organization=anna.organization, member=member, notice="credit.low_balance", wanted=False
        )

    give(anna)

    assert set(NoticeChoice.objects.values_list("member", flat=True)) == {boss.pk, None}


def test_the_account_is_the_same_and_its_person_another(anna):
    given = give(anna, job_title="Buyer", language="sv")

    assert (given.pk, given.user_id, given.department, given.user.skype_name) == (
        anna.pk,
        anna.user_id,
        anna.department,
        "anna.berg",
    )
    found = Member.objects.select_related("user").get(pk=anna.pk)
    assert (found.state, found.role, found.email, found.job_title) == ("invited", "member", BERT["email"], "Buyer")
    assert (found.user.full_name, found.user.email, found.user.language) == ("Bert Lind", BERT["email"], "sv")
    assert (found.joined_at, found.user.last_login, found.user.email_verified_at) == (None, None, None)
    assert "bert" in found.search_text
    assert "anna@" not in found.search_text


def test_nothing_that_opened_it_opens_it_any_more(anna, client):
    sign_in(client, anna.user)
    AuthenticatorAppFactory(user=anna.user)
    RecoveryCode.objects.create(user=anna.user, digest="x")
    ApiTokenFactory(made_by=anna)
    link = default_token_generator.make_token(anna.user)
    User.objects.filter(pk=anna.user_id).update(is_operator=True)
    assert is_signed_in(client)

    give(anna)

    user = User.objects.get(pk=anna.user_id)
    assert client.get("/me/").status_code == 302
    assert not UserSession.objects.filter(user=user).exists()
    assert not AuthenticatorApp.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert ApiToken.objects.get().revoked_at is not None
    assert not user.has_usable_password()
    assert not user.is_operator
    assert not default_token_generator.check_token(user, link)
    assert not sign_in(Client(), user).headers.get("Location")


def test_letters_that_wait_for_the_person_before_never_leave(anna):
    send_password_letter(actor=SYSTEM, organization=anna.organization, member=anna)

    give(anna)

    assert Letter.objects.get(kind="password_reset").state == "canceled"
    [letter] = Letter.objects.filter(state="waiting")
    assert (letter.kind, letter.email) == ("invitation", BERT["email"])


def test_the_new_person_finishes_the_account_and_starts(anna):
    given = give(anna)

    joins(given)

    found = Member.objects.get(pk=anna.pk)
    assert found.state == "active"
    assert found.joined_at > found.user.handed_over_at
    client = Client()
    sign_in(client, found.user)
    assert is_signed_in(client)
    assert [violation for violation in find_violations() if "added" not in violation.message] == []


def test_an_account_is_handed_over_again_and_again(anna):
    joins(give(anna))

    give(anna, email="cleo@people.example", first_name="Cleo", last_name="")

    member = Member.objects.select_related("user").get(pk=anna.pk)
    assert [tenure.display_name for tenure in member.predecessors] == ["Anna Berg", "Bert Lind"]
    first, second = member.predecessors
    assert first.ended_at == second.started_at
    assert second.ended_at == member.user.handed_over_at
    assert member.name_at(first.started_at) == "Anna Berg"
    assert member.name_at(first.ended_at) == "Bert Lind"
    assert member.name_at(second.ended_at) == "Cleo"
    assert tenure_at(member, first.ended_at) == second


def test_a_blocked_account_is_handed_over_and_open_to_the_new_person(anna):
    block_members(actor=SYSTEM, organization=anna.organization, members=Member.objects.filter(pk=anna.pk))

    joins(give(anna))

    assert User.objects.get(pk=anna.user_id).is_active


def test_the_same_request_twice_is_one(anna):
    key = uuid4()

    assert give(anna, key=key) == give(anna, key=key)
    with pytest.raises(KeyReused):
        give(anna, key=key, first_name="Other")

    assert Invitation.objects.count() == 1
    assert AuditEntry.objects.filter(action="member.handed_over").count() == 1


@pytest.mark.parametrize("state", [State.INVITED, State.LEFT])
def test_what_nobody_has_is_not_handed_over(organization, boss, state):
    with pytest.raises(StateForbids):
        give(MemberFactory(organization=organization, state=state))


def test_a_personal_account_stays_its_owners(organization, boss):
    with pytest.raises(PersonalAccountStays):
        give(MemberFactory(organization=organization, personal=True))


def test_nobody_hands_over_their_own(boss):
    MemberFactory(organization=boss.organization, admin=True)
    with pytest.raises(OwnAccount):
        give(boss, actor=Actor.of_member(boss))


def test_whoever_manages_members_hands_over_nobody_above_them(organization, boss):
    manager = MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER)
    with pytest.raises(PermissionDenied):
        give(boss, actor=Actor.of_member(manager))


def test_the_last_administrator_is_not_handed_over(boss):
    with pytest.raises(LastAdministrator):
        give(boss)
    MemberFactory(organization=boss.organization, admin=True)

    assert give(boss).role == "member"


def test_an_address_that_somebody_else_has_is_refused_and_nothing_is_done(anna, boss):
    with pytest.raises(AddressTaken):
        give(anna, email=boss.email.upper())

    assert Member.objects.get(pk=anna.pk).state == "active"
    assert anna.tenures.get().ended_at is None


def test_the_log_names_whoever_it_was_then(anna, boss, client):
    change_profile(actor=Actor.of_member(anna), first_name="Anna", last_name="Bergh", language="")
    anna.user.refresh_from_db()
    joins(give(anna))
    client.force_login(boss.user)

    page = client.get(reverse("members:audit_list", args=["acme"])).text
    history = client.get(reverse("members:member_history", args=["acme", "anna.berg"])).text
    export = b"".join(client.get(reverse("members:audit_export", args=["acme"])).streaming_content).decode()

    for text in (page, history, export):
        assert "Anna Bergh" in text
        assert "Bert Lind" in text


def test_an_invitation_that_is_taken_back_leaves_the_account_with_the_company(anna):
    given = give(anna)
    invitation = given.invitations.get()
    facts = {"actor": SYSTEM, "organization": anna.organization}

    cancel_invitations(**facts, invitations=[invitation.pk])

    found = Member.objects.select_related("user").get(pk=anna.pk)
    assert (found.state, found.waits_for_somebody, found.user.is_active) == ("blocked", True, False)
    with pytest.raises(NobodyHasIt):
        unblock_member(**facts, member=found)
    assert [violation for violation in find_violations() if "added" not in violation.message] == []

    assert resend_invitations(**facts, invitations=[invitation.pk]) == 1
    assert joins(found).state == "active"


def test_an_account_that_nobody_took_is_handed_to_the_next(anna):
    given = give(anna)
    cancel_invitations(actor=SYSTEM, organization=anna.organization, invitations=[given.invitations.get().pk])

    joins(give(anna, email="cleo@people.example"))

    assert [tenure.display_name for tenure in Member.objects.get(pk=anna.pk).predecessors] == ["Anna Berg", "Bert Lind"]


def test_links_of_the_person_before_open_nothing(organization, boss):
    invitation = InvitationFactory(member=MemberFactory(organization=organization, invited=True))
    joins(invitation.member)
    old, _newest = read_invitation_token(invitation_token(invitation))
    give(Member.objects.get(pk=invitation.member.pk))
    assert [violation for violation in find_violations() if "added" not in violation.message] == []

    with pytest.raises(InvitationClosed):
        accept_business_invitation(
            actor=Actor.visitor(), invitation=old, first_name="Eve", last_name="", password=PASSWORD
        )


def test_a_browser_of_the_person_before_is_strange_to_the_account(anna, client, rf):
    sign_in(client, anna.user)
    request = rf.get("/")
    request.COOKIES.update({name: morsel.value for name, morsel in client.cookies.items()})
    assert known_browser(request).knows(anna.user)

    given = give(anna)

    assert not known_browser(request).knows(given.user)


def test_the_file_of_each_person_holds_their_own_time(anna):
    trail(anna)
    joins(give(anna))
    member = Member.objects.select_related("user").get(pk=anna.pk)
    [tenure] = member.predecessors

    before = export_predecessor_data(actor=SYSTEM, organization=anna.organization, tenure=tenure)
    now = data_of_account(member.user)

    assert (before["first_name"], before["had_account_until"]) == ("Anna", tenure.ended_at)
    assert "bert" not in str(before).lower()
    assert "anna@" not in str(now)
    assert "Anna" not in str(now)
    assert [entry["action"] for entry in now["memberships"][0]["log"]][:1] == ["member.handed_over"]


def test_nothing_of_an_erased_predecessor_is_left_and_everything_of_the_successor(anna):
    User.objects.filter(pk=anna.user_id).update(first_name="Zebulon", email="zebulon@quill.example")
    Member.objects.filter(pk=anna.pk).update(email="zebulon@quill.example", job_title="Zebulon’s title")
    anna = Member.objects.select_related("user", "organization").get(pk=anna.pk)
    trail(anna)
    given = joins(give(anna))
    trail(Member.objects.select_related("user", "organization").get(pk=given.pk))
    [tenure] = Member.objects.get(pk=anna.pk).predecessors
    assert any("zebulon" in row.casefold() for row in everything_stored())
    assert AuditOrigin.objects.count() == 2

    for _twice in range(2):
        erase_predecessor(actor=SYSTEM, organization=anna.organization, tenure=tenure)

    # As ``trail`` writes it into the row of the successor.
    assert all("bert@" in row for row in everything_stored() if "zebulon" in row.casefold())
    assert AuditOrigin.objects.get().handed_over_at == tenure.ended_at
    member = Member.objects.get(pk=anna.pk)
    assert member.user.full_name == "Bert Lind"
    assert Letter.objects.filter(email=BERT["email"]).count() == 3
    assert member.name_at(tenure.started_at) == f"erased-t{tenure.pk}"
    assert AuditEntry.objects.filter(action="predecessor.erased").count() == 1


def test_only_who_had_it_before_is_erased_so(anna):
    for tenure in (anna.tenures.get(), MemberFactory().tenures.get()):
        with pytest.raises(PermissionDenied):
            erase_predecessor(actor=SYSTEM, organization=anna.organization, tenure=tenure)


def url(name, *args):
    return reverse(f"members:{name}", args=["acme", "anna.berg", *args])


def test_the_page_says_what_follows_and_does_it(anna, boss, client):
    sign_in(client, boss.user)
    page = client.get(url("member_hand_over"))
    assert "Anna Berg is signed out at once" in page.text
    assert page.text.index("signed out at once") < page.text.index("danger-solid")
    assert 'value="Planner"' in page.text

    form = {**BERT, "key": page.context["form"]["key"].value(), "job_title": "", "language": ""}
    for _double_click in range(2):
        answer = client.post(url("member_hand_over"), form, follow=True)

    assert "An invitation is on its way to bert@people.example" in answer.text
    assert "Before: <bdi>Anna Berg</bdi>, until" in answer.text
    assert Invitation.objects.count() == 1


def test_what_is_wrong_stands_at_its_field(anna, boss, client):
    sign_in(client, boss.user)

    answer = client.post(url("member_hand_over"), {**BERT, "email": boss.email, "key": uuid4()})

    assert answer.status_code == 422
    assert "email" in answer.context["form"].errors


def test_a_blocked_account_leads_on_to_the_next_person(anna, boss, client):
    block_members(actor=SYSTEM, organization=anna.organization, members=Member.objects.filter(pk=anna.pk))
    sign_in(client, boss.user)

    page = client.get(url("member_profile")).text

    assert page.index(url("member_hand_over")) < page.index(url("member_unblock"))
    assert "signed out at once" not in client.get(url("member_hand_over")).text


def test_data_of_a_predecessor_is_given_and_erased_on_the_page(anna, boss, client):
    joins(give(anna))
    sign_in(client, boss.user)
    [tenure] = Member.objects.get(pk=anna.pk).predecessors

    assert client.post(url("predecessor_data", tenure.pk)).json()["first_name"] == "Anna"
    assert "until" in client.get(url("predecessor_erase", tenure.pk)).text
    assert "Anna" not in client.post(url("predecessor_erase", tenure.pk), follow=True).text.replace("anna.berg", "")
    assert client.get(url("predecessor_erase", tenure.pk + 999)).status_code == 404


def test_an_account_is_handed_over_by_command(anna, capsys):
    given = ["--organization", "acme", "--member", "anna.berg", "--email", "Bert@People.Example"]
    call_command("hand_over", *given, "--dry-run")
    assert Member.objects.get(pk=anna.pk).state == "active"

    call_command("hand_over", *given)

    assert "Handed over anna.berg, with what it holds (Credit: €0.00; Auto-recharge: Off)" in capsys.readouterr().out
    found = Member.objects.get(pk=anna.pk)
    assert (found.state, found.email, found.job_title) == ("invited", "Bert@people.example", "Planner")


# Of a closed organization


def test_operators_give_and_forget_what_is_kept_of_a_predecessor_of_a_closed_organization(anna, capsys):
    joins(give(anna))
    close(anna.organization)
    named = ["--organization", "acme", "--member", "anna.berg", "--before", "1", "--json"]

    call_command("export_member_data", *named)
    assert json.loads(capsys.readouterr().out)["first_name"] == "Anna"
    call_command("erase_member", *named, "--dry-run")
    assert json.loads(capsys.readouterr().out) == {
        "skype_name": "anna.berg",
        "before": 1,
        "erased": False,
        "would_erase": True,
    }
    call_command("erase_member", *named)
    assert json.loads(capsys.readouterr().out) == {"skype_name": "anna.berg", "before": 1, "erased": True}

    found = Member.objects.get(pk=anna.pk)
    assert [(tenure.first_name, tenure.email) for tenure in found.predecessors] == [("", "")]
    assert (found.user.first_name, found.user.email) == ("Bert", "bert@people.example")
    logged = AuditEntry.objects.filter(action__startswith="predecessor.").order_by("pk")
    assert len(logged) == 2


def test_members_of_a_closed_organization_give_and_forget_no_predecessor(anna, boss):
    joins(give(anna))
    [tenure] = Member.objects.get(pk=anna.pk).predecessors
    close(anna.organization)
    acting = {"actor": Actor.of_member(boss), "organization": anna.organization, "tenure": tenure}

    for verb in (export_predecessor_data, erase_predecessor):
        with pytest.raises(OrganizationClosed):
            verb(**acting)


@pytest.mark.parametrize("number", ["0", "2", "-1"])
@pytest.mark.parametrize("command", ["export_member_data", "erase_member"])
def test_a_command_lists_who_had_an_account_when_nobody_has_the_number(anna, command, number):
    joins(give(anna))
    named = ["--organization", "acme", "--member", "anna.berg", f"--before={number}"]

    with pytest.raises(CommandError, match=r"So many had anna.berg before: 1.\n1: until \d{4}-\d\d-\d\d$"):
        call_command(command, *named)
