"""Second factors of an account, and what follows when they change: letter, log, and the end of its sessions."""

from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F

from members.access import Actor
from members.audit import Action, record
from members.codes import new_recovery_codes, recovery_digest
from members.errors import SessionOver
from members.mail import personal_letter, write_letters
from members.models import AuthenticatorApp, Letter, Member, Passkey, RecoveryCode, User, UserSession
from skypemgr.sealing import seal, unseal

SECRET = "members.authenticator_app"  # noqa: S105


@dataclass(frozen=True)
class Factors:
    """What an account can show besides its password."""

    app: AuthenticatorApp | None
    passkeys: list[Passkey]
    codes_left: int

    def __bool__(self) -> bool:
        return self.app is not None or bool(self.passkeys)


def factors_of(user: User) -> Factors:
    """The second factors of ``user``; false when there is none. Recovery codes alone are none."""
    return Factors(
        app=AuthenticatorApp.objects.filter(user=user).first(),
        passkeys=list(Passkey.objects.filter(user=user).order_by("pk")),
        codes_left=RecoveryCode.objects.filter(user=user, used_at=None).count(),
    )


def has_second_factor(user: User) -> bool:
    """Whether signing in takes more than the password of ``user``."""
    apps = AuthenticatorApp.objects.filter(user=user).values("pk")
    return apps.union(Passkey.objects.filter(user=user).values("pk"), all=True).exists()


def seal_secret(secret: str) -> str:
    """A secret of an authenticator app as it is kept."""
    return seal(secret, purpose=SECRET)


def unseal_secret(sealed: str) -> str:
    """Raises Unsealable when SECRET_KEY was changed without keeping the earlier one."""
    return unseal(sealed, purpose=SECRET)


@transaction.atomic(savepoint=False)
def lock_account(user: User) -> User:
    """The account as it is now; what follows is done by nobody else meanwhile."""
    return User.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").get(pk=user.pk)


@transaction.atomic(savepoint=False)
def lock_own_account(actor: Actor) -> User:
    """The actor's own account, as ``lock_account`` gives it, for what decides who opens it.

    Raises SessionOver when their session was ended while they asked: whoever ended it must not find it alive again,
    or the account in the hands of somebody else.
    """
    assert actor.user is not None
    user = lock_account(actor.user)
    if actor.session and not UserSession.objects.filter(user=user, key=actor.session).exists():
        raise SessionOver
    return user


@transaction.atomic(savepoint=False)
def write_recovery_codes(user: User) -> list[str]:
    """Ten new recovery codes in place of those there were; nobody can read them again."""
    codes = new_recovery_codes()
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=recovery_digest(code)) for code in codes])
    return codes


@transaction.atomic(savepoint=False)
def forget_factors(user: User) -> bool:
    """Delete everything but the password that opens an account; gives whether there was a second factor."""
    apps, _per_model = AuthenticatorApp.objects.filter(user=user).delete()
    passkeys, _per_model = Passkey.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    return bool(apps + passkeys)


@transaction.atomic(savepoint=False)
def end_every_session(user: User) -> None:
    """Sign a locked account out everywhere, at once and for good."""
    user.session_version = F("session_version") + 1
    user.save(update_fields=["session_version"])
    user.refresh_from_db(fields=["session_version"])
    drop_sessions([user.pk])


@transaction.atomic(savepoint=False)
def drop_sessions(users: list[int]) -> None:
    """Forget the browsers in which accounts were signed in whose sessions have just been made worthless."""
    sessions = UserSession.objects.filter(user__in=users)
    Session.objects.filter(session_key__in=sessions.values("key")).delete()
    sessions.delete()


@transaction.atomic(savepoint=False)
def tell(user: User, event: str) -> None:
    """Write a letter to an account about a change of how it signs in; ``event`` is a key of ``sign_in_texts``."""
    letter = personal_letter(Letter.Kind.SIGN_IN_CHANGED, user)
    letter.facts = {"event": event}
    write_letters([letter])


@transaction.atomic(savepoint=False)
def log_of_owner(actor: Actor, user: User, action: Action) -> None:
    """Log what the person did for the organization that owns the account; a personal one is its owner's business."""
    if user.owner is None:
        return
    record(
        organization=user.owner,
        actor=Actor.of_person(user, address=actor.address),
        action=action,
        subject=user,
        member=Member.objects.filter(organization=user.owner, user=user).first(),
    )
