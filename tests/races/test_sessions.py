"""Sessions that end while their requests run: none comes back, and nobody keeps an account that was taken from them."""

from functools import partial

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.errors import SessionOver
from members.models import AuthenticatorApp, Letter, Member, Organization, User, UserSession
from members.sealed_secrets import write_draft
from members.services import accounts, factors, profile
from members.services.factors import reset_second_factor
from members.services.members import assign_role, block_members
from members.services.sessions import end_other_sessions, end_session
from members.views import security
from tests.factories import (
    PASSWORD,
    SECRET,
    AuthenticatorAppFactory,
    MemberFactory,
    OrganizationFactory,
    PasskeyFactory,
    UserFactory,
)
from tests.members.signing_in import CONFIRM, SECURITY, code

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
NEW = "nine calm otters row home"
OTHER = "six mild badgers hum along"
# Where a request knows who asks, and nothing of what it does is done yet.
KNOWN = r'^SELECT .* FROM "members_user"'
LOCKED = r'FROM "members_user" .* FOR NO KEY UPDATE'


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def is_in(client: Client) -> bool:
    """Whether the next request of a browser is answered as one of somebody who is signed in."""
    return client.get(SECURITY).status_code == 200


def reset(user: User) -> partial:
    """What the owner of an account does who thinks that somebody else is in it."""
    fresh = User.objects.get(pk=user.pk)
    token = default_token_generator.make_token(fresh)
    return partial(accounts.reset_password, actor=Actor.visitor(), user=fresh, token=token, password=NEW)


def requests_of(user: User) -> dict[str, tuple[str, dict[str, str]]]:
    """Everything that ends every session but that of the request: path and form."""
    [passkey, *_others] = [PasskeyFactory(user=user), PasskeyFactory(user=user)]
    draft = write_draft(SECRET, account=user.pk)
    return {
        "password": (reverse("me:change_password"), {"password-password": PASSWORD, "password-new_password": OTHER}),
        "app": (reverse("me:app_add"), {"draft": draft, "code": code()}),
        "passkey": (reverse("me:passkey_remove", args=[passkey.pk]), {}),
    }


WAYS = ["password", "app", "passkey"]


@pytest.mark.parametrize("way", WAYS)
def test_a_session_that_is_ended_while_its_request_changes_how_to_sign_in_stays_ended(way, race, rounds):
    for _round in range(max(2, rounds // 10)):
        user = UserFactory()
        path, form = requests_of(user)[way]
        thief = browser(user)

        answer, owner = race(partial(thief.post, path, form), reset(user))

        assert isinstance(owner, User), owner
        assert answer.status_code in (200, 302, 422), answer
        assert not is_in(thief)
        assert User.objects.get(pk=user.pk).check_password(NEW)


@pytest.mark.parametrize("way", WAYS)
def test_whoever_was_signed_out_while_they_asked_changes_nothing(way, meanwhile):
    user = UserFactory()
    path, form = requests_of(user)[way]
    passkeys = user.passkeys.count()
    thief = browser(user)

    held = meanwhile(partial(thief.post, path, form), reset(user), at=KNOWN)

    assert isinstance(held.second, User), held.second
    # The present password was another one by then, which is told first.
    if way != "password":
        assert held.first.status_code == 302
        assert held.first.url.startswith(reverse("accounts:sign_in"))
    assert User.objects.get(pk=user.pk).check_password(NEW)
    assert (user.passkeys.count(), AuthenticatorApp.objects.count()) == (passkeys, 0)
    assert not is_in(thief)


@pytest.mark.parametrize("way", WAYS)
def test_a_session_does_not_outlive_what_ended_it_between_its_change_and_its_answer(way, monkeypatch):
    user = UserFactory()
    path, form = requests_of(user)[way]
    thief = browser(user)
    place, name = {
        "password": (security, "replace_password"),
        "app": (factors, "add_app"),
        "passkey": (factors, "remove_passkey"),
    }[way]
    verb = getattr(place, name)

    def change_and_be_late(**facts):
        changed = verb(**facts)
        reset(user)()
        return changed

    monkeypatch.setattr(place, name, change_and_be_late)

    assert thief.post(path, form).status_code in (200, 302)
    assert not is_in(thief)


def test_an_address_is_not_changed_by_a_session_that_the_owner_has_ended(meanwhile):
    user = UserFactory()
    thief = browser(user)

    held = meanwhile(
        partial(
            thief.post,
            reverse("me:change_address"),
            {"address-password": PASSWORD, "address-email": "thief@home.example"},
        ),
        reset(user),
        at=KNOWN,
    )

    assert isinstance(held.second, User), held.second
    assert held.first.status_code in (302, 422)
    assert User.objects.get(pk=user.pk).email == user.email
    assert not Letter.objects.filter(email="thief@home.example").exists()


def test_a_first_password_chosen_by_two_lets_one_of_them_in(meanwhile):
    """Who set the password for somebody knows it too, and may be at the page when its owner is."""
    member = MemberFactory(invited=True, user__must_change_password=True)
    clients = [browser(member.user) for _number in range(2)]
    form = {"first_name": "Ines", "last_name": "Even"}

    held = meanwhile(
        *[
            partial(
                client.post,
                reverse("accounts:first_password"),
                {**form, "password": password},
            )
            for client, password in zip(clients, [NEW, OTHER], strict=True)
        ],
        at=LOCKED,
    )

    assert held.waited
    assert [answer.status_code for answer in held[:2]] == [302, 302]
    assert [is_in(client) for client in clients] == [True, False]
    assert held.second.url.startswith(reverse("accounts:sign_in"))


def test_control_without_the_question_a_session_that_was_ended_changes_the_address(meanwhile, monkeypatch):
    user = UserFactory()
    thief = browser(user)
    session = UserSession.objects.get(user=user).key
    change = partial(profile._replace_address, actor=Actor.of_person(user, session=session), email="thief@home.example")
    reset(user)()

    with pytest.raises(SessionOver):
        change()
    monkeypatch.setattr(profile, "lock_own_account", lambda actor: User.objects.get(pk=actor.user.pk))
    change()

    assert not is_in(thief)
    assert User.objects.get(pk=user.pk).email == "thief@home.example"


# Blocked, reset, signed out everywhere


def endings(admin: Member, member: Member, keep: str) -> dict[str, partial]:
    organization = admin.organization
    return {
        "blocked": partial(
            block_members, actor=SYSTEM, organization=organization, members=Member.objects.filter(pk=member.pk)
        ),
        "reset": partial(reset_second_factor, actor=SYSTEM, organization=organization, member=member),
        "signed out": partial(end_other_sessions, actor=Actor.of_person(member.user, session=keep), keep=keep),
    }


@pytest.mark.parametrize("ending", ["blocked", "reset", "signed out"])
def test_whoever_is_signed_out_everywhere_is_out_of_each_browser_whatever_it_was_doing(ending, race, rounds):
    admin = MemberFactory(admin=True)
    for _round in range(max(2, rounds // 20)):
        member = MemberFactory(organization=admin.organization, role=Member.Role.MEMBERS_MANAGER)
        AuthenticatorAppFactory(user=member.user)
        kept, *others = [browser(member.user) for _number in range(8)]
        console = reverse("members:member_list", args=[admin.organization.slug])
        work = [
            partial(others[0].get, console),
            partial(others[1].post, reverse("me:settings"), {"first_name": "A", "last_name": "B", "language": ""}),
            partial(others[2].post, CONFIRM, {"way": "password", "password": PASSWORD, "next": "/me/"}),
            partial(others[3].post, CONFIRM, {"way": "code", "code": code(), "next": "/me/"}),
            partial(others[4].post, reverse("me:recovery_codes")),
            partial(others[5].post, reverse("me:sessions_end_others")),
            partial(others[6].get, SECURITY),
        ]

        end = endings(admin, member, kept.session.session_key)[ending]
        if ending == "signed out":
            # Somebody else who does the same would be quicker at times, and then it is the other one who goes on.
            work[5] = partial(others[5].get, SECURITY)

        ended, *answers = race(end, *work)

        assert not isinstance(ended, Exception), ended
        assert {answer.status_code for answer in answers} <= {200, 302, 400, 404, 422}, answers
        assert [is_in(client) for client in others] == [False] * len(others)
        assert is_in(kept) == (ending == "signed out")


def test_a_proof_given_while_the_session_ends_does_not_keep_it_alive(meanwhile):
    user = UserFactory()
    kept, other = browser(user), browser(user)
    keep = kept.session.session_key

    held = meanwhile(
        partial(other.post, CONFIRM, {"way": "password", "password": PASSWORD, "next": "/me/"}),
        partial(end_other_sessions, actor=Actor.of_person(user, session=keep), keep=keep),
        at=KNOWN,
    )

    assert held.second == 1
    assert held.first.status_code in (302, 400)
    assert (is_in(kept), is_in(other)) == (True, False)
    assert Session.objects.count() == UserSession.objects.count() == 1


# Nobody waits for ever


def signed_in(user: User, number: int = 5) -> str:
    now = timezone.now()
    for place in range(number):
        key = f"{user.pk}-{place}"
        Session.objects.create(session_key=key, session_data="", expire_date=now + timezone.timedelta(days=1))
        UserSession.objects.create(user=user, key=key, began_at=now, seen_at=now)
    return f"{user.pk}-0"


def test_ending_the_other_sessions_while_all_are_ended_waits_and_is_told(meanwhile):
    """The one locks sessions and then the list of them, the other the other way round: the account comes first."""
    user = UserFactory()
    keep = signed_in(user)
    end = partial(end_other_sessions, actor=Actor.of_person(user, session=keep), keep=keep)

    held = meanwhile(reset(user), end, at='^DELETE FROM "django_session"')

    assert held.waited
    assert isinstance(held.first, User), held.first
    assert isinstance(held.second, SessionOver)


def test_a_password_is_reset_while_the_founders_role_is_changed(meanwhile):
    """Resetting confirms the address, which touches the organization; a role locks the organization first."""
    organization = OrganizationFactory(letters_released_at=None)
    founder = MemberFactory(organization=organization, admin=True, personal=True, user__email_verified_at=None)
    MemberFactory(organization=organization, admin=True)
    demote = partial(assign_role, actor=SYSTEM, organization=organization, member=founder, role=Member.Role.MEMBER)

    held = meanwhile(reset(founder.user), demote, at=r'FROM "members_user" .* FOR NO KEY UPDATE')

    assert held.waited
    assert (type(held.first), type(held.second)) == (User, Member)
    assert Organization.objects.get().letters_released_at is not None


def test_control_with_the_account_locked_first_the_two_wait_for_each_other(meanwhile, monkeypatch):
    organization = OrganizationFactory(letters_released_at=None)
    founder = MemberFactory(organization=organization, admin=True, personal=True, user__email_verified_at=None)
    MemberFactory(organization=organization, admin=True)
    demote = partial(assign_role, actor=SYSTEM, organization=organization, member=founder, role=Member.Role.MEMBER)
    monkeypatch.setattr(accounts, "hold_unreleased", lambda user: None)

    held = meanwhile(reset(founder.user), demote, at=r'FROM "members_user" .* FOR NO KEY UPDATE')

    assert OperationalError in {type(held.first), type(held.second)}


def test_one_session_ended_in_two_tabs_is_ended_once(race, rounds):
    for _round in range(rounds):
        user = UserFactory()
        keep = signed_in(user, number=2)
        [other] = UserSession.objects.filter(user=user).exclude(key=keep)
        end = partial(end_session, actor=Actor.of_person(user, session=keep), key=other.pk)

        assert sorted(race(end, end)) == [False, True]
