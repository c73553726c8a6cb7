"""Manage invites: how far each invitation has come, what to do next, and the same for many at once."""

import csv
from datetime import timedelta
from functools import partial
from io import StringIO
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.errors import AddressOfAccount, AddressTaken, InvitationClosed, InvitationNotOpen
from members.models import AuditEntry, Batch, Invitation, Letter, Member
from members.selectors.invitations import list_invitations
from members.services import joining
from members.services.invitations import change_personal_address, invite_personal, resend_invitations
from members.services.run_work import advance_run
from members.services.runs import start_run
from members.tokens import invitation_token
from skypemgr.invariants import find_violations
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

UNANSWERED = ("pending", "opened", "bounced", "expired")


@pytest.fixture
def admin():
    return MemberFactory(admin=True, organization__name="Architectes", organization__slug="architectes")


@pytest.fixture
def actor(admin):
    return Actor.of_member(admin)


@pytest.fixture
def console(client, admin):
    client.force_login(admin.user)
    return client


def business(admin, **facts):
    return InvitationFactory(member=MemberFactory(organization=admin.organization, invited=True), **facts)


def personal(admin, person="ines@home.example"):
    actor = Actor.of_member(admin)
    [invited] = invite_personal(actor=actor, organization=admin.organization, people=[person], key=uuid4())
    return Invitation.objects.select_related("organization").get(pk=invited.pk)


def letter(invitation, **facts):
    return Letter.objects.create(
        organization=invitation.organization,
        kind="invitation",
        invitation=invitation,
        email=invitation.email,
        closed_at=timezone.now(),
        **facts,
    )


def url(name="invitation_list", *args):
    return reverse(f"members:{name}", args=["architectes", *args])


def link(invitation):
    return f"/join/{invitation_token(Invitation.objects.get(pk=invitation.pk))}/"


def tabs_of(invitation):
    found = partial(list_invitations, invitation.organization)
    return [state for state in (*UNANSWERED, "replied") if found(state=state).filter(pk=invitation.pk).exists()]


def yesterday():
    return timezone.now() - timedelta(days=1)


# How far it has come


def test_an_invitation_nobody_has_answered_stands_in_one_tab(admin):
    waiting, opened, expired = business(admin), business(admin, opened_at=yesterday()), business(admin)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=yesterday(), opened_at=yesterday())
    bounced = business(admin, expires_at=yesterday())
    letter(bounced, state="failed", last_error="550")

    assert [tabs_of(one) for one in (waiting, opened, bounced, expired)] == [[state] for state in UNANSWERED]


def test_a_newer_letter_takes_an_invitation_out_of_the_bounced(admin, actor):
    invitation = business(admin)
    letter(invitation, state="failed", last_error="550")
    assert tabs_of(invitation) == ["bounced"]

    resend_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    assert tabs_of(invitation) == ["pending"]


def test_the_bounced_of_another_organization_are_not_shown(admin):
    letter(InvitationFactory(), state="failed", last_error="550")

    assert not list_invitations(admin.organization, state="bounced").exists()


def test_the_page_of_a_link_counts_as_opened_once_it_was_shown(client, admin):
    invitation = business(admin)
    client.head(link(invitation))
    assert tabs_of(invitation) == ["pending"]

    client.get(link(invitation))
    first = Invitation.objects.get(pk=invitation.pk).opened_at
    client.get(link(invitation))

    assert tabs_of(invitation) == ["opened"]
    assert Invitation.objects.get(pk=invitation.pk).opened_at == first


def test_a_link_that_died_or_belongs_to_somebody_else_opens_nothing(client, console, admin, actor):
    invitation = business(admin)
    console.get(link(invitation))
    assert tabs_of(invitation) == ["pending"], "the inviter looked"

    client.logout()
    old = link(invitation)
    resend_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])
    client.get(old)
    assert tabs_of(invitation) == ["pending"]


def test_a_link_replaced_while_its_page_is_made_is_not_noted_as_opened(admin, actor):
    invitation = business(admin)
    read = Invitation.objects.get(pk=invitation.pk)
    resend_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    joining.note_opened(actor=Actor.visitor(), invitation=read)

    assert tabs_of(invitation) == ["pending"]


def test_a_new_letter_has_not_been_opened(client, admin, actor):
    invitation = business(admin)
    client.get(link(invitation))

    resend_invitations(actor=actor, organization=admin.organization, invitations=[invitation.pk])

    assert tabs_of(invitation) == ["pending"]


@pytest.mark.parametrize(
    ("state", "facts", "sentence"),
    [
        ("pending", {}, "Wait for an answer, or send it again."),
        ("opened", {"opened_at": timezone.now()}, "Ask them whether something is missing."),
        ("expired", {"expires_at": timezone.now() - timedelta(days=1)}, "Send it again, or take it back."),
        ("replied", {"reply": "new_link"}, "Send it again: they asked for a new link."),
        ("replied", {"reply": "not_me"}, "Change the address, or take it back."),
    ],
)
def test_each_row_says_what_to_do_next(console, admin, state, facts, sentence):
    letter(business(admin, **facts), state="sent")

    assert sentence in console.get(url(), {"state": state}).text


def test_what_bounced_says_to_check_the_address(console, admin):
    letter(business(admin), state="failed", last_error="550")
    page = console.get(url(), {"state": "bounced"})

    assert "Check the address and change it." in page.text
    assert "The letter was not delivered." in page.text


def test_the_tabs_tell_how_many_and_a_search_stays_in_their_addresses(console, admin):
    business(admin)
    business(admin, opened_at=timezone.now())

    page = console.get(url(), {"q": "zzz"})

    numbers = {str(tab["label"]): tab["total"].number for tab in page.context["tabs"] if tab["total"]}
    assert numbers == {"Waiting": 1, "Opened": 1, "Bounced": 0, "Expired": 0, "With a question": 0}
    assert all("q=zzz" in tab["url"] for tab in page.context["tabs"])


def test_the_list_is_a_file_of_what_it_shows(console, admin):
    shown = business(admin, opened_at=timezone.now())
    business(admin)
    UserFactory(skype_name="ines.moreau", email="secret@home.example")
    personal(admin, "ines.moreau")

    def rows(**query):
        answer = console.get(url("invitation_export"), query)
        return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))

    [row] = rows(state="opened")
    assert (row["E-mail"], row["State"], row["Next"]) == (
        shown.email,
        "Opened",
        "Ask them whether something is missing.",
    )
    assert row["Page opened"]
    by_name = next(row for row in rows() if row["Skype Name"] == "ines.moreau")
    assert by_name["E-mail"] == ""


# Another address for a personal account


def test_a_personal_invitation_goes_to_another_address_and_its_old_link_dies(console, client, admin):
    invitation = personal(admin)
    old = link(invitation)

    answer = console.post(url("invitation_address", invitation.pk), {"email": "ines@work.example"}, follow=True)

    assert "The invitation is on its way to ines@work.example." in answer.text
    assert AuditEntry.objects.filter(action="address.changed", subject_id=invitation.pk).count() == 1
    waiting = Letter.objects.filter(invitation=invitation, state="waiting")
    assert [one.email for one in waiting] == ["ines@work.example"]
    client.logout()
    assert client.get(old).status_code == 410
    assert client.get(link(invitation)).status_code == 200


def test_the_address_of_a_business_invitation_is_changed_on_the_page_of_its_member(console, admin):
    invitation = business(admin)

    answer = console.get(url("invitation_address", invitation.pk))

    assert answer.url == url("member_address", invitation.member.user.skype_name)


def test_whoever_was_invited_by_skype_name_keeps_the_address_of_their_account(console, admin, actor):
    UserFactory(skype_name="ines.moreau", email="secret@home.example")
    invitation = personal(admin, "ines.moreau")

    page = console.get(url("invitation_address", invitation.pk))
    assert "Only they change it." in page.text
    assert "secret@home.example" not in page.text
    with pytest.raises(AddressOfAccount):
        move(actor, invitation, "other@home.example")


@pytest.mark.parametrize("taken", ["member", "invited"])
def test_an_address_of_somebody_who_is_here_is_refused_and_nothing_moves(admin, actor, taken):
    invitation = personal(admin)
    if taken == "member":
        MemberFactory(organization=admin.organization, email="Taken@home.example")
    else:
        personal(admin, "taken@home.example")

    with pytest.raises(AddressTaken):
        move(actor, invitation, "taken@home.example")

    assert Invitation.objects.get(pk=invitation.pk).version == 1


def test_an_answered_invitation_and_one_of_another_organization_go_nowhere(admin, actor):
    answered, other = personal(admin), personal(MemberFactory(admin=True), "ove@home.example")
    joining.decline_invitation(actor=Actor.visitor(), invitation=answered)

    with pytest.raises(InvitationNotOpen):
        move(actor, answered, "new@home.example")
    with pytest.raises(PermissionDenied):
        move(actor, other, "new@home.example")
    with pytest.raises(PermissionDenied):
        move(actor, business(admin), "new@home.example")
    with pytest.raises(PermissionDenied):
        move(Actor.of_member(MemberFactory(organization=admin.organization)), answered, "new@home.example")


def move(actor, invitation, email):
    organization = actor.member.organization
    change_personal_address(actor=actor, organization=organization, invitation=invitation, email=email)


# Many


def test_ticked_invitations_are_shown_and_sent_again(console, admin):
    some = [business(admin), personal(admin), business(admin)]
    chosen = {"invitation": [some[0].pk, some[1].pk]}

    page = console.get(url("invitations_renew"), chosen)
    assert "2 of 2 invitations will be sent again." in page.text
    assert "ines@home.example" in page.text
    answer = console.post(url("invitations_renew"), {**chosen, "count": "2"}, follow=True)

    assert "2 invitations are on their way." in answer.text
    assert [Invitation.objects.get(pk=one.pk).version for one in some] == [2, 2, 1]


def test_all_that_match_a_tab_are_taken_back(console, admin):
    late = [business(admin, expires_at=yesterday()) for _number in range(3)]
    waiting = business(admin)

    page = console.get(url("invitations_cancel"), {"all": "1", "state": "expired"})
    assert "3 of 3 invitations will be taken back." in page.text
    answer = console.post(url("invitations_cancel"), {"all": "1", "state": "expired", "count": "3"}, follow=True)

    assert "3 invitations are taken back." in answer.text
    assert set(Member.objects.filter(invitations__in=late).values_list("state", flat=True)) == {"left"}
    assert Invitation.objects.get(pk=waiting.pk).state == "pending"
    assert AuditEntry.objects.filter(action="invitation.canceled").count() == 3


@pytest.mark.parametrize("page", ["invitations_renew", "invitations_cancel"])
def test_when_others_match_than_were_shown_nothing_is_done_to_any(console, admin, page):
    shown, come = (business(admin, expires_at=yesterday()) for _number in range(2))

    answer = console.post(url(page), {"all": "1", "state": "expired", "count": "1"})

    assert answer.status_code == 200
    assert list(Invitation.objects.filter(pk__in=[shown.pk, come.pk]).values_list("state", "version")) == [
        ("pending", 1),
        ("pending", 1),
    ]


def test_what_was_answered_and_who_has_a_higher_role_are_left_alone(client, admin):
    manager = MemberFactory(organization=admin.organization, role="members_manager")
    above = InvitationFactory(member=MemberFactory(organization=admin.organization, invited=True, admin=True))
    answered, waiting = business(admin, state="declined"), business(admin)
    client.force_login(manager.user)
    chosen = {"invitation": [above.pk, answered.pk, waiting.pk]}

    page = client.get(url("invitations_cancel"), chosen)
    assert "1 of 3 invitations will be taken back." in page.text
    assert "1 was answered or taken back." in page.text
    assert "1 has a role that is above yours." in page.text
    client.post(url("invitations_cancel"), {**chosen, "count": "3"})

    states = [Invitation.objects.get(pk=one.pk).state for one in (above, answered, waiting)]
    assert states == ["pending", "declined", "canceled"]


def test_invitations_of_others_and_nothing_at_all_are_not_chosen(console):
    foreign = InvitationFactory()

    for page in ("invitations_renew", "invitations_cancel"):
        answer = console.post(url(page), {"invitation": foreign.pk}, follow=True)
        assert "Nothing was chosen." in answer.text
    assert Invitation.objects.get(pk=foreign.pk).version == 1


@pytest.fixture
def soon_many(monkeypatch):
    monkeypatch.setattr("members.batches.AT_ONCE", 2)
    monkeypatch.setattr("members.batches.SLICE", 2)


def test_many_go_on_behind_the_pages_each_once(console, admin, actor, soon_many):
    some = [business(admin), business(admin), personal(admin), business(admin)]
    page = console.get(url("invitations_renew"), {"all": "1"})
    key = page.context["key"]
    sent = {"all": "1", "count": "4", "key": str(key)}

    first, again = console.post(url("invitations_renew"), sent), console.post(url("invitations_renew"), sent)
    batch = Batch.objects.get()
    Invitation.objects.filter(pk=some[0].pk).update(state="declined")
    advance_run(batch)
    advance_run(batch)

    assert first.url == again.url == url("run_detail", batch.pk)
    versions = [Invitation.objects.get(pk=one.pk).version for one in some]
    assert versions == [1, 2, 2, 2]
    shown = console.get(url("run_detail", batch.pk) + "?show=all").text
    assert "Was answered or taken back already" in shown
    assert "ines@home.example" in shown
    outcome = console.get(url("run_outcome", batch.pk)).getvalue().decode("utf-8-sig")
    assert len(outcome.splitlines()) == 5
    assert AuditEntry.objects.filter(action="invitation.resent").count() == 3
    assert [found.message for found in find_violations() if "many" in found.message] == []


def test_many_are_taken_back_behind_the_pages(admin, actor, soon_many):
    some = [business(admin), personal(admin), business(admin)]
    higher = InvitationFactory(member=MemberFactory(organization=admin.organization, invited=True, admin=True))
    manager = MemberFactory(organization=admin.organization, role="members_manager")
    batch = start_run(
        actor=Actor.of_member(manager),
        organization=admin.organization,
        kind=Batch.Kind.CANCEL_INVITATIONS,
        members=list_invitations(admin.organization, state="pending"),
        expected=4,
        key=uuid4(),
        facts={},
    )

    advance_run(batch)

    assert {Invitation.objects.get(pk=one.pk).state for one in some} == {"canceled"}
    assert Invitation.objects.get(pk=higher.pk).state == "pending"
    assert not Letter.objects.filter(invitation__in=some, state="waiting").exists()
    assert {one.member.user.is_active for one in Invitation.objects.filter(member__isnull=False, state="canceled")} == {
        False
    }


def test_a_run_over_invitations_stays_in_its_organization(admin, actor, soon_many):
    foreign = InvitationFactory()
    mine = business(admin)
    batch = start_run(
        actor=actor,
        organization=admin.organization,
        kind=Batch.Kind.RENEW_INVITATIONS,
        members=Invitation.objects.all(),
        expected=1,
        key=uuid4(),
        facts={},
    )

    advance_run(batch)

    assert [Invitation.objects.get(pk=one.pk).version for one in (foreign, mine)] == [1, 2]
    assert OrganizationFactory._meta.model.objects.count() == 2


# The policy


def test_where_personal_accounts_are_refused_a_link_explains_itself(client, admin):
    invitation = personal(admin)
    admin.organization.allow_personal_accounts = False
    admin.organization.save()
    client.force_login(UserFactory())

    answer = client.post(f"{link(invitation)}accept/", {})

    assert answer.status_code == 410
    assert "takes no accounts of people’s own now" in answer.text


def test_an_old_link_of_a_moved_invitation_accepts_nothing(admin, actor):
    invitation = personal(admin)
    move(actor, invitation, "ines@work.example")

    with pytest.raises(InvitationClosed):
        joining.accept_personal_invitation(actor=Actor.of_person(UserFactory()), invitation=invitation)
