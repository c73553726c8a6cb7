"""Second factors: setting them up, using them, taking them away."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from members.access import Actor, Capability, require, require_over
from members.audit import Action, record
from members.codes import RECOVERY_CODES, find_period, normalize_code, recovery_digests
from members.credentials import refuse_wait
from members.errors import (
    FactorExists,
    NoSecondFactor,
    NotTheirAccount,
    OwnSecondFactor,
    PasskeyExists,
    PasskeyRefused,
    PasswordTooShortAlone,
    TooManyPasskeys,
    TooManyTries,
    WrongCode,
)
from members.factors import (
    end_every_session,
    forget_factors,
    has_second_factor,
    lock_account,
    lock_own_account,
    log_of_owner,
    seal_secret,
    tell,
    unseal_secret,
    write_recovery_codes,
)
from members.models import AuthenticatorApp, Member, Organization, Passkey, RecoveryCode, User
from members.passkeys import MOST_PASSKEYS, Challenge, Made, RelyingParty, credential_id_of
from members.throttle import CODES, PROOF, SIGN_IN_PLACE, Wait, climb, count_try, forget_tries, take_back_try


@dataclass(frozen=True)
class Changed:
    """An account whose factors have changed, which has ended every session of it, as it was then.

    ``codes`` are ten new recovery codes when it has its first second factor now, else none.
    """

    user: User
    codes: Sequence[str] = ()


# Setting up


@transaction.atomic(durable=True)
def add_app(*, actor: Actor, secret: str, code: str) -> Changed:
    """Let the actor's account take the codes of an app, once ``code`` shows that the app has ``secret``.

    Raises WrongCode, FactorExists, SessionOver.
    """
    period = find_period(secret, normalize_code(code))
    if period is None:
        raise WrongCode
    user = lock_own_account(actor)
    if AuthenticatorApp.objects.filter(user=user).exists():
        raise FactorExists
    first = not has_second_factor(user)
    # The code that was shown now opens nothing later.
    AuthenticatorApp.objects.create(user=user, secret=seal_secret(secret), last_period=period)
    return _added(actor, user, "app_added", first=first)


@transaction.atomic(durable=True)
def add_passkey(*, actor: Actor, name: str, made: Made) -> Changed:
    """Let a passkey open the actor's account. Raises PasskeyExists, TooManyPasskeys, SessionOver."""
    user = lock_own_account(actor)
    if Passkey.objects.filter(credential_id=made.credential_id).exists():
        raise PasskeyExists
    if Passkey.objects.filter(user=user).count() >= MOST_PASSKEYS:
        raise TooManyPasskeys(most=MOST_PASSKEYS)
    first = not has_second_factor(user)
    try:
        Passkey.objects.create(
            user=user,
            name=name,
            credential_id=made.credential_id,
            credential=made.credential,
            sign_count=made.sign_count,
        )
    except IntegrityError:
        # Of another account, at this moment.
        raise PasskeyExists from None
    return _added(actor, user, "passkey_added", first=first)


def _added(actor: Actor, user: User, event: str, *, first: bool) -> Changed:
    codes = write_recovery_codes(user) if first else []
    end_every_session(user)
    tell(user, event)
    log_of_owner(actor, user, Action.FACTOR_ADDED)
    return Changed(user, codes)


@transaction.atomic(durable=True)
def rename_passkey(*, actor: Actor, passkey: Passkey, name: str) -> None:
    """Call one of the actor's passkeys something else."""
    if not Passkey.objects.filter(pk=passkey.pk, user=actor.user).update(name=name):
        raise PermissionDenied


@transaction.atomic(durable=True)
def renew_recovery_codes(*, actor: Actor) -> list[str]:
    """Ten new recovery codes; those before are worth nothing any more. Raises NoSecondFactor, SessionOver."""
    user = lock_own_account(actor)
    if not has_second_factor(user):
        raise NoSecondFactor
    codes = write_recovery_codes(user)
    tell(user, "codes_renewed")
    log_of_owner(actor, user, Action.RECOVERY_CODES_RENEWED)
    return codes


def are_codes_of(*, user: User, codes: list[str]) -> bool:
    """Whether these are recovery codes of ``user``, none used, as they stand on the page that shows them."""
    digests = {digest for code in codes[: RECOVERY_CODES + 1] for digest in recovery_digests(code)}
    found = RecoveryCode.objects.filter(user=user, used_at=None, digest__in=digests).count()
    return 0 < found == len(codes)


# Taking away


@transaction.atomic(durable=True)
def remove_app(*, actor: Actor, password: str) -> Changed:
    """Take no codes of an app any more.

    ``password`` is the actor's, as it was just confirmed. Raises PasswordTooShortAlone when nothing would be left
    but a short one, SessionOver.
    """
    user = lock_own_account(actor)
    removed, _per_model = AuthenticatorApp.objects.filter(user=user).delete()
    return _removed(actor, user, "app_removed", password, anything=bool(removed))


@transaction.atomic(durable=True)
def remove_passkey(*, actor: Actor, passkey: Passkey, password: str) -> Changed:
    """Let one of the actor's passkeys open nothing any more. Raises PasswordTooShortAlone, SessionOver."""
    user = lock_own_account(actor)
    removed, _per_model = Passkey.objects.filter(pk=passkey.pk, user=user).delete()
    return _removed(actor, user, "passkey_removed", password, anything=bool(removed))


def _removed(actor: Actor, user: User, event: str, password: str, *, anything: bool) -> Changed:
    if not anything:
        return Changed(user)
    if not has_second_factor(user):
        if len(password) < settings.SHORTEST_PASSWORD:
            raise PasswordTooShortAlone(minimum=settings.SHORTEST_PASSWORD)
        RecoveryCode.objects.filter(user=user).delete()
    end_every_session(user)
    tell(user, event)
    log_of_owner(actor, user, Action.FACTOR_REMOVED)
    return Changed(user)


@transaction.atomic(durable=True)
def reset_second_factor(*, actor: Actor, organization: Organization, member: Member) -> Member:
    """Take every second factor from a member who has lost theirs; their sessions end, and a letter tells them.

    An administrator does it for business accounts, whoever runs the installation for personal ones too. Raises
    NotTheirAccount, OwnSecondFactor, NoSecondFactor.
    """
    require(actor, organization, Capability.ASSIGN_ROLES)
    found = (
        Member.objects.of(organization)
        .select_for_update(no_key=True, of=("self",))
        .select_related("user")
        .filter(pk=member.pk)
        .order_by("pk")
        .first()
    )
    if found is None:
        raise PermissionDenied
    require_over(actor, found)
    if actor.user is not None and actor.user.pk == found.user_id:
        raise OwnSecondFactor
    if found.user.owner_id != organization.pk and not actor.can(Capability.RUN_INSTALLATION):
        raise NotTheirAccount
    _reset(found.user)
    record(
        organization=organization,
        actor=actor,
        action=Action.FACTORS_RESET,
        subject=found,
    )
    return found


@transaction.atomic(durable=True)
def reset_personal_second_factor(*, actor: Actor, user: User) -> None:
    """Take every second factor from a personal account, for whoever runs the installation. Raises NoSecondFactor."""
    if not actor.can(Capability.RUN_INSTALLATION) or user.kind != User.Kind.PERSONAL:
        raise PermissionDenied
    _reset(user)


def _reset(user: User) -> None:
    user = lock_account(user)
    if not forget_factors(user):
        raise NoSecondFactor
    forget_tries(CODES, str(user.pk))
    end_every_session(user)
    tell(user, "factors_reset")


# Using


def use_code(*, actor: Actor, user: User, code: str) -> None:
    """Take a code of the app of ``user``, or one of their recovery codes. Raises WrongCode, TooManyTries."""
    _count_code(actor=actor, user=user)
    plain = normalize_code(code)
    right = _use_app_code(user=user, code=plain) or _use_recovery_code(actor=actor, user=user, code=plain)
    if not right:
        raise WrongCode
    _forget_codes(actor=actor, user=user)


def _count_code(*, actor: Actor, user: User) -> None:
    # The refusal comes after commit: a try that is refused stays counted.
    wait, within = _climb_codes(actor=actor, user=user)
    if not within:
        raise TooManyTries(seconds=SIGN_IN_PLACE.minutes * 60)
    if wait is not None:
        refuse_wait(wait)


@transaction.atomic(durable=True)
def _climb_codes(*, actor: Actor, user: User) -> tuple[Wait | None, bool]:
    within = count_try(SIGN_IN_PLACE, actor.address)
    return climb(CODES, str(user.pk)) if within else None, within


@transaction.atomic(durable=True)
def _forget_codes(*, actor: Actor, user: User) -> None:
    # In the order in which they are counted, or two sign-ins would wait for each other.
    take_back_try(SIGN_IN_PLACE, actor.address)
    forget_tries(CODES, str(user.pk))
    forget_tries(PROOF, str(user.pk))


@transaction.atomic(durable=True)
def _use_app_code(*, user: User, code: str) -> bool:
    app = AuthenticatorApp.objects.filter(user=user).first()
    if app is None:
        return False
    period = find_period(unseal_secret(app.secret), code)
    if period is None:
        return False
    # Whoever comes second with the same code finds it used.
    used = AuthenticatorApp.objects.filter(pk=app.pk, last_period__lt=period)
    return bool(used.update(last_period=period, last_used_at=timezone.now()))


@transaction.atomic(durable=True)
def _use_recovery_code(*, actor: Actor, user: User, code: str) -> bool:
    unused = RecoveryCode.objects.filter(user=user, digest__in=recovery_digests(code), used_at=None)
    if not unused.update(used_at=timezone.now()):
        return False
    user = User.objects.select_related("owner").get(pk=user.pk)
    tell(user, "code_used")
    log_of_owner(actor, user, Action.RECOVERY_CODE_USED)
    return True


def use_passkey(
    *, actor: Actor, party: RelyingParty, challenge: Challenge, answer: str, user: User | None = None
) -> User:
    """The account that a passkey opens, which must be ``user`` when it is known already.

    Raises PasskeyRefused for every reason alike, and TooManyTries.
    """
    if not _count_place(actor=actor):
        raise TooManyTries(seconds=SIGN_IN_PLACE.minutes * 60)
    passkey = (
        Passkey.objects.select_related("user__owner")
        .filter(credential_id=credential_id_of(answer), user__is_active=True)
        .first()
    )
    count = party.verify_used(challenge, answer, passkey)
    assert passkey is not None
    if user is not None and passkey.user_id != user.pk:
        raise PasskeyRefused
    if not _note_use(actor=actor, passkey=passkey, count=count):
        raise PasskeyRefused
    return passkey.user


@transaction.atomic(durable=True)
def _count_place(*, actor: Actor) -> bool:
    return count_try(SIGN_IN_PLACE, actor.address)


@transaction.atomic(durable=True)
def _note_use(*, actor: Actor, passkey: Passkey, count: int) -> bool:
    """Note that a passkey was used; False when its count has gone back, as that of a copy does."""
    forward = Q(sign_count__lt=count) | (Q(sign_count=0) if count == 0 else Q(pk=None))
    noted = Passkey.objects.filter(forward, pk=passkey.pk).update(sign_count=count, last_used_at=timezone.now())
    if noted:
        take_back_try(SIGN_IN_PLACE, actor.address)
        forget_tries(PROOF, str(passkey.user_id))
    return bool(noted)
