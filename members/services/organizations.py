"""Setting up a Skype Manager: an organization and its first administrator, at once."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from members.access import Actor, Capability
from members.audit import Action, record
from members.errors import SetupClosed, SkypeNameTaken, SlugReserved, SlugTaken
from members.mail import personal_letter, write_letters
from members.models import Letter, Member, Organization, User
from members.newcomers import Newcomer, add_business_members, sorting_of
from members.operations import claim, settle
from members.skype_names import free_skype_name
from skypemgr.reserved import reserved_words


@dataclass(frozen=True, kw_only=True)
class Company:
    """What is asked of a company. Country ISO 3166, currency ISO 4217 (frozen from now on), zone by tz name."""

    name: str
    slug: str
    country: str
    currency: str
    time_zone: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Founder:
    """The first administrator: an account that exists, or the facts of a new one (``password`` is a hash)."""

    user: User | None = None
    skype_name: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    password: str = ""
    language: str = ""


def setup_is_open(actor: Actor) -> bool:
    """Whether ``actor`` may set up a Skype Manager here (setting SETUP: open, first or operator)."""
    if actor.can(Capability.RUN_INSTALLATION):
        return True
    return settings.SETUP == "open" or (settings.SETUP == "first" and not Organization.objects.exists())


def free_slug(slug: str) -> str:
    """``slug``, or the first of ``slug-2``, ``slug-3``… that neither an organization nor a page has."""
    taken = set(Organization.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    taken |= reserved_words()
    candidate, number = slug, 1
    while candidate in taken:
        number += 1
        candidate = f"{slug[:50]}-{number}"
    return candidate


def set_up_organization(*, actor: Actor, company: Company, founder: Founder, key: UUID) -> Member:
    """Make an organization and its first administrator; the same key again gives the same administrator.

    An existing founder must be the actor's own personal account. No letter of the organization leaves before
    the founder's address is verified. Raises SetupClosed, SlugTaken, SlugReserved, SkypeNameTaken.
    """
    try:
        return _set_up(actor=actor, company=company, founder=founder, key=key)
    except IntegrityError:
        _refuse_taken(company, founder)
        raise


@transaction.atomic(durable=True)
def _set_up(*, actor: Actor, company: Company, founder: Founder, key: UUID) -> Member:
    # Two first set-ups at once would each see an empty installation: there is no row to lock yet.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('members.set_up_organization'))")
    facts = {"name": company.name, "slug": company.slug, "founder": founder.skype_name or str(founder.user)}
    if earlier := claim(organization=None, name="set_up_organization", key=key, facts=facts):
        return Member.objects.select_related("organization", "user").get(pk=earlier.result["member"])
    if not setup_is_open(actor):
        raise SetupClosed
    _refuse_taken(company, founder)

    user = _founding_user(actor, founder)
    now = timezone.now()
    organization = Organization.objects.create(
        name=company.name,
        slug=company.slug,
        country=company.country,
        currency=company.currency,
        time_zone=company.time_zone,
        language=company.language,
        letters_released_at=now if user.email_verified_at else None,
    )
    member = Member.objects.create(
        organization=organization,
        user=user,
        email=user.email,
        role=Member.Role.ADMINISTRATOR,
        state=Member.State.ACTIVE,
        joined_at=now,
        **sorting_of(user, organization, user.email),
    )
    if not user.email_verified_at:
        write_letters(
            [personal_letter(Letter.Kind.ADDRESS_VERIFICATION, user, organization=organization, member=member)]
        )
    record(
        organization=organization,
        actor=Actor.of_member(member, address=actor.address) if actor.user in (None, user) else actor,
        action=Action.ORGANIZATION_SET_UP,
        subject=organization,
        member=member,
        after={
            "country": company.country,
            "currency": company.currency,
            "time_zone": company.time_zone,
            "language": company.language,
        },
    )
    settle(organization=None, name="set_up_organization", key=key, result={"member": member.pk})
    return member


def create_organization(*, actor: Actor, company: Company, founder: Founder) -> Member:
    """Make an organization for an administrator named by whoever runs the installation.

    The address counts as verified: an operator vouches for it. With a password the administrator is active at
    once, without one they are invited by a letter and choose their own. Raises SlugTaken, SkypeNameTaken,
    SlugReserved, PermissionDenied.
    """
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    try:
        return _create(actor=actor, company=company, founder=founder)
    except IntegrityError:
        _refuse_taken(company, founder)
        raise


@transaction.atomic(durable=True)
def _create(*, actor: Actor, company: Company, founder: Founder) -> Member:
    _refuse_taken(company, founder)
    now = timezone.now()
    organization = Organization.objects.create(
        name=company.name,
        slug=company.slug,
        country=company.country,
        currency=company.currency,
        time_zone=company.time_zone,
        language=company.language,
        letters_released_at=now,
    )
    if founder.password:
        user = _new_personal_user(founder)
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
        member = Member.objects.create(
            organization=organization,
            user=user,
            email=user.email,
            role=Member.Role.ADMINISTRATOR,
            state=Member.State.ACTIVE,
            joined_at=now,
            **sorting_of(user, organization, user.email),
        )
    else:
        [member] = add_business_members(
            organization=organization,
            actor=actor,
            newcomers=[
                Newcomer(
                    email=founder.email,
                    skype_name=founder.skype_name,
                    first_name=founder.first_name,
                    last_name=founder.last_name,
                    role=Member.Role.ADMINISTRATOR,
                )
            ],
        )
    record(
        organization=organization,
        actor=actor,
        action=Action.ORGANIZATION_SET_UP,
        subject=organization,
        member=member,
        after={"country": company.country, "currency": company.currency, "time_zone": company.time_zone},
    )
    return member


def _founding_user(actor: Actor, founder: Founder) -> User:
    if founder.user is None:
        return _new_personal_user(founder)
    own = actor.user is not None and actor.user.pk == founder.user.pk
    if not own or founder.user.kind != User.Kind.PERSONAL:
        raise PermissionDenied
    return founder.user


def _refuse_taken(company: Company, founder: Founder) -> None:
    """Refuse an address or a name that somebody has; asked once more when somebody has just been quicker."""
    if company.slug in reserved_words():
        raise SlugReserved(slug=company.slug, free=free_slug(company.slug))
    if Organization.objects.filter(slug=company.slug).exists():
        raise SlugTaken(slug=company.slug, free=free_slug(company.slug))
    skype_name = founder.skype_name
    if founder.user is None and User.objects.named(skype_name).exists():
        raise SkypeNameTaken(skype_name=skype_name, free=free_skype_name(skype_name))


def _new_personal_user(founder: Founder) -> User:
    return User.objects.create(
        skype_name=founder.skype_name,
        email=founder.email,
        first_name=founder.first_name,
        last_name=founder.last_name,
        language=founder.language,
        kind=User.Kind.PERSONAL,
        password=founder.password or make_password(None),
    )
