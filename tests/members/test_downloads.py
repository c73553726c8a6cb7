"""A file that is made while it is sent ends with the rights of whoever asked for it."""

from collections.abc import Callable, Iterator

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from members.access import Actor
from members.downloads import AccessEnded
from members.models import Member
from members.services.demo import seed_demo
from members.services.members import assign_role, block_members
from members.services.sessions import end_other_sessions
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db

# More than one chunk of a file.
MEMBERS = 1_100


@pytest.fixture
def manager() -> Member:
    organization = seed_demo(actor=Actor.system(), members=MEMBERS)
    return MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER)


def begin(client: Client, manager: Member) -> tuple[bytes, Iterator[bytes]]:
    """The first piece of a file, which was sent, and those that follow."""
    client.force_login(manager.user)
    response = client.get(reverse("members:member_export", args=[manager.organization.slug]))
    assert isinstance(response, StreamingHttpResponse)
    pieces = iter(response)
    return next(pieces), pieces


def block(manager: Member) -> None:
    members = Member.objects.filter(pk=manager.pk)
    assert block_members(actor=Actor.system(), organization=manager.organization, members=members) == 1


def demote(manager: Member) -> None:
    assign_role(actor=Actor.system(), organization=manager.organization, member=manager, role=Member.Role.MEMBER)


def sign_out_elsewhere(manager: Member) -> None:
    assert end_other_sessions(actor=Actor.of_member(manager), keep="") == 1


def choose_password(manager: Member) -> None:
    manager.user.set_password("nine calm otters row home")
    manager.user.save()


@pytest.mark.parametrize("end", [block, demote, sign_out_elsewhere, choose_password])
def test_a_file_breaks_off_when_its_reader_may_not_have_the_rest(
    client: Client, manager: Member, end: Callable[[Member], None], caplog: pytest.LogCaptureFixture
) -> None:
    _first, pieces = begin(client, manager)

    end(manager)

    with pytest.raises(AccessEnded):
        list(pieces)
    assert "A download was broken off" in caplog.text


def test_a_file_is_whole_for_whoever_may_have_it(client: Client, manager: Member) -> None:
    first, pieces = begin(client, manager)

    assert b"".join([first, *pieces]).count(b"\n") == 1 + MEMBERS + 1
