"""The end of an organization: asked for, called off, carried out."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from members import closing_steps
from members.access import Actor
from members.api_tokens import new_token
from members.errors import ClosingObstructed, InvitationClosed, OrganizationClosed, OtherName
from members.models import (
    AuditEntry,
    Batch,
    CallDetailConsent,
    Invitation,
    JobRun,
    Letter,
    Member,
    Organization,
)
from members.registry import ClosingStep, registry
from members.selectors.invitations import closed_because
from members.services.closing import ask_to_close, call_closing_off
from members.services.closing_work import close_due, finish_closing
from members.services.departments import add_department
from members.services.jobs import plan_runs
from members.services.joining import accept_business_invitation, accept_personal_invitation
from members.services.letters import send_letters
from skypemgr.invariants import find_violations
from tests.closings import close, let_come
from tests.factories import (
    PASSWORD,
    ApiTokenFactory,
    AuthenticatorAppFactory,
    InvitationFactory,
    MemberFactory,
    OrganizationFactory,
    UserFactory,
)
from tests.members.signing_in import CONFIRM, forget_proof

pytestmark = pytest.mark.django_db

URL = "/acme/settings/close/"
SYSTEM = Actor.system()


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def admin(organization):
    return MemberFactory(organization=organization, admin=True)


def ask(admin, **facts):
    return ask_to_close(actor=Actor.of_member(admin), organization=admin.organization, **{"name": "Acme", **facts})


def agreed(page):
    return {name: "on" for name in page.context["form"].fields if name.startswith("agreed_")}


def run(*arguments):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


# Asking


def test_an_administrator_asks_after_reading_and_agreeing_to_everything(client, organization, admin):
    MemberFactory(organization=organization, personal=True)
    other = MemberFactory(organization=organization, admin=True)
    client.force_login(admin.user)
    page = client.get(URL)
    told = ("1 personal account leaves", "2 business accounts are blocked", "is left in the wallet", "Export first")
    assert [text for text in told if text not in page.text] == []

    answer = client.post(URL, {**agreed(page), "name": " Acme "}, follow=True)

    organization.refresh_from_db()
    days = organization.closes_at - timezone.now()
    assert timedelta(days=13, hours=23) < days <= timedelta(days=14)
    assert "Every administrator gets a letter." in answer.text
    assert AuditEntry.objects.get().action == "organization.closing"
    letters = Letter.objects.filter(kind="organization_closing")
    assert {letter.member for letter in letters} == {admin, other}


@pytest.mark.parametrize("missing", ["name", "agreed_0", "agreed_3"])
def test_nothing_is_asked_while_something_is_not_agreed_to(client, organization, admin, missing):
    client.force_login(admin.user)
    sent = {**agreed(client.get(URL)), "name": "Acme"}
    del sent[missing]

    assert client.post(URL, sent).status_code == 422
    organization.refresh_from_db()
    assert organization.closes_at is None


def test_another_name_is_refused(client, organization, admin):
    client.force_login(admin.user)

    answer = client.post(URL, {**agreed(client.get(URL)), "name": "acme"})

    assert (answer.status_code, "Type the name as it stands here: Acme" in answer.text) == (422, True)
    with pytest.raises(OtherName):
        ask(admin, name="Other")
    assert not AuditEntry.objects.exists()


def test_asking_takes_a_fresh_proof_and_an_administrator(client, organization, admin):
    client.force_login(admin.user)
    forget_proof(client)
    assert client.get(URL).url.startswith(CONFIRM)
    manager = MemberFactory(organization=organization, role="members_manager")
    client.force_login(manager.user)
    assert client.get(URL).status_code == 403
    with pytest.raises(PermissionDenied):
        ask(manager)


def test_only_operators_say_when(admin):
    with pytest.raises(PermissionDenied):
        ask(admin, closes_at=timezone.now())
    with pytest.raises(PermissionDenied):
        ask(admin, despite_obstacles=True)


def test_asking_again_changes_nothing(admin):
    first = ask(admin)

    assert ask(admin).closes_at == first.closes_at
    assert AuditEntry.objects.count() == Letter.objects.count() == 1


@pytest.mark.parametrize(("kind", "told"), [("import_members", "An import"), ("block_members", "A change of many")])
def test_what_is_under_way_has_to_end_first(client, organization, admin, kind, told):
    Batch.objects.create(organization=organization, kind=kind, state="running")
    client.force_login(admin.user)
    page = client.get(URL).text
    assert f"{told} " in page
    assert "This has to end first" in page
    assert "agreed_0" not in page

    with pytest.raises(ClosingObstructed) as refusal:
        ask(admin)

    assert told in str(refusal.value)
    assert ask_to_close(actor=SYSTEM, organization=organization, name="Acme", despite_obstacles=True).closes_at


# Until then


def test_every_page_says_when_and_administrators_call_it_off(client, organization, admin):
    ask(admin)
    manager = MemberFactory(organization=organization, role="members_manager")
    client.force_login(manager.user)
    page = client.get("/acme/members/").text
    assert "Acme closes on" in page
    assert "call-off" not in page
    assert client.post(f"{URL}call-off/").status_code == 403
    client.force_login(admin.user)
    assert f"{URL}call-off/" in client.get("/acme/").text

    answer = client.post(f"{URL}call-off/", follow=True)

    assert "This Skype Manager stays open." in answer.text
    assert "Acme closes on" not in answer.text
    organization.refresh_from_db()
    assert organization.closes_at is None
    assert AuditEntry.objects.filter(action="organization.kept").count() == 1
    assert not call_closing_off(actor=Actor.of_member(admin), organization=organization)
    assert not finish_closing(organization=organization)


def test_before_its_day_nothing_happens(organization, admin):
    ask(admin)

    assert close_due() == 0
    organization.refresh_from_db()
    assert organization.closed_at is None


def test_the_letter_says_when_and_how_it_is_called_off(organization, admin, mailoutbox):
    ask(admin)
    send_letters()

    [letter] = mailoutbox
    assert "The Skype Manager of Acme closes on" in letter.subject
    assert URL in letter.body


def test_a_letter_about_what_was_called_off_is_not_sent(organization, admin, mailoutbox):
    ask(admin)
    call_closing_off(actor=Actor.of_member(admin), organization=organization)
    send_letters()

    assert [letter.subject for letter in mailoutbox] == ["The Skype Manager of Acme stays open"]


# The end


def test_everybody_is_out_and_personal_accounts_keep_what_is_theirs(organization, admin):
    business = MemberFactory(organization=organization)
    token = ApiTokenFactory(made_by=admin)
    invitation = InvitationFactory(member__organization=organization)
    personal = MemberFactory(organization=organization, personal=True, state=Member.State.BLOCKED)
    CallDetailConsent.objects.create(organization=organization, member=personal, given=True)
    draft = Batch.objects.create(organization=organization, kind="import_members", state="draft")
    other = MemberFactory(admin=True)
    version = business.user.session_version
    before = find_violations()

    close(organization)

    for member in (business, admin, personal, other, invitation.member, invitation, draft, token):
        member.refresh_from_db()
    assert (business.state, business.user.is_active) == ("blocked", False)
    assert business.user.session_version == version + 1
    assert (personal.state, personal.user.is_active) == ("left", True)
    assert not CallDetailConsent.objects.filter(member=personal).latest("pk").given
    assert (invitation.member.state, invitation.state, draft.state) == ("left", "canceled", "canceled")
    assert token.revoked_at is not None
    assert (other.state, other.organization.closed_at) == ("active", None)
    assert organization.closing_done_at is not None
    assert AuditEntry.objects.filter(organization=organization, action="organization.closed").count() == 1
    assert AuditEntry.objects.filter(action="member.blocked").count() == 2
    assert close_due() == 0
    assert [found for found in find_violations() if found not in before] == []


def test_more_people_than_one_part_holds_are_all_let_go(organization, admin, monkeypatch):
    monkeypatch.setattr("members.closing_steps.AT_ONCE", 2)
    for _person in range(5):
        MemberFactory(organization=organization)
        MemberFactory(organization=organization, personal=True)
        InvitationFactory(member__organization=organization)

    close(organization)

    assert set(Member.objects.of(organization).values_list("state", flat=True)) == {"blocked", "left"}
    assert not Invitation.objects.filter(state="pending").exists()


def test_whoever_dies_in_between_is_followed_by_another(organization, admin):
    people = [MemberFactory(organization=organization) for _person in range(2)]
    let_come(organization)

    def die(organization):
        raise ConnectionError

    registry.add(ClosingStep(key="aa-dies", order=5, carry_on=die))
    try:
        with pytest.raises(ConnectionError):
            close_due()
    finally:
        registry.remove(ClosingStep, "aa-dies")
    organization.refresh_from_db()
    assert (organization.closed_at is None, organization.closing_done_at) == (False, None)

    assert close_due() == 1
    assert {Member.objects.get(pk=person.pk).state for person in people} == {"blocked"}
    assert AuditEntry.objects.filter(action="organization.closed").count() == 1


def test_its_members_read_that_it_was_closed_and_strangers_find_nothing(client, organization, admin):
    personal = MemberFactory(organization=organization, personal=True)
    client.force_login(personal.user)
    close(organization)
    for path in ("/acme/", "/acme/members/", "/acme/settings/", "/acme/credit/"):
        answer = client.get(path)
        assert answer.status_code == 410, path
        assert "The Skype Manager of Acme was closed on" in answer.text
    assert client.post("/acme/members/departments/add/", {"name": "New"}).status_code == 410
    assert client.get("/me/").status_code == 200
    client.force_login(MemberFactory(admin=True).user)
    assert client.get("/acme/").status_code == 404
    client.logout()
    assert client.get("/acme/").url.startswith("/accounts/sign-in/")


def test_a_business_account_signs_in_like_with_a_wrong_password(client, organization, admin):
    close(organization)

    def sign_in(password):
        return client.post("/accounts/sign-in/", {"login": admin.user.skype_name, "password": password})

    right, wrong = sign_in(PASSWORD), sign_in("not that one")
    assert right.status_code == wrong.status_code == 422
    assert "closed" not in right.text
    assert "_auth_user_id" not in client.session


def test_a_session_that_was_open_is_over(client, organization, admin):
    client.force_login(admin.user)
    close(organization)

    assert client.get("/acme/").url.startswith("/accounts/sign-in/")


def test_from_its_end_on_nothing_is_done_though_people_are_still_there(client, organization, admin):
    Organization.objects.filter(pk=organization.pk).update(closes_at=timezone.now(), closed_at=timezone.now())
    organization.refresh_from_db()
    client.force_login(admin.user)

    assert client.get("/acme/members/").status_code == 410
    for actor in (SYSTEM, Actor.of_member(admin)):
        with pytest.raises(OrganizationClosed):
            add_department(actor=actor, organization=organization, name="New")
    assert "was closed on" in refused("list_members", "--organization", "acme")


def refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        run(*arguments)
    return str(refusal.value)


def test_a_token_opens_nothing_from_that_moment_on(client, organization, admin):
    token = new_token()
    ApiTokenFactory(made_by=admin, token=token)
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/members/", headers=headers).status_code == 200
    Organization.objects.filter(pk=organization.pk).update(closes_at=timezone.now(), closed_at=timezone.now())

    assert client.get("/api/v1/members/", headers=headers).status_code == 401


def test_an_open_invitation_lets_nobody_in_any_more(organization, admin):
    business = InvitationFactory(member__organization=organization)
    personal = Invitation.objects.create(
        organization=organization,
        kind="personal",
        email="guest@people.example",
        invited_by=admin,
        expires_at=timezone.now() + timedelta(days=7),
    )
    Organization.objects.filter(pk=organization.pk).update(closes_at=timezone.now(), closed_at=timezone.now())

    with pytest.raises(InvitationClosed):
        accept_business_invitation(
            actor=Actor.visitor(), invitation=business, first_name="A", last_name="B", password=PASSWORD
        )
    guest = Actor.of_person(UserFactory(email="guest@people.example"))
    with pytest.raises(InvitationClosed):
        accept_personal_invitation(actor=guest, invitation=personal)
    assert closed_because(Invitation.objects.get(pk=business.pk)) == "canceled"


def test_the_clock_asks_for_nothing_of_a_closed_organization(organization, admin):
    plan_runs()
    assert JobRun.objects.filter(organization=organization).exists()

    close(organization)
    plan_runs()

    assert not JobRun.objects.filter(organization=organization).exists()


def test_what_is_closed_stays_closed(organization, admin):
    close(organization)

    with pytest.raises(DatabaseError), transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(closed_at=None)
    with pytest.raises(OrganizationClosed):
        call_closing_off(actor=SYSTEM, organization=organization)


# Operators


def test_operators_close_it_at_a_moment_and_call_that_off(organization, admin):
    result = run("close_organization", "acme", "--at", "2199-01-31T18:00")
    organization.refresh_from_db()
    assert organization.closes_at.year == 2199
    assert (result["slug"], result["closed"]) == ("acme", False)

    assert run("reopen_organization", "acme") == {"slug": "acme", "called_off": True}
    assert run("reopen_organization", "acme") == {"slug": "acme", "called_off": False}
    organization.refresh_from_db()
    assert organization.closes_at is None


def test_operators_close_it_now_and_hear_what_stands_in_the_way(organization, admin):
    Batch.objects.create(organization=organization, kind="import_members", state="running")
    dry = run("close_organization", "acme", "--dry-run")
    assert dry["stands_in_the_way"] == ["An import is under way. Wait until it has ended, or stop it."]
    assert "An import is under way" in refused("close_organization", "acme", "--now")

    assert run("close_organization", "acme", "--now", "--anyway")["closed"]

    organization.refresh_from_db()
    assert organization.closing_done_at is not None
    assert "was closed on" in refused("close_organization", "acme")
    assert "was closed on" in refused("reopen_organization", "acme")


@pytest.mark.parametrize("at", ["tomorrow", "2001-01-01T00:00"])
def test_a_moment_that_cannot_be_is_refused(organization, admin, at):
    assert "moment" in refused("close_organization", "acme", "--at", at).lower()
    organization.refresh_from_db()
    assert organization.closes_at is None


def test_operators_see_what_closes_and_what_is_closed(client, organization, admin):
    second = MemberFactory(admin=True, organization__slug="nord", organization__name="Nord")
    ask_to_close(actor=SYSTEM, organization=second.organization, name="Nord")
    close(organization)
    operator = UserFactory(is_operator=True)
    AuthenticatorAppFactory(user=operator)
    client.force_login(operator)
    page = client.get("/ops/").text

    assert "Closed on" in page
    assert "Closes on" in page


def test_the_consequences_name_only_what_there_is():
    nobody = OrganizationFactory()
    told = " ".join(closing_steps.consequences(nobody))
    assert "account" not in told
    MemberFactory(organization=nobody, personal=True)
    told = closing_steps.consequences(nobody)
    assert "business" not in " ".join(told)
    assert told[1].startswith("1 personal account leaves")
