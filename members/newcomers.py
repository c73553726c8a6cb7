"""Making business accounts: everything that a new member needs, in a handful of statements for any number."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.utils import timezone

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.mail import invitation_letter, write_letters
from members.models import Department, Invitation, Member, Organization, User
from members.names import search_text, sort_key
from skypemgr.many_rows import insert_rows


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Somebody to be added. Address and Skype Name are checked and free; ``password`` is a hash or "".

    ``language`` is that of their pages and letters; "" as the organization.
    """

    email: str
    skype_name: str
    first_name: str = ""
    last_name: str = ""
    job_title: str = ""
    department: Department | None = None
    language: str = ""
    role: str = Member.Role.MEMBER
    password: str = ""


def sorting_of(user: User, organization: Organization, email: str) -> dict[str, str]:
    """The columns of a member by which lists sort and search, from the person's names and address."""
    return {
        "sort_key": sort_key(user.display_name, organization.language),
        "search_text": search_text(user.first_name, user.last_name, user.skype_name, email),
    }


@transaction.atomic(savepoint=False)
def add_business_members(
    *, organization: Organization, actor: Actor, newcomers: Sequence[Newcomer], letters: bool = True
) -> list[Member]:
    """Make a business account, a membership, an invitation and (with ``letters``) a letter for each newcomer.

    As many statements for a hundred thousand as for one. Members come back in the order of ``newcomers``.
    Raises IntegrityError when a Skype Name or an address was taken in the meantime; then nothing of the
    transaction stands.
    """
    now = timezone.now()
    users = insert_rows(
        [
            User(
                skype_name=newcomer.skype_name,
                email=newcomer.email,
                first_name=newcomer.first_name,
                last_name=newcomer.last_name,
                language=newcomer.language,
                kind=User.Kind.BUSINESS,
                owner_id=organization.pk,
                password=newcomer.password or _no_password(),
                must_change_password=bool(newcomer.password),
            )
            for newcomer in newcomers
        ]
    )
    members = insert_rows(
        [
            Member(
                organization_id=organization.pk,
                user=user,
                department_id=newcomer.department.pk if newcomer.department else None,
                role=newcomer.role,
                email=newcomer.email,
                job_title=newcomer.job_title,
                **sorting_of(user, organization, newcomer.email),
            )
            for user, newcomer in zip(users, newcomers, strict=True)
        ]
    )
    invitations = insert_rows(
        [
            Invitation(
                organization_id=organization.pk,
                kind=User.Kind.BUSINESS,
                member=member,
                user_id=member.user_id,
                department_id=member.department_id,
                email=member.email,
                invited_by_id=actor.member.pk if actor.member else None,
                expires_at=now + timedelta(days=settings.INVITATION_DAYS),
            )
            for member in members
        ]
    )
    if letters:
        write_letters(invitation_letter(invitation) for invitation in invitations)
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(action=Action.MEMBER_ADDED, subject=member, after={"role": member.role, "kind": "business"})
            for member in members
        ],
    )
    return members


def _no_password() -> str:
    # As make_password(None) writes it, from one draw of chance instead of forty.
    return f"{UNUSABLE_PASSWORD_PREFIX}{secrets.token_urlsafe(30)}"
