"""F31 to F33: the link of one invitation in many hands at once, over HTTP and on real processes."""

import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.test import override_settings

from members.access import Actor
from members.audit import Action, record
from members.models import AuditEntry, Invitation, Member, Organization, Throttle
from members.tokens import invitation_token
from skypemgr import settings as everywhere
from skypemgr.embedded.processes import wait_until
from skypemgr.invariants import find_violations
from tests.factories import PASSWORD, MemberFactory, OrganizationFactory
from tests.faults.people import ORGANIZATION, Browser
from tests.faults.stack import Stack

MEMBERS = f"/{ORGANIZATION}/members"
VISITORS = 50
# Most of it is the hashing of a password.
SECONDS_TO_ACCEPT = 0.3
USED, TAKEN_BACK, REPLACED, TOO_OLD = (
    "This invitation was already used",
    "This invitation was taken back",
    "There is a newer letter",
    "This link is too old",
)

type Answer = tuple[int, str, str]
type Ask = Callable[[], Answer]


@pytest.fixture(autouse=True)
def sound(stack: Stack) -> Iterator[None]:
    """Nobody is throttled for what an earlier test did, and what this one leaves behind contradicts nothing."""
    with stack.connected():
        Throttle.objects.all().delete()
    yield
    with stack.connected():
        assert [one.message for one in find_violations()] == []


def invite(stack: Stack, administrator: Browser, addresses: Sequence[str]) -> list[int]:
    """Members who are invited to business accounts, at ``addresses``."""
    fields = {"addresses": "\n".join(addresses), "key": str(uuid.uuid4())}
    _status, place, page = administrator.post(f"{MEMBERS}/add/", fields)
    assert place, page
    administrator.post(f"{place}create/", {"rows": "valid"})

    def found() -> list[int]:
        members = Member.objects.filter(email__in=addresses, state=Member.State.INVITED).order_by("pk")
        return list(members.values_list("pk", flat=True))

    with stack.connected():
        assert wait_until(lambda: len(found()) == len(addresses), seconds=30, step=0.1)
        return found()


def links(stack: Stack, member: int) -> tuple[Invitation, list[str]]:
    """The invitation of ``member`` as it is, and the path of every link that there has ever been to where it went."""
    with stack.connected():
        invitation = Invitation.objects.select_related("member__user").get(member=member)
        newest, paths = invitation.version, []
        for version in range(1, newest + 1):
            invitation.version = version
            paths.append(f"/join/{invitation_token(invitation)}/")
        invitation.version = newest
        return invitation, paths


def visitor(stack: Stack, path: str) -> Browser:
    """A browser in English that has the page of a link open."""
    browser = Browser(stack.url)
    browser.cookies["language"] = "en"
    assert browser.request("GET", path)[0] == 200
    return browser


def accept(browser: Browser, path: str, password: str = PASSWORD) -> Answer:
    return browser.post(f"{path}accept/", {"first_name": "Robin", "last_name": "Person", "password": password})


def at_once(*asks: Ask) -> list[Answer]:
    """The answers to requests that set off at the same moment."""
    barrier = threading.Barrier(len(asks))
    answers: list[Answer] = [(0, "", "")] * len(asks)

    def run(place: int, ask: Ask) -> None:
        barrier.wait(30)
        answers[place] = ask()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def heading(page: str) -> str:
    found = re.search(r"<h1[^>]*>\s*(.*?)\s*</h1>", page, re.DOTALL)
    return found.group(1) if found else ""


def test_fifty_who_accept_one_invitation_at_once_make_one_account(stack: Stack, administrator: Browser) -> None:
    """F31."""
    [member] = invite(stack, administrator, ["fifty@links.example"])
    _invitation, [path] = links(stack, member)
    browsers = [visitor(stack, path) for _number in range(VISITORS)]
    passwords = [f"{PASSWORD} {number}" for number in range(VISITORS)]

    answers = at_once(
        *[
            lambda browser=browser, password=password: accept(browser, path, password)
            for browser, password in zip(browsers, passwords, strict=True)
        ]
    )

    assert Counter(status for status, _place, _page in answers) == {302: 1, 410: VISITORS - 1}
    assert {heading(page) for status, _place, page in answers if status == 410} == {USED}
    [won] = [place for place, (status, _place, _page) in enumerate(answers) if status == 302]
    with stack.connected(), override_settings(PASSWORD_HASHERS=everywhere.PASSWORD_HASHERS):
        joined = Member.objects.select_related("user").get(pk=member)
        assert joined.state == Member.State.ACTIVE
        assert check_password(passwords[won], joined.user.password)
        assert AuditEntry.objects.filter(action="member.joined", subject_member=member).count() == 1
    # One of them is somebody, the others are nobody.
    assert [place for place, browser in enumerate(browsers) if browser.request("GET", "/me/")[0] == 200] == [won]


@dataclass(frozen=True)
class Change:
    """What an administrator does while the invitee accepts, and what the invitee reads when they come second."""

    ask: Callable[[Browser, Invitation], Answer]
    told: frozenset[str]


CHANGES = {
    "revoke": Change(
        lambda browser, invitation: browser.post(f"{MEMBERS}/invitations/{invitation.pk}/cancel/", {}),
        frozenset({TAKEN_BACK}),
    ),
    "resend": Change(
        lambda browser, invitation: browser.post(f"{MEMBERS}/invitations/{invitation.pk}/resend/", {}),
        frozenset({REPLACED}),
    ),
    "change of address": Change(
        lambda browser, invitation: browser.post(
            f"{MEMBERS}/@{invitation.member.user.skype_name}/address/", {"email": f"moved.{invitation.email}"}
        ),
        frozenset({REPLACED, TOO_OLD}),
    ),
}


@pytest.mark.parametrize("rounds", [4, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CHANGES)
def test_accepting_while_the_invitation_changes_is_one_order_of_the_two(
    stack: Stack, administrator: Browser, name: str, rounds: int
) -> None:
    """F32."""
    chance, mark = Random(f"{name} {rounds}"), f"{name.replace(' ', '')}{rounds}"
    invited = invite(stack, administrator, [f"{mark}.{number}@links.example" for number in range(rounds)])
    orders = Counter(
        winner_of(stack, administrator, member, CHANGES[name], after=chance.uniform(0, SECONDS_TO_ACCEPT))
        for member in invited
    )

    assert len(orders) == 2 or rounds < 100, f"one order alone: {orders}"


def winner_of(stack: Stack, administrator: Browser, member: int, change: Change, *, after: float) -> str:
    """Let the invitee accept, and ``change`` come ``after`` that; gives which of the two was done."""
    invitation, [path] = links(stack, member)
    browser, desk = visitor(stack, path), administrator.twin()

    def change_it() -> Answer:
        time.sleep(after)
        return change.ask(desk, invitation)

    accepted, changed = at_once(lambda: accept(browser, path), change_it)

    assert {accepted[0], changed[0]} <= {302, 410, 422}, (accepted, changed)
    now, every = links(stack, member)
    with stack.connected():
        state = Member.objects.get(pk=member).state
    alive = [one for one in [path, *every] if visit(stack, one) == 200]
    if accepted[0] == 302:
        # What came second changed nothing: no second letter went to somebody who has joined.
        assert (now.state, state, now.version, now.email, alive) == ("accepted", "active", 1, invitation.email, [])
        return "accepted"
    assert accepted[0] == 410
    assert heading(accepted[2]) in change.told
    if TAKEN_BACK in change.told:
        assert (now.state, state, alive) == ("canceled", "left", [])
    else:
        # One link lives, of the letter that is on its way.
        assert (now.state, state, now.version, alive) == ("pending", "invited", 2, every[-1:])
    return "changed"


def visit(stack: Stack, path: str) -> int:
    return Browser(stack.url).request("GET", path)[0]


@pytest.fixture
def elsewhere(stack: Stack) -> tuple[Browser, Organization]:
    """An administrator of another organization, signed in, and that organization."""
    with stack.connected(), override_settings(PASSWORD_HASHERS=everywhere.PASSWORD_HASHERS):
        number = Organization.objects.count()
        organization = OrganizationFactory(slug=f"elsewhere-{number}", name=f"Elsewhere {number}")
        name = f"elsewhere.boss{number}"
        member = MemberFactory(organization=organization, admin=True, user__skype_name=name)
        with transaction.atomic(using="default"):
            record(organization=organization, actor=Actor.system(), action=Action.MEMBER_ADDED, subject=member)
    browser = Browser(stack.url)
    browser.request("GET", "/accounts/sign-in/")
    assert browser.post("/accounts/sign-in/", {"login": name, "password": PASSWORD})[0] == 302
    assert browser.request("GET", f"/{organization.slug}/members/add/")[0] == 200
    return browser, organization


def test_an_invitation_is_nothing_at_the_place_of_another_organization(
    stack: Stack, administrator: Browser, elsewhere: tuple[Browser, Organization]
) -> None:
    """F33: it is not found there, nothing changes, and the log says who tried."""
    other, organization = elsewhere
    [member] = invite(stack, administrator, [f"{organization.slug}@links.example"])
    invitation, [path] = links(stack, member)
    theirs, ours = f"/{organization.slug}", f"/{ORGANIZATION}"
    log = len(stack.log_of("web"))
    with stack.connected():
        entries = AuditEntry.objects.count()

    for deed in ("resend", "cancel"):
        assert other.post(f"{theirs}/members/invitations/{invitation.pk}/{deed}/", {})[0] == 404
        assert other.post(f"{ours}/members/invitations/{invitation.pk}/{deed}/", {})[0] == 404
        assert administrator.post(f"{theirs}/members/invitations/{invitation.pk}/{deed}/", {})[0] == 404
    person = invitation.member.user.skype_name
    assert other.post(f"{theirs}/members/@{person}/address/", {"email": "mine@links.example"})[0] == 404
    for place in (theirs, f"{theirs}/members"):
        assert visitor(stack, path).post(f"{place}{path}accept/", {"password": PASSWORD})[0] == 404
    status, _place, _page = other.post(f"{theirs}/members/resend/", {"member": [member]})
    assert status == 302, "nobody was chosen"

    now, _links = links(stack, member)
    assert (now.state, now.version, now.email) == (invitation.state, 1, invitation.email)
    with stack.connected():
        assert AuditEntry.objects.count() == entries
    tried = [line for line in stack.log_of("web")[log:].splitlines() if "A form was sent to what is not there." in line]
    assert len(tried) == 7
    assert sum(f"organization={organization.pk}" in line for line in tried) == 3


def test_a_link_at_another_host_opens_nothing(stack: Stack, administrator: Browser) -> None:
    """F33: the host is ours, or there is no answer but a refusal."""
    [member] = invite(stack, administrator, ["host@links.example"])
    _invitation, [path] = links(stack, member)
    browser = visitor(stack, path)
    browser.headers["Host"] = "elsewhere.example"

    assert accept(browser, path)[0] == 400
    with stack.connected():
        assert Member.objects.get(pk=member).state == Member.State.INVITED
