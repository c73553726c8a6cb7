from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.access import Actor
from members.errors import (
    AddressTaken,
    CannotInvite,
    InvitationClosed,
    InvitationNotOpen,
    MeantForAnother,
    NotAPersonalAccount,
    PersonalAccountsRefused,
    StateForbids,
)
from members.models import AuditEntry, Invitation, Letter, Member, User
from members.services import joining
from members.services.invitations import (
    cancel_invitations,
    change_invited_address,
    invite_personal,
    resend_invitations,
)
from members.tokens import invitation_token, read_invitation_token
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

PASSWORDS = [f"seven slow barges passing {number}" for number in range(50)]


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


def accept(invitation, password=PASSWORDS[0]):
    return joining.accept_business_invitation(
        actor=Actor.visitor(), invitation=invitation, first_name="Théo", last_name="Lacombe", password=password
    )


# Sending again


def test_a_resend_gives_a_new_link_a_new_letter_and_another_fortnight(actor, admin, invitation):
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(days=3), reply="new_link")
    waiting = Letter.objects.create(
        organization=admin.organization, kind="invitation", invitation=invitation, email=invitation.email
    )

    sent = resend_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    assert sent == 1
    now = fresh(invitation)
    assert (now.version, now.reply, now.is_open(timezone.now() + timedelta(days=13, hours=23))) == (2, "", True)
    waiting.refresh_from_db()
    assert waiting.state == "canceled"
    assert Letter.objects.filter(invitation=invitation, state="waiting").count() == 1
    assert AuditEntry.objects.filter(action="invitation.resent", subject_member=invitation.member).count() == 1


def test_several_are_sent_again_at_once_by_their_members_in_a_few_statements(
    actor, admin, django_assert_max_num_queries
):
    organization = admin.organization
    members = [MemberFactory(organization=organization, invited=True) for _number in range(30)]
    for member in members:
        InvitationFactory(member=member)

    with django_assert_max_num_queries(20):
        sent = resend_invitations(actor=actor, organization=organization, members=[m.pk for m in members])

    assert sent == 30
    assert Letter.objects.filter(state="waiting").count() == 30

    invitations = Invitation.objects.values_list("pk", flat=True)
    with django_assert_max_num_queries(20):
        assert cancel_invitations(actor=actor, organization=organization, invitations=list(invitations)) == 30


@pytest.mark.parametrize("state", ["accepted", "declined"])
def test_what_was_answered_is_not_sent_again(actor, admin, invitation, state):
    Invitation.objects.filter(pk=invitation.pk).update(state=state)

    assert resend_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk]) == 0
    assert fresh(invitation).version == 1


def test_a_canceled_business_account_is_invited_again(actor, admin, invitation):
    organization = admin.organization
    cancel_invitations(actor=actor, organization=organization, invitations=[invitation.pk])

    assert resend_invitations(actor=actor, organization=organization, invitations=[invitation.pk]) == 1

    now = fresh(invitation)
    assert (now.state, now.member.state, now.member.user.is_active) == ("pending", "invited", True)
    assert accept(now).state == "active"


def test_a_canceled_one_is_not_invited_again_once_somebody_else_has_the_address(actor, admin, invitation):
    organization = admin.organization
    cancel_invitations(actor=actor, organization=organization, invitations=[invitation.pk])
    MemberFactory(organization=organization, email=invitation.email)

    with pytest.raises(AddressTaken):
        resend_invitations(actor=actor, organization=organization, invitations=[invitation.pk])


def test_another_organization_and_a_plain_member_can_do_nothing(actor, admin, invitation):
    stranger = Actor.of_member(MemberFactory(admin=True))
    plain = Actor.of_member(MemberFactory(organization=admin.organization))

    for somebody in (stranger, plain):
        for act in (resend_invitations, cancel_invitations):
            with pytest.raises(PermissionDenied):
                act(actor=somebody, organization=admin.organization, invitations=[invitation.pk])
    assert (
        resend_invitations(actor=stranger, organization=stranger.member.organization, invitations=[invitation.pk]) == 0
    )
    with pytest.raises(InvitationNotOpen):
        cancel_invitations(actor=stranger, organization=stranger.member.organization, invitations=[invitation.pk])
    assert (fresh(invitation).state, fresh(invitation).version) == ("pending", 1)


# Taking back


def test_taking_an_invitation_back_closes_the_account_and_keeps_its_name(actor, admin, invitation):
    cancel_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    now = fresh(invitation)
    assert (now.state, now.member.state, now.member.user.is_active) == ("canceled", "left", False)
    assert User.objects.filter(skype_name=invitation.member.user.skype_name).exists()
    with pytest.raises(InvitationNotOpen):
        cancel_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])


def test_a_first_password_dies_with_the_invitation(actor, admin, client):
    member = MemberFactory(
        organization=admin.organization, invited=True, user__waiting=False, user__must_change_password=True
    )
    invitation = InvitationFactory(member=member)
    client.force_login(member.user)

    cancel_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    assert client.get("/accounts/first-password/").url.startswith("/accounts/sign-in/")
    member.user.refresh_from_db()
    assert not member.user.has_usable_password()


def test_nobody_takes_back_or_moves_the_invitation_of_a_higher_role(admin):
    organization = admin.organization
    manager = Actor.of_member(MemberFactory(organization=organization, role="members_manager"))
    invitation = InvitationFactory(member=MemberFactory(organization=organization, invited=True, admin=True))

    with pytest.raises(PermissionDenied):
        cancel_invitations(actor=manager, organization=organization, invitations=[invitation.pk])
    with pytest.raises(PermissionDenied):
        change_invited_address(
            actor=manager, organization=organization, member=invitation.member, email="mine@a.example"
        )
    assert fresh(invitation).email == invitation.email


# Another address


def test_a_change_of_address_moves_account_member_and_letter(actor, admin, invitation):
    change_invited_address(
        actor=actor, organization=admin.organization, member=invitation.member, email="new@a.example"
    )

    now = fresh(invitation)
    assert (now.email, now.member.email, now.member.user.email, now.version) == ("new@a.example",) * 3 + (2,)
    assert "new@a.example" in now.member.search_text
    [letter] = Letter.objects.filter(state="waiting")
    assert letter.email == "new@a.example"


def test_an_address_of_somebody_else_is_refused_and_nothing_moves(actor, admin, invitation):
    MemberFactory(organization=admin.organization, email="Taken@a.example")

    with pytest.raises(AddressTaken):
        change_invited_address(
            actor=actor, organization=admin.organization, member=invitation.member, email="taken@a.example"
        )
    assert fresh(invitation).version == 1


def test_the_address_of_somebody_who_has_joined_is_not_changed_here(actor, admin, invitation):
    accept(invitation)

    with pytest.raises(StateForbids):
        change_invited_address(
            actor=actor, organization=admin.organization, member=invitation.member, email="new@a.example"
        )


# Once


@pytest.mark.django_db(transaction=True)
def test_fifty_uses_of_one_link_at_the_same_moment_make_one_account(race):
    invitation = InvitationFactory()
    token = invitation_token(invitation)

    def use(password):
        found, _newest = read_invitation_token(token)
        return accept(found, password)

    outcomes = race(*[partial(use, password) for password in PASSWORDS])

    joined = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Member)]
    assert len(joined) == 1
    refused = [outcome for outcome in outcomes if isinstance(outcome, InvitationClosed)]
    assert [refusal.reason for refusal in refused] == ["used"] * 49
    member = Member.objects.select_related("user").get(pk=invitation.member.pk)
    assert member.user.check_password(PASSWORDS[joined[0]])
    assert AuditEntry.objects.filter(action="member.joined").count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_each_of_them_would_have_joined(race, monkeypatch):
    """The control of the test above: it is the claim alone that makes a link work once."""
    invitation = InvitationFactory()
    monkeypatch.setattr(
        joining,
        "_claim",
        lambda invitation, state: Invitation.objects.filter(pk=invitation.pk).update(state=state),
    )
    # The state of the member is looked at too, under its lock: with the claim gone, that must not help here.
    monkeypatch.setattr(joining, "let_in", lambda **facts: None)

    outcomes = race(*[partial(accept, invitation, password) for password in PASSWORDS[:4]])

    assert sum(isinstance(outcome, Member) for outcome in outcomes) == 4


@pytest.mark.django_db(transaction=True)
def test_fifty_people_with_one_personal_link_make_one_member(race):
    invitation = InvitationFactory(
        member=None, organization=OrganizationFactory(), user=None, kind="personal", email="ines@home.example"
    )

    outcomes = race(
        *[
            partial(
                joining.join_with_new_account,
                actor=Actor.visitor(),
                invitation=invitation,
                skype_name=f"ines.number{number}",
                first_name="Inès",
                last_name="",
                password=PASSWORDS[number],
            )
            for number in range(12)
        ]
    )

    assert sum(isinstance(outcome, Member) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvitationClosed) for outcome in outcomes) == 11
    assert (Member.objects.count(), User.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["resend", "cancel", "move"])
def test_accepting_and_changing_at_the_same_moment_leave_one_order_and_no_live_old_link(race, change):
    for _round in range(6):
        invitation = InvitationFactory()
        organization, system = invitation.organization, Actor.system()
        changes = {
            "resend": partial(resend_invitations, actor=system, organization=organization, invitations=[invitation.pk]),
            "cancel": partial(cancel_invitations, actor=system, organization=organization, invitations=[invitation.pk]),
            "move": partial(
                change_invited_address,
                actor=system,
                organization=organization,
                member=invitation.member,
                email=f"moved{invitation.pk}@a.example",
            ),
        }

        accepted, changed = race(partial(accept, fresh(invitation)), changes[change])

        now = fresh(invitation)
        if isinstance(accepted, Member):
            assert (now.state, now.member.state) == ("accepted", "active")
            assert changed == 0 or isinstance(changed, (InvitationNotOpen, StateForbids)), changed
        else:
            assert isinstance(accepted, InvitationClosed), accepted
            assert now.member.state in ("invited", "left")
            assert not now.member.user.has_usable_password()
            with pytest.raises(InvitationClosed):
                accept(invitation)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "replaced"),
        ({"email": "moved@a.example"}, "expired"),
        ({"state": "canceled"}, "canceled"),
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "expired"),
    ],
)
def test_a_link_that_changed_after_it_was_read_accepts_nothing(invitation, change, reason):
    Invitation.objects.filter(pk=invitation.pk).update(**change)

    with pytest.raises(InvitationClosed) as refusal:
        accept(invitation)

    assert refusal.value.reason == reason
    assert not User.objects.get(pk=invitation.member.user.pk).has_usable_password()


def test_accepting_locks_the_account_before_it_writes(invitation):
    with CaptureQueriesContext(connection) as captured:
        accept(invitation)

    statements = [query["sql"] for query in captured]
    [lock, *_others] = [place for place, sql in enumerate(statements) if "FOR NO KEY UPDATE OF" in sql]
    [write, *_others] = [place for place, sql in enumerate(statements) if sql.startswith("UPDATE")]
    assert lock < write
    assert statements[write].startswith('UPDATE "members_invitation"')
    assert "CLOCK_TIMESTAMP()" in statements[write]


def test_taking_back_locks_the_accounts_before_it_writes(actor, admin, invitation, locks_before_writes):
    with locks_before_writes():
        cancel_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    invitation.refresh_from_db()
    assert invitation.state == "canceled"


def test_the_clock_of_the_database_decides_whether_a_link_is_too_old(invitation, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=30))

    assert accept(invitation).state == "active", "the clock of this machine is a month ahead"


# Personal accounts


def test_people_are_invited_by_address_and_by_skype_name(actor, admin):
    ines = UserFactory(skype_name="ines.moreau", email="ines@home.example")
    department = DepartmentFactory(organization=admin.organization)

    invitations = invite_personal(
        actor=actor,
        organization=admin.organization,
        people=["anna@home.example", "INES.Moreau", "Anna@home.example"],
        key=uuid4(),
        department=department,
    )

    assert [(i.kind, i.email, i.user, i.department) for i in invitations] == [
        ("personal", "anna@home.example", None, department),
        ("personal", "ines@home.example", ines, department),
    ]
    assert Letter.objects.filter(kind="invitation", state="waiting").count() == 2
    assert AuditEntry.objects.filter(action="invitation.sent").count() == 2
    assert Member.objects.count() == 1


def test_everything_that_stands_in_the_way_is_named_and_nobody_is_invited(actor, admin):
    organization = admin.organization
    MemberFactory(organization=organization, email="here@a.example")
    member = MemberFactory(organization=organization, personal=True, user__skype_name="camille.rousseau")
    invited = InvitationFactory(member=MemberFactory(organization=organization, invited=True))
    business = MemberFactory(user__skype_name="somebody.elses")

    with pytest.raises(CannotInvite) as refusal:
        invite_personal(
            actor=actor,
            organization=organization,
            people=[
                "HERE@a.example",
                member.user.skype_name,
                invited.email,
                "nobody.here",
                business.user.skype_name,
                "not@complete",
                "fine@home.example",
            ],
            key=uuid4(),
        )

    text = str(refusal.value)
    assert "HERE@a.example is already a member." in text
    assert "camille.rousseau is already a member." in text
    assert f"{invited.email} is already invited." in text
    assert "There is no personal account with the Skype Name nobody.here." in text
    assert "There is no personal account with the Skype Name somebody.elses." in text
    assert "not@complete: Not a complete e-mail address" in text
    assert Invitation.objects.count() == 1


def test_whoever_holds_the_link_of_somebody_elses_account_joins_with_no_account(admin):
    ines = UserFactory(skype_name="ines.moreau")
    invitation = InvitationFactory(
        member=None, organization=admin.organization, user=ines, kind="personal", email=ines.email
    )

    with pytest.raises(MeantForAnother):
        joining.accept_personal_invitation(actor=Actor.of_person(UserFactory()), invitation=invitation)
    with pytest.raises(MeantForAnother):
        joining.join_with_new_account(
            actor=Actor.visitor(),
            invitation=invitation,
            skype_name="somebody.else",
            first_name="",
            last_name="",
            password=PASSWORDS[0],
        )
    with pytest.raises(NotAPersonalAccount):
        joining.accept_personal_invitation(actor=Actor.of_member(MemberFactory()), invitation=invitation)
    assert fresh(invitation).state == "pending"


def test_an_organization_of_business_accounts_invites_nobody(actor, admin):
    admin.organization.allow_personal_accounts = False
    admin.organization.save()

    with pytest.raises(PersonalAccountsRefused):
        invite_personal(actor=actor, organization=admin.organization, people=["anna@home.example"], key=uuid4())


@pytest.mark.django_db(transaction=True)
def test_one_person_invited_twice_at_the_same_moment_is_invited_once(race):
    admin = MemberFactory(admin=True)
    invite = partial(
        invite_personal,
        actor=Actor.of_member(admin),
        organization=admin.organization,
        people=["anna@home.example"],
    )

    outcomes = race(partial(invite, key=uuid4()), partial(invite, key=uuid4()))

    assert sum(isinstance(outcome, CannotInvite) for outcome in outcomes) == 1
    assert Invitation.objects.count() == 1
