"""Second factors set up, taken away and reset in two tabs at once; and what would happen without each guard."""

from functools import partial

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from members.access import Actor
from members.codes import code_of, new_secret, period_now
from members.errors import (
    FactorExists,
    NoSecondFactor,
    NoSuchAccount,
    PasskeyExists,
    PasswordTooShortAlone,
    SkypeNameTaken,
    TooManyPasskeys,
)
from members.models import AuthenticatorApp, Member, Organization, Passkey, RecoveryCode, User
from members.passkeys import MOST_PASSKEYS, Made
from members.services.factors import (
    Changed,
    add_app,
    add_passkey,
    remove_app,
    remove_passkey,
    renew_recovery_codes,
    reset_personal_second_factor,
    reset_second_factor,
    use_code,
)
from members.services.operators import appoint_operator, create_operator, dismiss_operator
from members.services.organization_settings import change_second_factor_rule
from tests.factories import (
    PASSWORD,
    SECRET,
    AuthenticatorAppFactory,
    MemberFactory,
    OrganizationFactory,
    PasskeyFactory,
    UserFactory,
)
from tests.soft_passkey import SoftPasskey

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
LOCKED = r'FROM "members_user" .* FOR NO KEY UPDATE'


def person(user: User) -> Actor:
    return Actor.of_person(user, address="10.0.0.1")


def made(passkey: SoftPasskey | None = None) -> Made:
    passkey = passkey or SoftPasskey()
    return Made(credential_id=passkey.credential_id, credential=passkey.credential, sign_count=0)


def enrolling(user: User) -> partial:
    secret = new_secret()
    return partial(add_app, actor=person(user), secret=secret, code=code_of(secret, period_now()))


def adding(user: User, passkey: Made | None = None) -> partial:
    return partial(add_passkey, actor=person(user), name="Phone", made=passkey or made())


def is_whole(user: User) -> bool:
    """Whether who has a second factor has ten recovery codes, and who has none has none."""
    has = AuthenticatorApp.objects.filter(user=user).exists() or Passkey.objects.filter(user=user).exists()
    return RecoveryCode.objects.filter(user=user).count() == (10 if has else 0)


# Setting up


def test_an_app_set_up_in_two_tabs_at_once_is_set_up_once(race, rounds):
    for _round in range(rounds):
        user = UserFactory()

        outcomes = race(enrolling(user), enrolling(user))

        assert {type(outcome) for outcome in outcomes} == {Changed, FactorExists}
        assert is_whole(user)


def test_control_without_the_lock_the_second_app_fails_in_the_database(race, unguarded):
    user = UserFactory()

    outcomes = race(*unguarded(enrolling(user), enrolling(user)))

    assert {type(outcome) for outcome in outcomes} == {Changed, IntegrityError}


def test_two_first_factors_at_once_give_one_set_of_codes(race, rounds):
    for _round in range(rounds):
        user = UserFactory()

        outcomes = race(enrolling(user), adding(user))

        assert sorted(len(outcome.codes) for outcome in outcomes) == [0, 10]
        assert is_whole(user)


def test_control_without_the_lock_two_first_factors_give_two_sets_of_codes(race, unguarded):
    user = UserFactory()

    outcomes = race(*unguarded(enrolling(user), adding(user)))

    assert [len(outcome.codes) for outcome in outcomes] == [10, 10]


def test_one_passkey_given_to_two_accounts_at_once_opens_one(race, rounds):
    for _round in range(rounds):
        passkey = made()

        outcomes = race(adding(UserFactory(), passkey), adding(UserFactory(), passkey))

        assert {type(outcome) for outcome in outcomes} == {Changed, PasskeyExists}
    assert Passkey.objects.count() == rounds


def test_the_last_place_for_a_passkey_is_taken_once(race, rounds):
    for _round in range(max(2, rounds // 10)):
        user = UserFactory()
        PasskeyFactory.create_batch(MOST_PASSKEYS - 1, user=user)

        outcomes = race(adding(user), adding(user))

        assert {type(outcome) for outcome in outcomes} == {Changed, TooManyPasskeys}


def test_control_without_the_lock_there_are_more_passkeys_than_there_may_be(race, unguarded):
    user = UserFactory()
    PasskeyFactory.create_batch(MOST_PASSKEYS - 1, user=user)

    race(*unguarded(adding(user), adding(user)))

    assert Passkey.objects.filter(user=user).count() == MOST_PASSKEYS + 1


# Taking away


def removing(user: User, passkey: Passkey, password: str = "") -> partial:
    return partial(remove_passkey, actor=person(user), passkey=passkey, password=password)


def test_two_last_passkeys_removed_in_two_tabs_leave_one_unless_the_password_is_long(race, rounds):
    for _round in range(rounds):
        user = UserFactory()
        one, other = PasskeyFactory.create_batch(2, user=user)
        renew_recovery_codes(actor=person(user))

        # Neither tab has asked for the password: each saw that another passkey stays.
        outcomes = race(removing(user, one), removing(user, other))

        assert {type(outcome) for outcome in outcomes} == {Changed, PasswordTooShortAlone}
        assert Passkey.objects.filter(user=user).count() == 1
        assert is_whole(user)


def test_control_without_the_lock_a_short_password_is_left_alone(race, unguarded):
    user = UserFactory()
    one, other = PasskeyFactory.create_batch(2, user=user)

    outcomes = race(*unguarded(removing(user, one), removing(user, other), before=("INSERT", "UPDATE")))

    assert [type(outcome) for outcome in outcomes] == [Changed, Changed]
    assert not Passkey.objects.filter(user=user).exists()


def test_the_last_factor_removed_in_two_tabs_while_the_rule_needs_one(race, rounds):
    """The pages: one tab removes it, the other finds it gone; the next page asks for a new one."""
    for _round in range(max(2, rounds // 20)):
        organization = OrganizationFactory(require_second_factor=True)
        admin = MemberFactory(organization=organization, admin=True)
        passkey = PasskeyFactory(user=admin.user)
        tabs = [Client(raise_request_exception=False) for _number in range(2)]
        for tab in tabs:
            tab.force_login(admin.user)
        path = reverse("me:passkey_remove", args=[passkey.pk])

        answers = race(*[partial(tab.post, path, {"password": PASSWORD}) for tab in tabs])

        assert {answer.status_code for answer in answers} <= {302, 404}, answers
        alive = [tab for tab in tabs if tab.get("/me/").status_code == 200]
        assert len(alive) == 1
        response = alive[0].get(reverse("members:member_list", args=[organization.slug]))
        assert (response.status_code, response.url) == (302, reverse("me:security"))


def test_the_rule_asked_for_while_its_own_factor_is_removed_locks_nobody_out(race, rounds):
    for _round in range(rounds):
        organization = OrganizationFactory()
        admin = MemberFactory(organization=organization, admin=True)
        AuthenticatorAppFactory(user=admin.user)

        ruled, removed = race(
            partial(change_second_factor_rule, actor=Actor.of_member(admin), organization=organization, required=True),
            partial(remove_app, actor=person(admin.user), password=PASSWORD),
        )

        assert isinstance(removed, Changed), removed
        assert type(ruled).__name__ in ("Organization", "OwnSecondFactorFirst"), ruled
        assert Organization.objects.get(pk=organization.pk).require_second_factor == isinstance(ruled, Organization)


# Resetting


def resetting(member: Member) -> partial:
    return partial(reset_second_factor, actor=SYSTEM, organization=member.organization, member=member)


def with_app(organization) -> Member:
    member = MemberFactory(organization=organization)
    AuthenticatorAppFactory(user=member.user)
    renew_recovery_codes(actor=person(member.user))
    return member


def test_a_passkey_added_while_the_factors_are_reset_goes_with_them_or_comes_with_codes(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        member = with_app(organization)

        added, reset = race(adding(member.user), resetting(member))

        assert (type(added), type(reset)) == (Changed, Member)
        assert is_whole(member.user)


def test_control_without_the_lock_a_passkey_is_left_without_codes(race, unguarded):
    member = with_app(OrganizationFactory())

    race(*unguarded(adding(member.user), resetting(member)))

    assert Passkey.objects.filter(user=member.user).exists()
    assert not is_whole(member.user)


def test_whoever_resets_waits_for_a_factor_that_is_being_added(meanwhile):
    member = with_app(OrganizationFactory())

    held = meanwhile(adding(member.user), resetting(member), at=LOCKED)

    assert held.waited
    assert (type(held.first), type(held.second)) == (Changed, Member)
    assert not Passkey.objects.filter(user=member.user).exists()


def test_personal_factors_reset_by_two_operators_at_once_are_reset_once(race, rounds):
    for _round in range(rounds):
        user = AuthenticatorAppFactory().user
        reset = partial(reset_personal_second_factor, actor=SYSTEM, user=user)

        outcomes = race(reset, reset)

        assert {type(outcome) for outcome in outcomes} == {type(None), NoSecondFactor}
        assert User.objects.get(pk=user.pk).session_version == 1


# Using


def test_a_recovery_code_used_while_the_codes_are_renewed_works_before_or_not_at_all(race, rounds):
    for _round in range(rounds):
        user = AuthenticatorAppFactory().user
        [code, *_others] = renew_recovery_codes(actor=person(user))

        used, renewed = race(
            partial(use_code, actor=person(user), user=user, code=code),
            partial(renew_recovery_codes, actor=person(user)),
        )

        assert used is None or type(used).__name__ == "WrongCode", used
        assert len(renewed) == 10
        assert RecoveryCode.objects.filter(user=user, used_at=None).count() == 10


def test_a_code_used_while_its_app_is_removed_works_before_or_not_at_all(race, rounds):
    for _round in range(rounds):
        user = AuthenticatorAppFactory().user
        code = code_of(SECRET, period_now())

        used, removed = race(
            partial(use_code, actor=person(user), user=user, code=code),
            partial(remove_app, actor=person(user), password=PASSWORD),
        )

        assert isinstance(removed, Changed), removed
        assert used is None or type(used).__name__ == "WrongCode", used


def test_a_second_step_taken_with_one_code_in_two_browsers_lets_one_in(race, rounds):
    for _round in range(max(2, rounds // 20)):
        user = AuthenticatorAppFactory().user
        browsers = [Client(raise_request_exception=False) for _number in range(4)]
        for browser in browsers:
            browser.post(reverse("accounts:sign_in"), {"login": user.skype_name, "password": PASSWORD})
        code = code_of(SECRET, period_now())

        race(*[partial(browser.post, reverse("accounts:second_step"), {"code": code}) for browser in browsers])

        assert sum("_auth_user_id" in browser.session for browser in browsers) == 1


# Operators


def test_whoever_is_dismissed_while_they_are_appointed_is_dismissed(meanwhile):
    user = UserFactory()

    held = meanwhile(
        partial(appoint_operator, actor=SYSTEM, skype_name=user.skype_name),
        partial(dismiss_operator, actor=SYSTEM, skype_name=user.skype_name),
        at='^UPDATE "members_user"',
    )

    assert held.waited
    assert (type(held.first), type(held.second)) == (User, User)
    assert not User.objects.get(pk=user.pk).is_operator


def test_control_without_the_lock_whoever_is_dismissed_stays_an_operator(meanwhile):
    user = UserFactory()

    held = meanwhile(
        partial(appoint_operator, actor=SYSTEM, skype_name=user.skype_name),
        partial(dismiss_operator, actor=SYSTEM, skype_name=user.skype_name),
        at='^UPDATE "members_user"',
        unlocked=True,
    )

    assert isinstance(held.second, NoSuchAccount)
    assert User.objects.get(pk=user.pk).is_operator


def test_one_operator_made_twice_at_once_is_made_once(race, rounds):
    for number in range(max(2, rounds // 10)):
        create = partial(
            create_operator,
            actor=SYSTEM,
            skype_name=f"olga.number{number}",
            email="olga@ops.example",
            first_name="Olga",
            last_name="",
            password=PASSWORD,
        )

        outcomes = race(create, create)

        assert {type(outcome) for outcome in outcomes} == {User, SkypeNameTaken}
