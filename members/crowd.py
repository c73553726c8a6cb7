"""Hundreds of thousands of believable people, written by the database from a few thousand names. For local mode.

What they are follows from their number alone, so that the same company comes out every time.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from members.access import Actor
from members.departments import find_or_add_departments, join_path
from members.models import Member, Organization
from members.names import fold, propose_skype_name, sort_key
from members.tallies import fold_tallies
from skypemgr.bare_tables import bare_tables

AT_ONCE = 100_000
# More are written before their indexes are.
MOST_INDEXED = 10_000
TABLES = (
    "members_user",
    "members_member",
    "members_tenure",
    "members_invitation",
    "members_letter",
    "members_auditentry",
)
REGIONS = {
    "Europe du Sud": ["Studio Lyon", "Studio Paris", "Studio Milan", "Studio Porto"],
    "Europe du Nord": ["Studio Stockholm", "Studio Oslo", "Studio Bergen", "Studio Leeds"],
}
TEAMS = (
    *("Accueil", "Achats", "Acoustique", "Archives", "Atelier", "Chantiers", "Comptabilité", "Concours"),
    *("Conception", "Contrats", "Développement", "Façades", "Fluides", "Incendie", "Informatique", "Juridique"),
    *("Maquettes", "Matériaux", "Paysage", "Qualité", "Recherche", "Structures", "Urbanisme", "Éclairage"),
)
# One hash function for each thing that is chosen, so that names, departments and states don't go together.
NAME, PLACE, STATE, ROLE, KIND, WHEN = 2654435761, 2246822519, 3266489917, 668265263, 374761393, 2971215073

_PEOPLE = """
    INSERT INTO crowd_person
    SELECT number, nextval('members_user_id_seq'), nextval('members_member_id_seq'),
        nextval('members_invitation_id_seq'), chosen.place,
        CASE WHEN chosen.state < 0.86 THEN 'active' WHEN chosen.state < 0.94 THEN 'invited'
            WHEN chosen.state < 0.97 THEN 'blocked' ELSE 'left' END,
        CASE WHEN chosen.role < 0.001 THEN 'administrator' WHEN chosen.role < 0.004 THEN 'members_manager'
            WHEN chosen.role < 0.006 THEN 'credit_manager' WHEN chosen.role < 0.009 THEN 'voice_manager'
            WHEN chosen.role < 0.012 THEN 'reports_viewer' ELSE 'member' END,
        CASE WHEN chosen.kind < 0.05 THEN 'personal' ELSE 'business' END,
        -- Departments came one after another, so people of one came at about the same time.
        %(now)s::timestamptz - interval '3 years' + interval '1 second' * floor(86400 * (
            900 * coalesce(chosen.place, 0)::float / %(places)s + 150 * chosen.moment)),
        crowd_name.*
    FROM generate_series(%(first)s::bigint, %(last)s) AS number
    CROSS JOIN LATERAL (
        SELECT CASE WHEN {place} < 0.03 THEN NULL ELSE 1 + floor(power({place}, 1.5) * %(places)s)::int END AS place,
            {state} AS state, {role} AS role, {kind} AS kind, {moment} AS moment,
            1 + floor({name} * %(names)s)::int AS name
    ) AS chosen
    JOIN crowd_name ON crowd_name.name = chosen.name
"""
_USERS = """
    INSERT INTO members_user (id, skype_name, email, email_verified_at, first_name, last_name, language, kind, owner_id,
        is_active, is_operator, must_change_password, created_at, session_version, password)
    SELECT user_id, skype_name || user_id, skype_name || user_id || %(host)s,
        CASE WHEN state <> 'invited' THEN came_at END, first_name, last_name, language, kind,
        CASE WHEN kind = 'business' THEN %(organization)s::bigint END,
        kind = 'personal' OR state IN ('active', 'invited'),
        false, false, came_at, 0,
        CASE WHEN kind = 'business' AND state IN ('invited', 'left') THEN %(unusable)s ELSE %(password)s END
    FROM crowd_person ORDER BY user_id
"""
_MEMBERS = """
    INSERT INTO members_member (id, organization_id, user_id, account_kind, department_id, role, state, email, sort_key,
        search_text, created_at, joined_at)
    SELECT member_id, %(organization)s, user_id, kind, crowd_place.department_id, role, state,
        skype_name || user_id || %(host)s, sort_key,
        folded || ' ' || skype_name || user_id || ' ' || skype_name || user_id || %(host)s, came_at,
        CASE WHEN state <> 'invited' THEN came_at + interval '1 day' END
    FROM crowd_person LEFT JOIN crowd_place USING (place) ORDER BY member_id
"""
_INVITATIONS = """
    INSERT INTO members_invitation (id, organization_id, kind, member_id, user_id, department_id, email, invited_by_id,
        state, version, created_at, expires_at, closed_at, reply)
    SELECT invitation_id, %(organization)s, kind, member_id, user_id, crowd_place.department_id,
        skype_name || user_id || %(host)s, %(founder)s, CASE WHEN state = 'invited' THEN 'pending' ELSE 'accepted' END,
        1, came_at, CASE WHEN number %% 3 = 0 THEN came_at + interval '14 days' ELSE %(now)s + interval '9 days' END,
        CASE WHEN state <> 'invited' THEN came_at + interval '1 day' END,
        CASE WHEN state = 'invited' AND number %% 50 = 0 THEN 'new_link' ELSE '' END
    FROM crowd_person LEFT JOIN crowd_place USING (place) ORDER BY invitation_id
"""
_LETTERS = """
    INSERT INTO members_letter (organization_id, kind, user_id, member_id, invitation_id, email, language, facts, state,
        attempts, last_error, due_at, message_id, created_at, closed_at)
    SELECT %(organization)s, 'invitation', user_id, member_id, invitation_id, skype_name || user_id || %(host)s,
        '', '{{}}',
        CASE WHEN number %% 200 = 0 THEN 'failed' ELSE 'sent' END, 1,
        CASE WHEN number %% 200 = 0 THEN '550, refused' ELSE '' END, came_at, gen_random_uuid(), came_at,
        came_at + interval '1 minute'
    FROM crowd_person WHERE state = 'invited' ORDER BY invitation_id
"""
_LOG = """
    INSERT INTO members_auditentry (organization_id, at, actor_kind, actor_user_id, actor_member_id, action,
        subject_type, subject_id, subject_member_id, before, after, reason)
    SELECT %(organization)s, happened.at, 'member', %(founder_user)s, %(founder)s, happened.action, 'member', member_id,
        member_id, '{{}}', '{{}}', ''
    FROM crowd_person CROSS JOIN LATERAL (
        VALUES (came_at, CASE kind WHEN 'business' THEN 'member.added' ELSE 'member.joined' END),
            (CASE WHEN state IN ('blocked', 'left') THEN came_at + interval '90 days' END, 'member.' || state)
    ) AS happened (at, action)
    WHERE happened.at IS NOT NULL ORDER BY happened.at
"""
_TABLES = """
    CREATE TEMPORARY TABLE crowd_name (name int PRIMARY KEY, first_name text, last_name text,
        language text, skype_name text, sort_key text, folded text) ON COMMIT DROP;
    CREATE TEMPORARY TABLE crowd_place (place int PRIMARY KEY, department_id bigint) ON COMMIT DROP;
    CREATE TEMPORARY TABLE crowd_person (number bigint, user_id bigint, member_id bigint, invitation_id bigint,
        place int, state text, role text, kind text, came_at timestamptz, name int, first_name text, last_name text,
        language text, skype_name text, sort_key text, folded text) ON COMMIT DROP;
"""


@dataclass(frozen=True, kw_only=True)
class Tongue:
    """The names of one country, and the language of those who have them ("": that of the organization)."""

    first_names: Sequence[str]
    last_names: Sequence[str]
    language: str


@transaction.atomic(savepoint=False)
def add_crowd(
    *,
    organization: Organization,
    founder: Member,
    number: int,
    tongues: Sequence[Tongue],
    password: str,
    first: int = 1,
) -> None:
    """Add ``number`` people in every state and role to ``organization``, in two hundred departments.

    ``password`` is that of all who have joined, in clear. They are numbered from ``first``.
    """
    departments = find_or_add_departments(
        organization=organization, actor=Actor.of_member(founder), paths=list(_paths())
    )
    people = list(_names(organization, tongues))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        # The index of trigrams takes many rows at once far better than a few.
        cursor.execute("SET LOCAL gin_pending_list_limit = '64MB'; SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(_TABLES)
        with cursor.copy("COPY crowd_name FROM STDIN") as copy:
            for row in people:
                copy.write_row(row)
        with cursor.copy("COPY crowd_place FROM STDIN") as copy:
            for place, path in enumerate(departments, 1):
                copy.write_row((place, departments[path].pk))
        facts: dict[str, Any] = {
            "organization": organization.pk,
            "founder": founder.pk,
            "founder_user": founder.user_id,
            "host": f"@{organization.slug}.example",
            "now": organization.created_at,
            "places": len(departments),
            "names": len(people),
            "password": make_password(password),
            "unusable": make_password(None),
        }
        choices = {
            "name": _chance(NAME),
            "place": _chance(PLACE),
            "state": _chance(STATE),
            "role": _chance(ROLE),
            "kind": _chance(KIND),
            "moment": _chance(WHEN),
        }
        with bare_tables(TABLES) if number >= MOST_INDEXED else nullcontext():
            for start in range(first, first + number, AT_ONCE):
                facts |= {"first": start, "last": min(start + AT_ONCE, first + number) - 1}
                cursor.execute("TRUNCATE crowd_person")
                for statement in (_PEOPLE, _USERS, _MEMBERS, _INVITATIONS, _LETTERS, _LOG):
                    cursor.execute(statement.format(**choices), facts)
    fold_tallies(organization_id=organization.pk)


def tidy_tables() -> None:
    """Have the planner know what was added; outside of any transaction."""
    with connection.cursor() as cursor:
        for model in ("user", "member", "tenure", "invitation", "letter", "auditentry", "membertally"):
            cursor.execute(f"VACUUM (ANALYZE) members_{model}")


def _chance(factor: int) -> str:
    """A number from 0 to 1 that follows from that of the person."""
    return f"((number * {factor} %% 4294967296)::float / 4294967296)"


def _paths() -> Iterator[str]:
    for region, studios in REGIONS.items():
        yield region
        for studio in studios:
            yield join_path([region, studio])
            for team in TEAMS[: 23 if studio in ("Studio Oslo", "Studio Bergen") else 24]:
                yield join_path([region, studio, team])


def _names(organization: Organization, tongues: Sequence[Tongue]) -> Iterator[tuple[object, ...]]:
    everybody = (
        (first, last, tongue.language)
        for tongue in tongues
        for first, one, other in product(tongue.first_names, tongue.last_names, tongue.last_names)
        for last in [one if one == other else f"{one}-{other}"]
    )
    for number, (first, last, language) in enumerate(everybody, 1):
        base, _notes = propose_skype_name(wanted=f"{first}.{last}".lower())
        yield (
            number,
            first,
            last,
            language,
            base[:20].rstrip(".,_-"),
            sort_key(f"{first} {last}", organization.language),
            f"{fold(first)} {fold(last)}",
        )
