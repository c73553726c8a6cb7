"""Accounts, and two who use, change or forget one at the same moment; and what would happen without each guard."""

from functools import partial

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone

from members.access import Actor
from members.codes import code_of, period_now
from members.errors import LinkDead, NoSecondFactor, NoSuchAccount, SessionOver, WrongPassword
from members.models import AuditEntry, Letter, Member, RecoveryCode, User, UserSession
from members.services import accounts
from members.services.erasure import erase_member
from members.services.factors import renew_recovery_codes, reset_second_factor, use_code
from members.services.operators import appoint_operator, dismiss_operator
from members.services.sessions import end_other_sessions
from members.tokens import address_token
from tests.factories import SECRET, AuthenticatorAppFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
NEW = ["nine calm otters row home", "six mild badgers hum along"]


def entries(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def person(user: User) -> Actor:
    return Actor.of_person(user, address="10.0.0.1")


# Codes


def app_code() -> str:
    return code_of(SECRET, period_now())


def test_a_code_used_twice_at_once_opens_one_of_the_two(race, rounds):
    for _round in range(rounds):
        user = AuthenticatorAppFactory().user

        outcomes = race(*[partial(use_code, actor=person(user), user=user, code=app_code())] * 2)

        assert outcomes.count(None) == 1


def test_control_without_its_condition_a_code_opens_both(race, unguarded):
    user = AuthenticatorAppFactory().user
    use = partial(use_code, actor=person(user), user=user, code=app_code())

    outcomes = race(
        *unguarded(use, use, predicate='"members_authenticatorapp"."last_period" < %s', always="%s IS NOT NULL")
    )

    assert outcomes == [None, None]


def test_a_recovery_code_used_twice_at_once_opens_one_of_the_two(race, rounds):
    user = AuthenticatorAppFactory().user
    for _round in range(max(1, rounds // 10)):
        for code in renew_recovery_codes(actor=person(user)):
            outcomes = race(*[partial(use_code, actor=person(user), user=user, code=code)] * 2)

            assert outcomes.count(None) == 1


def test_control_without_its_condition_a_recovery_code_opens_both(race, unguarded):
    user = AuthenticatorAppFactory().user
    [code, *_others] = renew_recovery_codes(actor=person(user))
    use = partial(use_code, actor=person(user), user=user, code=code)

    assert race(*unguarded(use, use, predicate='"members_recoverycode"."used_at" IS NULL')) == [None, None]


def test_recovery_codes_renewed_twice_at_once_are_ten(race, rounds):
    user = AuthenticatorAppFactory().user
    for _round in range(rounds):
        one, other = race(*[partial(renew_recovery_codes, actor=person(user))] * 2)

        assert len(one) == len(other) == 10
        assert RecoveryCode.objects.filter(user=user).count() == 10


def test_control_without_the_lock_recovery_codes_are_twenty(race, unguarded):
    user = AuthenticatorAppFactory().user

    race(*unguarded(*[partial(renew_recovery_codes, actor=person(user))] * 2, before="INSERT"))

    assert RecoveryCode.objects.filter(user=user).count() == 20


def test_a_second_factor_reset_by_two_at_once_is_reset_once(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        member = MemberFactory(organization=organization)
        AuthenticatorAppFactory(user=member.user)
        reset = partial(reset_second_factor, actor=SYSTEM, organization=organization, member=member)

        outcomes = race(reset, reset)

        assert {type(outcome) for outcome in outcomes} == {Member, NoSecondFactor}
    assert entries("factors.reset") == rounds


# Passwords


def test_a_reset_link_opened_twice_at_once_sets_one_password(race, rounds):
    for _round in range(rounds):
        user = UserFactory()
        token = default_token_generator.make_token(user)
        use = partial(accounts.reset_password, actor=Actor.visitor(), user=user, token=token)

        outcomes = race(*[partial(use, password=password) for password in NEW])

        [won] = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, User)]
        assert isinstance(outcomes[1 - won], LinkDead)
        assert User.objects.get(pk=user.pk).check_password(NEW[won])


def test_control_without_the_lock_a_reset_link_works_twice(race, unguarded):
    user = UserFactory()
    token = default_token_generator.make_token(user)
    use = partial(accounts.reset_password, actor=Actor.visitor(), user=user, token=token)

    outcomes = race(*unguarded(*[partial(use, password=password) for password in NEW]))

    assert [type(outcome) for outcome in outcomes] == [User, User]


def test_a_password_changed_twice_at_once_is_changed_by_one_who_knew_it(race, rounds):
    for _round in range(rounds):
        user = UserFactory()
        replace = partial(accounts._replace_password, actor=person(user), previous=user.password)

        outcomes = race(*[partial(replace, encoded=f"encoded {number}") for number in range(2)])

        [won] = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, User)]
        assert isinstance(outcomes[1 - won], WrongPassword)
        assert User.objects.get(pk=user.pk).password == f"encoded {won}"


def test_control_without_the_lock_both_change_the_password(race, unguarded):
    user = UserFactory()
    replace = partial(accounts._replace_password, actor=person(user), previous=user.password)

    outcomes = race(*unguarded(*[partial(replace, encoded=f"encoded {number}") for number in range(2)]))

    assert [type(outcome) for outcome in outcomes] == [User, User]


def first_password(organization) -> tuple[User, list[partial]]:
    user = MemberFactory(organization=organization, invited=True, user__must_change_password=True).user
    choose = partial(accounts.choose_first_password, actor=person(user), first_name="Ines", last_name="Even")
    return user, [partial(choose, password=password) for password in NEW]


def test_a_first_password_chosen_twice_at_once_lets_in_once(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        _user, choices = first_password(organization)

        outcomes = race(*choices)

        assert {type(outcome) for outcome in outcomes} == {User, SessionOver}
    assert entries("member.joined") == rounds


def test_control_without_the_lock_a_first_password_lets_in_twice(race, unguarded):
    _user, choices = first_password(OrganizationFactory())

    race(*unguarded(*choices))

    assert entries("member.joined") == 2


# Addresses, sessions, operators


def founder() -> partial:
    organization = OrganizationFactory(letters_released_at=None)
    user = MemberFactory(organization=organization, admin=True, user__email_verified_at=None).user
    return partial(accounts.verify_address, actor=Actor.visitor(), token=address_token(user))


def test_an_address_confirmed_twice_at_once_releases_the_letters_once(race, rounds):
    for _round in range(rounds):
        verify = founder()

        outcomes = race(verify, verify)

        assert [type(outcome) for outcome in outcomes] == [User, User]
    assert entries("organization.verified") == rounds


def test_control_without_the_lock_the_letters_are_released_twice(race, unguarded):
    verify = founder()

    race(*unguarded(verify, verify))

    assert entries("organization.verified") == 2


def signed_in(organization, number) -> partial:
    user = MemberFactory(organization=organization).user
    now = timezone.now()
    for place in range(3):
        UserSession.objects.create(user=user, key=f"{number}-{place}", began_at=now, seen_at=now)
    return partial(end_other_sessions, actor=person(user), keep=f"{number}-0")


def test_other_sessions_ended_twice_at_once_are_ended_once(race, rounds):
    organization = OrganizationFactory()
    for number in range(rounds):
        end = signed_in(organization, number)

        assert sorted(race(end, end)) == [0, 2]
    assert entries("sessions.ended") == rounds


def test_control_without_the_lock_the_log_says_that_sessions_ended_twice(race, unguarded):
    end = signed_in(OrganizationFactory(), 1)

    assert race(*unguarded(end, end)) == [2, 2]
    assert entries("sessions.ended") == 2


def test_an_operator_dismissed_twice_at_once_is_dismissed_once(race, rounds):
    for _round in range(rounds):
        user = UserFactory(is_operator=True)
        dismiss = partial(dismiss_operator, actor=SYSTEM, skype_name=user.skype_name)

        outcomes = race(dismiss, dismiss)

        assert {type(outcome) for outcome in outcomes} == {User, NoSuchAccount}
        assert not User.objects.get(pk=user.pk).is_operator


def test_control_without_the_lock_an_operator_is_dismissed_twice(race, unguarded):
    dismiss = partial(dismiss_operator, actor=SYSTEM, skype_name=UserFactory(is_operator=True).skype_name)

    assert [type(outcome) for outcome in race(*unguarded(dismiss, dismiss))] == [User, User]


def test_appointing_and_dismissing_at_once_leaves_what_the_later_said(race, rounds):
    for _round in range(rounds):
        user = UserFactory(is_operator=True)

        appointed, dismissed = race(
            partial(appoint_operator, actor=SYSTEM, skype_name=user.skype_name),
            partial(dismiss_operator, actor=SYSTEM, skype_name=user.skype_name),
        )

        assert [type(appointed), type(dismissed)] == [User, User]


# Erasing


def gone(organization) -> Member:
    return MemberFactory(organization=organization, state=Member.State.LEFT, user__first_name="Ottilie")


def test_erased_by_two_at_once_is_erased_once(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        erase = partial(erase_member, actor=SYSTEM, organization=organization, member=gone(organization))

        assert [type(outcome) for outcome in race(erase, erase)] == [Member, Member]
    assert entries("member.erased") == rounds


def test_control_without_the_lock_somebody_is_erased_twice(race, unguarded):
    organization = OrganizationFactory()
    erase = partial(erase_member, actor=SYSTEM, organization=organization, member=gone(organization))

    race(*unguarded(erase, erase))

    assert entries("member.erased") == 2


def test_somebody_erased_while_they_choose_a_password_has_neither_it_nor_a_letter(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        member = gone(organization)
        token = default_token_generator.make_token(member.user)
        was = member.user.email

        erased, reset = race(
            partial(erase_member, actor=SYSTEM, organization=organization, member=member),
            partial(accounts.reset_password, actor=Actor.visitor(), user=member.user, token=token, password=NEW[0]),
        )

        assert isinstance(erased, Member), erased
        assert isinstance(reset, User | LinkDead), reset
        user = User.objects.get(pk=member.user_id)
        assert (user.email, user.first_name, user.is_active, user.has_usable_password()) == ("", "", False, False)
        assert not Letter.objects.filter(email=was).exists()


# Order


def test_each_account_is_locked_before_what_is_decided_about_it_is_read(statements):
    organization = OrganizationFactory()
    member = MemberFactory(organization=organization)
    AuthenticatorAppFactory(user=member.user)
    user = member.user
    acts = {
        '"members_recoverycode"': partial(renew_recovery_codes, actor=person(user)),
        '"members_authenticatorapp"': partial(
            reset_second_factor, actor=SYSTEM, organization=organization, member=member
        ),
        '"members_letter"': partial(
            accounts._replace_password, actor=person(user), previous=user.password, encoded="encoded"
        ),
        '"members_invitation"': partial(
            erase_member, actor=SYSTEM, organization=organization, member=gone(organization)
        ),
    }
    for table, act in acts.items():
        done = statements(act)

        locks = [place for place, sql in enumerate(done) if " FOR NO KEY UPDATE" in sql]
        touched = [place for place, sql in enumerate(done) if table in sql]
        assert locks[0] < touched[0], table
