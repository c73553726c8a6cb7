"""An invitation answered and changed at the same moment: one order wins, and no dead link opens anything.

The link is what was read before anybody acted; business accounts are finished by it, personal ones taken in.
"""

from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError

from members.access import Actor
from members.errors import (
    AlreadyMember,
    InvitationClosed,
    InvitationNotOpen,
    SetupClosed,
    SkypeNameTaken,
    SlugTaken,
    StateForbids,
)
from members.models import AuditEntry, Invitation, Member, Organization
from members.services import joining
from members.services.invitations import (
    cancel_invitations,
    change_invited_address,
    change_personal_address,
    resend_invitations,
)
from members.services.organizations import Company, Founder, create_organization, set_up_organization
from members.services.profile import change_address
from members.tokens import invitation_token, read_invitation_token
from skypemgr.invariants import find_violations
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
CLOSED = r'^UPDATE "members_invitation" SET "state"'


def business() -> tuple[Invitation, partial]:
    invitation = read(InvitationFactory())
    accept = partial(
        joining.accept_business_invitation,
        actor=Actor.visitor(),
        invitation=invitation,
        first_name="Ines",
        last_name="Even",
        password=PASSWORD,
    )
    return invitation, accept


def personal(organization: Organization | None = None) -> tuple[Invitation, partial]:
    person = UserFactory()
    invitation = read(
        InvitationFactory(
            member=None,
            organization=organization or OrganizationFactory(),
            kind="personal",
            user=person,
            email=person.email,
        )
    )
    return invitation, partial(joining.accept_personal_invitation, actor=Actor.of_person(person), invitation=invitation)


def read(invitation: Invitation) -> Invitation:
    found, newest = read_invitation_token(invitation_token(invitation))
    assert newest
    return found


def resent(invitation: Invitation) -> partial:
    return partial(resend_invitations, actor=SYSTEM, organization=invitation.organization, invitations=[invitation.pk])


def revoked(invitation: Invitation) -> partial:
    return partial(cancel_invitations, actor=SYSTEM, organization=invitation.organization, invitations=[invitation.pk])


def moved(invitation: Invitation) -> partial:
    if invitation.user is None:
        return partial(
            change_personal_address,
            actor=SYSTEM,
            organization=invitation.organization,
            invitation=invitation,
            email=f"moved{invitation.pk}@home.example",
        )
    if invitation.member is None:
        return partial(
            change_address,
            actor=Actor.of_person(invitation.user),
            password=PASSWORD,
            email=f"moved{invitation.pk}@home.example",
        )
    return partial(
        change_invited_address,
        actor=SYSTEM,
        organization=invitation.organization,
        member=invitation.member,
        email=f"moved{invitation.pk}@a.example",
    )


def stranger() -> tuple[Invitation, partial]:
    """Somebody of whom only an address is known."""
    organization = OrganizationFactory()
    address = f"stranger{organization.pk}@home.example"
    invitation = read(
        InvitationFactory(member=None, organization=organization, kind="personal", user=None, email=address)
    )
    person = Actor.of_person(UserFactory())
    return invitation, partial(joining.accept_personal_invitation, actor=person, invitation=invitation)


KINDS: dict[str, Callable[[], tuple[Invitation, partial]]] = {
    "business": business,
    "personal": personal,
    "stranger": stranger,
}
CHANGES: dict[str, Callable[[Invitation], partial]] = {"resent": resent, "revoked": revoked, "moved": moved}


def entries(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def contradictions() -> list[str]:
    return [found.message for found in find_violations() if "invitation" in found.invariant + found.message]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_accepted_while_it_is_changed_leaves_one_order_and_no_live_old_link(kind, change, race, rounds):
    for _round in range(rounds):
        invitation, accept = KINDS[kind]()

        accepted, changed = race(accept, CHANGES[change](invitation))

        now = Invitation.objects.select_related("member__user").get(pk=invitation.pk)
        if isinstance(accepted, Member):
            assert (now.state, now.member.state) == ("accepted", "active")
            assert changed == 0 or isinstance(changed, InvitationNotOpen | StateForbids) or kind == "personal", changed
        else:
            assert isinstance(accepted, InvitationClosed), accepted
            assert not isinstance(changed, Exception), changed
            assert now.state == ("canceled" if change == "revoked" else "pending")
            assert (
                not Member.objects.filter(state="active")
                .exclude(joined_at=None)
                .filter(invitations=invitation.pk)
                .exists()
            )
        with pytest.raises(InvitationClosed):
            accept()
    assert contradictions() == []


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_control_without_the_condition_a_link_that_died_meanwhile_still_opens(kind, change, monkeypatch):
    """What a link must be is asked by the statement that closes it: asked before, it would have been true."""
    invitation, accept = KINDS[kind]()

    def close_whatever_it_is(invitation, state):
        Invitation.objects.filter(pk=invitation.pk).update(state=state)

    monkeypatch.setattr(joining, "_claim", close_whatever_it_is)
    CHANGES[change](invitation)()

    if kind == "business" and change == "revoked":
        # The state of the member is a guard of its own.
        with pytest.raises(InvitationClosed):
            accept()
    else:
        assert isinstance(accept(), Member)


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_changes_an_invitation_waits_for_whoever_accepts_it(change, meanwhile):
    invitation, accept = business()

    held = meanwhile(accept, CHANGES[change](invitation), at=CLOSED)

    assert held.waited
    assert isinstance(held.first, Member)
    assert held.second == 0 or isinstance(held.second, InvitationNotOpen | StateForbids)


@pytest.mark.parametrize("change", CHANGES)
def test_control_without_the_locks_an_accepted_invitation_is_changed(change, meanwhile):
    invitation, accept = business()

    held = meanwhile(accept, CHANGES[change](invitation), at=CLOSED, unlocked=True)

    # Told that it was done, to an account that somebody has just finished; or the two waited for each other, and
    # the database ended either.
    deadlock = any(isinstance(outcome, OperationalError) for outcome in (held.first, held.second))
    assert deadlock or (isinstance(held.first, Member) and held.second in (1, None))


def test_declined_and_accepted_at_once_is_one_of_both(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        invitation, accept = personal(organization)
        decline = partial(joining.decline_invitation, actor=Actor.of_person(invitation.user), invitation=invitation)

        outcomes = race(accept, decline)

        assert sum(isinstance(outcome, InvitationClosed) for outcome in outcomes) == 1
    assert entries("member.joined") + entries("invitation.declined") == rounds


def test_control_without_the_condition_an_invitation_is_declined_and_accepted(race, unguarded):
    invitation, accept = personal()
    decline = partial(joining.decline_invitation, actor=Actor.of_person(invitation.user), invitation=invitation)

    accepted, declined = race(
        *unguarded(accept, decline, predicate='"members_invitation"."state" = %s', always="%s <> ''")
    )

    assert (type(accepted), declined) == (Member, None)
    assert entries("member.joined") == entries("invitation.declined") == 1


def test_resent_by_two_at_once_is_resent_twice_and_the_last_link_lives(race, rounds):
    for _round in range(rounds):
        invitation, _accept = business()

        assert race(resent(invitation), resent(invitation)) == [1, 1]

        now = Invitation.objects.get(pk=invitation.pk)
        assert now.version == 3
        assert now.letters.filter(state="waiting").count() == 1


def test_resent_while_it_is_revoked_is_open_again_or_canceled_whole(race, rounds):
    for _round in range(rounds):
        invitation, _accept = business()

        sent, canceled = race(resent(invitation), revoked(invitation))

        # One that was taken back while somebody waited to send it again is left alone.
        assert (sent, canceled) in ((1, 1), (0, 1)), (sent, canceled)
        now = Invitation.objects.select_related("member__user").get(pk=invitation.pk)
        together = (now.state, now.member.state, now.member.user.is_active)
        assert together in {("pending", "invited", True), ("canceled", "left", False)}


# Set-up


def company(slug: str) -> Company:
    return Company(name="Architectes", slug=slug, country="FR", currency="EUR", time_zone="Europe/Paris", language="fr")


def founder(name: str) -> Founder:
    return Founder(skype_name=name, email=f"{name}@a.example", first_name="Camille", last_name="Rousseau")


def setting_up(slug: str, name: str, key=None) -> partial:
    return partial(
        set_up_organization, actor=Actor.visitor(), company=company(slug), founder=founder(name), key=key or uuid4()
    )


ADVISORY = r"pg_advisory_xact_lock\(hashtext\('[\w.]+'\)\)"


def test_an_organization_set_up_twice_by_one_form_is_set_up_once(race, rounds):
    for number in range(rounds):
        once = setting_up(f"one-{number}", f"admin.number{number}", uuid4())

        one, other = race(once, once)

        assert (one, Organization.objects.count()) == (other, number + 1)


def test_of_two_first_set_ups_at_once_the_second_waits_and_is_refused(meanwhile, settings):
    settings.SETUP = "first"

    held = meanwhile(
        setting_up("one", "one.admin"), setting_up("other", "other.admin"), at='^INSERT INTO "members_organization"'
    )

    assert held.waited
    assert (type(held.first), type(held.second)) == (Member, SetupClosed)


def test_control_without_the_lock_both_first_set_ups_go_through(race, unguarded, settings):
    settings.SETUP = "first"

    calls = unguarded(
        setting_up("one", "one.admin"),
        setting_up("other", "other.admin"),
        without=ADVISORY,
        instead="1",
        before='INSERT INTO "members_organization"',
    )

    assert [type(outcome) for outcome in race(*calls)] == [Member, Member]
    assert Organization.objects.count() == 2


@pytest.mark.parametrize(
    ("slugs", "names", "refusal"),
    [
        (("same", "same"), ("one.admin", "other.admin"), SlugTaken),
        (("one", "other"), ("same.admin", "same.admin"), SkypeNameTaken),
    ],
)
def test_what_a_set_up_and_an_operator_want_at_once_one_of_them_gets(slugs, names, refusal, race):
    """The operator's way has no lock in common with the page: the database decides, and both are told in words."""
    create = partial(create_organization, actor=SYSTEM, company=company(slugs[1]), founder=founder(names[1]))

    outcomes = race(setting_up(slugs[0], names[0]), create)

    assert {type(outcome) for outcome in outcomes} == {Member, refusal}


def test_what_the_operator_wants_is_refused_in_words_when_the_database_has_decided(meanwhile):
    create = partial(create_organization, actor=SYSTEM, company=company("same"), founder=founder("one.admin"))

    held = meanwhile(setting_up("same", "other.admin"), create, at='^INSERT INTO "members_organization"')

    assert held.waited
    assert (type(held.first), type(held.second)) == (Member, SlugTaken)
    assert not isinstance(held.second, IntegrityError)


def test_somebody_taken_in_by_two_links_at_once_is_a_member_once(race, rounds):
    for _round in range(rounds):
        organization = MemberFactory(admin=True).organization
        invitation, accept = personal(organization)
        other = InvitationFactory(
            member=None, organization=organization, kind="personal", user=None, email=f"o{invitation.pk}@home.example"
        )
        again = partial(
            joining.accept_personal_invitation, actor=Actor.of_person(invitation.user), invitation=read(other)
        )

        outcomes = race(accept, again)

        assert {type(outcome) for outcome in outcomes} == {Member, AlreadyMember}
