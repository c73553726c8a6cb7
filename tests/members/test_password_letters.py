"""The letter by which an administrator lets somebody choose a new password."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string
from django.urls import reverse

from members.access import Actor
from members.errors import StateForbids, TheirOwnPassword, TooManyTries
from members.letter_texts import compose
from members.models import AuditEntry, Letter, Member
from members.services.accounts import request_password_reset
from members.services.members import send_password_letter
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme", name="Acme Docks")


@pytest.fixture
def boss(organization):
    return MemberFactory(organization=organization, admin=True)


@pytest.fixture
def ann(organization):
    return MemberFactory(organization=organization, user__skype_name="ann.berg")


def send(actor, member):
    send_password_letter(actor=Actor.of_member(actor), organization=member.organization, member=member)


def gone():
    """As if the letters that wait had left."""
    Letter.objects.filter(state=Letter.State.WAITING).update(state=Letter.State.SENT)


def test_the_letter_lets_the_person_choose_and_tells_nobody_else(client, boss, ann):
    client.force_login(boss.user)
    page = reverse("members:member_profile", args=["acme", "ann.berg"])

    response = client.post(reverse("members:member_password", args=["acme", "ann.berg"]), follow=True)

    assert f"A letter to choose a new password is on its way to {ann.email}." in response.text
    [letter] = Letter.objects.all()
    assert (letter.kind, letter.email, letter.member) == ("password_reset", ann.email, ann)
    said = compose(letter)
    text = render_to_string("mail/password_reset.txt", said.context)
    assert "An administrator of Acme Docks sends you this link" in text
    assert "It wasn’t you?" not in text
    [link] = re.findall(r"https?://[^/]+(/\S+)", text)
    assert link.split("/")[3] not in response.text
    assert "Waiting to be sent" in client.get(page).text
    Letter.objects.update(state=Letter.State.FAILED, last_error="550, refused")
    assert "The mail server refuses the address (550)." in client.get(page).text
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.subject_member, entry.after) == ("password.letter_sent", ann, {})


def test_the_password_stays_until_another_is_chosen_by_the_link(client, boss, ann):
    before = ann.user.password
    send(boss, ann)
    [link] = compose(Letter.objects.get()).context["links"]
    path = re.sub(r"^https?://[^/]+", "", link[1])

    assert Member.objects.get(pk=ann.pk).user.password == before
    client.post(client.get(path, follow=True).request["PATH_INFO"], {"password": "seven slow barges passing"})

    now = Member.objects.select_related("user").get(pk=ann.pk)
    assert now.user.check_password("seven slow barges passing")


def test_the_form_sent_twice_writes_one_letter(boss, ann):
    send(boss, ann)
    send(boss, ann)

    assert Letter.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_it_counts_with_what_the_person_asks_for_themselves(boss, ann):
    for _letter in range(2):
        request_password_reset(actor=Actor.visitor(address="192.0.2.1"), login=ann.email)
        gone()
    send(boss, ann)
    gone()

    with pytest.raises(TooManyTries):
        send(boss, ann)

    assert Letter.objects.count() == 3


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"personal": True}, TheirOwnPassword),
        ({"invited": True}, StateForbids),
        ({"state": "blocked", "user__is_active": False}, StateForbids),
        ({"state": "left", "user__is_active": False}, StateForbids),
    ],
)
def test_only_an_active_business_account_gets_one(organization, boss, facts, refusal):
    with pytest.raises(refusal):
        send(boss, MemberFactory(organization=organization, **facts))

    assert not Letter.objects.exists()


def test_nobody_sends_one_to_somebody_above_them(organization, boss):
    manager = MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER)

    with pytest.raises(PermissionDenied):
        send(manager, boss)

    assert not Letter.objects.exists()


@pytest.mark.parametrize("facts", [{"personal": True}, {"invited": True}, {"state": "blocked"}])
def test_where_there_is_nothing_to_send_there_is_no_button(client, organization, boss, facts):
    member = MemberFactory(organization=organization, **facts)
    client.force_login(boss.user)

    page = client.get(reverse("members:member_profile", args=["acme", member.user.skype_name])).text

    assert "Send a letter to choose a new password" not in page
