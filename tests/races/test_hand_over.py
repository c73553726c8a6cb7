"""An account that is handed over while somebody uses, finishes or hands it over: one order wins, nobody shares it."""

from functools import partial
from uuid import uuid4

import pytest
from django.test import Client

from members.access import Actor
from members.errors import AddressTaken, InvitationClosed, LastAdministrator, SessionOver, StateForbids
from members.models import AuditEntry, Invitation, Member, Tenure, User
from members.services import joining
from members.services.hand_over import hand_over
from members.services.predecessors import erase_predecessor
from members.services.profile import change_profile
from members.tokens import invitation_token, read_invitation_token
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory
from tests.members.signing_in import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()


def given(member: Member, email: str = "bert@people.example") -> partial:
    return partial(
        hand_over,
        actor=SYSTEM,
        organization=member.organization,
        member=member,
        email=email,
        first_name="Bert",
        last_name="Lind",
        key=uuid4(),
    )


def has_one_person(member: Member) -> bool:
    user = User.objects.get(pk=member.user_id)
    opened = Tenure.objects.filter(member=member, ended_at=None)
    return opened.count() == 1 and opened.get().started_at == (user.handed_over_at or member.created_at)


def test_an_account_handed_over_to_two_at_once_is_one_persons(race, rounds):
    for _round in range(rounds):
        member = MemberFactory()

        outcomes = race(given(member, f"one{member.pk}@a.example"), given(member, f"two{member.pk}@a.example"))

        assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, Exception)) == [StateForbids]
        assert Invitation.objects.filter(member=member, state="pending").count() == 1
        assert has_one_person(member)


def test_the_same_hand_over_arriving_twice_at_once_is_one(race, rounds):
    for _round in range(rounds):
        member = MemberFactory()
        again = given(member, f"one{member.pk}@a.example")

        assert race(again, again) == [member, member]
        assert Tenure.objects.filter(member=member).count() == 2


def test_control_without_the_lock_an_account_is_two_peoples_in_the_database_alone(race, unguarded):
    member = MemberFactory()

    outcomes = race(*unguarded(given(member, "one@a.example"), given(member, "two@a.example")))

    # What is left to refuse the second is the constraint on open tenures, which says nothing about the reason.
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [AddressTaken]
    assert Tenure.objects.filter(member=member, ended_at=None).count() == 1


def test_two_people_who_get_accounts_at_one_address_are_one(race, rounds):
    for number in range(rounds):
        one = MemberFactory()
        other = MemberFactory(organization=one.organization)

        outcomes = race(given(one, f"same{number}@a.example"), given(other, f"same{number}@a.example"))

        assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [AddressTaken]
        assert Member.objects.filter(email=f"same{number}@a.example").count() == 1


def test_of_two_last_administrators_one_is_handed_over(race, rounds):
    for number in range(rounds):
        organization = OrganizationFactory()
        pair = [MemberFactory(organization=organization, admin=True) for _ in range(2)]

        outcomes = race(*(given(member, f"new{number}.{member.pk}@a.example") for member in pair))

        assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [LastAdministrator]
        assert Member.objects.of(organization).administrators().count() == 1


def test_an_invitation_accepted_while_its_account_is_handed_over_is_one_or_both_in_one_order(race, rounds):
    for number in range(rounds):
        invitation, _newest = read_invitation_token(invitation_token(InvitationFactory()))
        accept = partial(
            joining.accept_business_invitation,
            actor=Actor.visitor(),
            invitation=invitation,
            first_name="Anna",
            last_name="Berg",
            password=PASSWORD,
        )

        accepted, handed = race(accept, given(invitation.member, f"new{number}@a.example"))

        assert isinstance(accepted, Member)
        member = Member.objects.select_related("user").get(pk=invitation.member.pk)
        if isinstance(handed, StateForbids):
            assert (member.state, member.user.first_name) == ("active", "Anna")
        else:
            assert (member.state, member.user.first_name) == ("invited", "Bert")
            assert not member.user.has_usable_password()
            with pytest.raises(InvitationClosed):
                accept()


def test_whoever_changes_their_profile_while_the_account_is_handed_over_changes_nobody_elses(race, rounds):
    for number in range(rounds):
        member, client = MemberFactory(), Client()
        sign_in(client, member.user)
        actor = Actor.of_person(member.user, session=client.session.session_key)
        rename = partial(change_profile, actor=actor, first_name="Anna", last_name="Berg", language="fr")

        renamed, _handed = race(rename, given(member, f"new{number}@a.example"))

        user = User.objects.get(pk=member.user_id)
        assert (user.full_name, user.language) == ("Bert Lind", "")
        [before] = Member.objects.get(pk=member.pk).predecessors
        assert before.first_name == (member.user.first_name if isinstance(renamed, SessionOver) else "Anna")


def test_control_of_a_session_that_is_not_looked_at_the_new_person_has_the_name_of_the_old(meanwhile):
    member = MemberFactory()
    rename = partial(change_profile, actor=Actor.of_person(member.user), first_name="Anna", last_name="", language="")

    meanwhile(given(member), rename, at=r'^UPDATE "members_user" SET "password"')

    assert User.objects.get(pk=member.user_id).first_name == "Anna"


def test_whoever_signs_in_while_the_account_is_handed_over_is_signed_out(race, rounds):
    for number in range(rounds):
        member, client = MemberFactory(), Client()

        race(partial(sign_in, client, member.user), given(member, f"new{number}@a.example"))

        assert client.get("/me/").status_code == 302
        assert has_one_person(member)


def test_a_predecessor_erased_by_two_at_once_is_erased_once(race, rounds):
    for number in range(rounds):
        member = given(MemberFactory(), f"new{number}@a.example")()
        [tenure] = Member.objects.get(pk=member.pk).predecessors
        erase = partial(erase_predecessor, actor=SYSTEM, organization=member.organization, tenure=tenure)

        assert race(erase, erase) == [None, None]
        assert AuditEntry.objects.filter(action="predecessor.erased", subject_id=tenure.pk).count() == 1
