"""Forgetting a person who has left. What they did stays in the log, by a name that says nothing."""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from members.access import Actor, Capability, require_even_closed, require_over
from members.audit import Action, record
from members.errors import StateForbids
from members.factors import drop_sessions, forget_factors
from members.forgetting import empty_rows
from members.models import AuditOrigin, Invitation, Letter, Member, Organization, User
from members.newcomers import sorting_of
from members.skype_names import free_skype_name


@transaction.atomic(durable=True)
def erase_member(*, actor: Actor, organization: Organization, member: Member) -> Member:
    """Replace what is known of a member who has left by ``erased-<id>``; it can't be undone.

    Names, addresses, where they acted from, their letters and their rows of imports go; the log stays. A
    personal account is its owner's and stays too: only the membership forgets whose it was. Raises StateForbids
    while they are a member. Of a closed organization nobody is, and operators do it.
    """
    require_even_closed(actor, organization, Capability.MANAGE_MEMBERS)
    member = _lock(organization, member)
    require_over(actor, member)
    if not is_gone(organization, member):
        raise StateForbids(state=member.get_state_display())
    if member.user.erased_at is not None:
        return member
    person = member.user
    addresses = {member.email, *Invitation.objects.filter(member=member).values_list("email", flat=True)}
    if person.owner_id == organization.pk:
        addresses.add(person.email)
        nobody = _empty_account(person)
        AuditOrigin.objects.filter(user=person).delete()
    else:
        nobody = _nameless_account(member)
    _empty_letters(member, person, nobody)
    empty_rows(organization, Q(member=member), addresses)
    Invitation.objects.filter(organization=organization, member=member).update(email="", user=nobody)
    member.user, member.email, member.job_title = nobody, "", ""
    for column, value in sorting_of(nobody, organization, "").items():
        setattr(member, column, value)
    member.save(update_fields=["user", "email", "job_title", "sort_key", "search_text"])
    record(organization=organization, actor=actor, action=Action.MEMBER_ERASED, subject=member)
    return member


def is_gone(organization: Organization, member: Member) -> bool:
    """Whether somebody is no member any more. The business accounts of a closed organization are blocked for good."""
    closed = organization.closed_at is not None
    return member.state == Member.State.LEFT or (closed and member.state == Member.State.BLOCKED)


def _lock(organization: Organization, member: Member) -> Member:
    locked = (
        Member.objects.of(organization)
        .select_for_update(no_key=True, of=("self", "user"))
        .select_related("user")
        .filter(pk=member.pk)
        .order_by("pk")
        .first()
    )
    if locked is None:
        raise PermissionDenied
    return locked


def _empty_account(person: User) -> User:
    """Leave of a business account only that it was there."""
    person.skype_name = free_skype_name(f"erased-{person.pk}")
    person.email = person.first_name = person.last_name = person.language = ""
    person.email_verified_at = None
    person.password = make_password(None)
    person.must_change_password = person.is_active = person.is_operator = False
    person.erased_at = timezone.now()
    person.save()
    forget_factors(person)
    drop_sessions([person.pk])
    return person


def _nameless_account(member: Member) -> User:
    """An account of nobody, to stand in for a personal one that goes on elsewhere."""
    return User.objects.create(
        skype_name=free_skype_name(f"erased-m{member.pk}"),
        email="",
        kind=User.Kind.PERSONAL,
        password=make_password(None),
        is_active=False,
        erased_at=timezone.now(),
    )


def _empty_letters(member: Member, person: User, nobody: User) -> None:
    """Empty the letters about the membership, and all those of an account that goes; nothing waiting leaves."""
    mine = Q(member=member)
    if nobody == person:
        mine |= Q(user=person)
    letters = Letter.objects.filter(mine)
    letters.filter(state=Letter.State.WAITING).update(state=Letter.State.CANCELED, closed_at=Now(), leased_until=None)
    letters.update(email="", facts={}, last_error="", user=nobody)
