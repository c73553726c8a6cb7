"""A file of new addresses confirmed while somebody else gives it up, or while one of those in it answers."""

from functools import partial
from uuid import uuid4

import pytest

from members.access import Actor
from members.errors import BatchNotOpen, InvitationClosed, InvitationsChanged
from members.models import AuditEntry, Batch, Invitation
from members.services.addresses import change_addresses, discard_addresses, review_addresses
from members.services.joining import accept_business_invitation
from members.tokens import invitation_token, read_invitation_token
from tests.factories import PASSWORD, InvitationFactory

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = r'^SELECT .*"members_batchrow"\."outcome"'
CLOSED = r'^UPDATE "members_invitation" SET "state"'
MOVED = r'^UPDATE "members_invitation" SET "email"'


@pytest.fixture
def invitation():
    return InvitationFactory()


def drafted(invitation):
    content = f"{invitation.email},moved@a.example\n".encode()
    organization = invitation.organization
    return review_addresses(
        actor=Actor.system(), organization=organization, content=content, file_name="a.csv", key=uuid4()
    )


def ending(verb, draft):
    return partial(verb, actor=Actor.system(), organization=draft.organization, batch=draft)


def accepting(invitation):
    found, _newest = read_invitation_token(invitation_token(invitation))
    return partial(
        accept_business_invitation,
        actor=Actor.visitor(),
        invitation=found,
        first_name="Ines",
        last_name="Even",
        password=PASSWORD,
    )


def test_addresses_that_are_changed_are_not_given_up(invitation, meanwhile):
    draft = drafted(invitation)

    held = meanwhile(ending(change_addresses, draft), ending(discard_addresses, draft), at=ROWS)

    assert held.waited
    assert [type(one) for one in held[:2]] == [Batch, BatchNotOpen]
    assert Invitation.objects.get().email == "moved@a.example"


def test_control_without_the_lock_addresses_that_were_given_up_are_changed(invitation, meanwhile):
    draft = drafted(invitation)

    held = meanwhile(ending(change_addresses, draft), ending(discard_addresses, draft), at=ROWS, unlocked=True)

    assert [type(one) for one in held[:2]] == [Batch, type(None)]
    assert Invitation.objects.get().email == "moved@a.example"


def test_whoever_accepts_while_addresses_are_changed_finds_a_dead_link(invitation, meanwhile):
    accept, draft = accepting(invitation), drafted(invitation)

    held = meanwhile(ending(change_addresses, draft), accept, at=MOVED)

    assert held.waited
    assert [type(one) for one in held[:2]] == [Batch, InvitationClosed]
    assert Invitation.objects.get().state == "pending"


def test_addresses_are_not_changed_when_somebody_accepts_before_they_are_locked(invitation, meanwhile):
    accept, draft = accepting(invitation), drafted(invitation)

    held = meanwhile(accept, ending(change_addresses, draft), at=CLOSED)

    assert held.waited
    assert isinstance(held.second, InvitationsChanged)
    assert Invitation.objects.get().email == invitation.email
    assert not AuditEntry.objects.filter(action="address.changed").exists()


def test_two_who_confirm_one_file_at_once_change_it_once(invitation, race):
    draft = drafted(invitation)

    race(*[ending(change_addresses, draft)] * 4)

    assert AuditEntry.objects.filter(action="address.changed").count() == 1
    assert Invitation.objects.get().version == 2
