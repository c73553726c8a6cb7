"""A believable company to try everything on, made by the same pieces as a real one. Local mode only."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import batched, count

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from members.access import Actor
from members.audit import Action, record
from members.crowd import Tongue, add_crowd
from members.departments import find_or_add_departments
from members.models import Invitation, Member, Organization, Tenure, User
from members.names import propose_skype_name
from members.newcomers import Newcomer, add_business_members, sorting_of

SLUG = "architectes"
# Printed with the sign-ins; it opens nothing but the demo company of a development machine.
PASSWORD = "un pont trois lanternes"  # noqa: S105
ADMINISTRATOR = "architectes.admin"
MEMBER = "camille.rousseau"

DEPARTMENTS = ["Studio Lyon", "Studio Paris", "Studio Stockholm"]
FRENCH = (
    "Camille Émile Inès Margaux Yann Théo Louise Noé Gaëlle Loïc Clémence Maëlle Rémi Agathe Bastien Élodie",
    "Rousseau Fontaine Benali Delorme Tanguy Lacombe Vasseur Kermarrec Garnier Pichon Moreau Even Aubry Chevalier",
)
SWEDISH = (
    "Agnès Björn Frida Linnéa Åsa Sigrid Elin Oskar Maja Nils Ebba Gustav Ylva Henrik Saga Örjan",
    "Lindqvist Åkesson Holmström Sjöberg Björkman Öberg Strömberg Näslund Ahlström Hedlund Wikström Ek Nyström",
)
ENGLISH = (
    "Oliver Saoirse Rhys Owen Harriet Imogen Callum Niamh",
    "Pemberton Whitfield Llewellyn Treharne Ashworth Kavanagh",
)
CHUNK = 2_000
# From here on they are made as a crowd, and others join them when more are asked for.
MANY = 2_000
FEW = 40


@transaction.atomic(durable=True)
def seed_demo(*, actor: Actor, members: int = FEW) -> Organization:
    """Make the demo company with ``members`` people, or give the one there is. Raises PermissionDenied elsewhere.

    When thousands are asked for and it has fewer, they are added: then call ``crowd.tidy_tables``.
    """
    if not settings.LOCAL:
        raise PermissionDenied
    with connection.cursor() as cursor:
        # Two that start at once make one company; a very large one takes longer than a page.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('members.seed_demo'))")
        cursor.execute("SET LOCAL statement_timeout = '120s'")
    existing = Organization.objects.filter(slug=SLUG).first()
    if existing is not None:
        _grow(existing, members)
        return existing
    now = timezone.now()
    organization = Organization.objects.create(
        name="Architectes",
        slug=SLUG,
        country="FR",
        currency="EUR",
        time_zone="Europe/Paris",
        language="fr",
        letters_released_at=now,
    )
    founder = _founder(organization, now)
    record(
        organization=organization,
        actor=Actor.of_member(founder),
        action=Action.ORGANIZATION_SET_UP,
        subject=organization,
        member=founder,
    )
    # The same company every time.
    chooser = random.Random(7)  # noqa: S311
    few = members if members < MANY else FEW
    people = _people(organization, founder, few - 1, chooser)
    for chunk in batched(people, CHUNK, strict=False):
        _add(organization, founder, chunk, chooser, now)
    _give_roles(organization)
    _grow(organization, members)
    return organization


def _grow(organization: Organization, members: int) -> None:
    """Add those who are missing to a very large company."""
    there = Member.objects.of(organization).count() if members >= MANY else members
    if there >= members:
        return
    founder = Member.objects.of(organization).get(user__skype_name=ADMINISTRATOR)
    tongues = [
        Tongue(first_names=first_names.split(), last_names=last_names.split(), language=language)
        for (first_names, last_names), language in ((FRENCH, ""), (SWEDISH, "sv"), (ENGLISH, "en"))
    ]
    add_crowd(
        organization=organization,
        founder=founder,
        number=members - there,
        tongues=tongues,
        password=PASSWORD,
        first=there + 1,
    )


def _founder(organization: Organization, now: datetime) -> Member:
    user = User.objects.create(
        skype_name=ADMINISTRATOR,
        email="helene.marchand@architectes.example",
        email_verified_at=now,
        first_name="Hélène",
        last_name="Marchand",
        language="en",
        kind=User.Kind.PERSONAL,
        password=make_password(PASSWORD),
    )
    return Member.objects.create(
        organization=organization,
        user=user,
        email=user.email,
        role=Member.Role.ADMINISTRATOR,
        state=Member.State.ACTIVE,
        joined_at=now,
        **sorting_of(user, organization, user.email),
    )


def _people(
    organization: Organization, founder: Member, number: int, chooser: random.Random
) -> Iterator[tuple[Newcomer, str]]:
    """Newcomers with the language each of them reads; the first is always the same, so that she can sign in."""
    departments = find_or_add_departments(organization=organization, actor=Actor.of_member(founder), paths=DEPARTMENTS)
    places = [(FRENCH, "fr", "Studio Lyon"), (FRENCH, "fr", "Studio Paris"), (SWEDISH, "sv", "Studio Stockholm")]
    places += [(ENGLISH, "en", "Studio Paris")]
    used: set[str] = {ADMINISTRATOR}
    made = 0
    for step in count():
        if made == number:
            return
        (first_names, last_names), language, department = (
            places[0] if step == 0 else chooser.choices(places, [4, 4, 4, 1])[0]
        )
        first = first_names.split()[0] if step == 0 else chooser.choice(first_names.split())
        last = last_names.split()[0] if step == 0 else chooser.choice(last_names.split())
        name, _notes = propose_skype_name(wanted=f"{first}.{last}".lower())
        if name in used:
            # Small companies hold no namesakes; in very large ones they are numbered.
            if step < 40 * number and number < 400:
                continue
            name = f"{name[:24]}{step}"
        used.add(name)
        made += 1
        yield (
            Newcomer(
                email=f"{name}@architectes.example",
                skype_name=name,
                first_name=first,
                last_name=last,
                department=departments[department],
            ),
            language,
        )


def _add(
    organization: Organization,
    founder: Member,
    chunk: tuple[tuple[Newcomer, str], ...],
    chooser: random.Random,
    now: datetime,
) -> None:
    # The first one has joined, so that somebody but the administrator can sign in.
    joined = [person for index, person in enumerate(chunk) if index == 0 or chooser.random() < 0.85]
    waiting = [person for person in chunk if person not in joined]
    password = make_password(PASSWORD)
    for people, letters in ((joined, False), (waiting, True)):
        members = add_business_members(
            organization=organization,
            actor=Actor.of_member(founder),
            newcomers=[newcomer for newcomer, _language in people],
            letters=letters and len(chunk) < CHUNK,
        )
        for language in ("fr", "sv", "en"):
            readers = [member.user_id for member, (_, reads) in zip(members, people, strict=True) if reads == language]
            User.objects.filter(pk__in=readers).update(language="" if language == "fr" else language)
        if people is joined:
            pks = [member.pk for member in members]
            Member.objects.filter(pk__in=pks).update(
                state=Member.State.ACTIVE, joined_at=now - timedelta(days=30), created_at=now - timedelta(days=31)
            )
            Tenure.objects.filter(member__in=pks).update(started_at=now - timedelta(days=31))
            Invitation.objects.filter(member__in=pks).update(
                state=Invitation.State.ACCEPTED, closed_at=now - timedelta(days=30)
            )
            User.objects.filter(memberships__in=pks).update(password=password, email_verified_at=F("created_at"))


def _give_roles(organization: Organization) -> None:
    roles = [Member.Role.MEMBERS_MANAGER, Member.Role.CREDIT_MANAGER, Member.Role.VOICE_MANAGER]
    roles += [Member.Role.REPORTS_VIEWER]
    active = Member.objects.of(organization).filter(state=Member.State.ACTIVE, role=Member.Role.MEMBER)
    chosen = active.exclude(user__skype_name=MEMBER).order_by("pk")[: len(roles)]
    for member, role in zip(chosen, roles, strict=False):
        Member.objects.filter(pk=member.pk).update(role=role)
