"""Forms change what they offer, and speak of what is one's own: nothing else that is sent with them counts."""

import re
from contextlib import nullcontext
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from members.access import ROLES, Actor, Capability
from members.models import AuditEntry, Member
from members.services.members import assign_role
from tests.matrix.asking import rolled_back, rows
from tests.matrix.table import TABLE
from tests.matrix.test_urls import CHANGING, given, places
from tests.matrix.world import TRACE, keys_from

pytestmark = pytest.mark.usefixtures("db", "quiet")

FOREIGN = [(name, field) for name, page in TABLE.items() for field in page.foreign]
# What differs each time.
_VOLATILE = {"password", "key", "message_id", "digest", "request_id", "session", "url", "ending"}
NEW_KEYS = 500_000_000
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# One, or the first of a list.
_MOMENT = re.compile(r"(?:\[')?\d{4}-\d\d-\d\d[T ]\d\d:")


def asked_by(world: Any, name: str) -> Any:
    return world.people["newcomer" if TABLE[name].access == "first_password" else "administrator"]


@pytest.mark.parametrize(("name", "field"), FOREIGN)
def test_a_field_that_names_another_company_s_object_changes_nothing(world, asker, name, field):
    page, place = TABLE[name], next(places(name, world))
    foreign = {field: given(page.foreign, world.other)[field]}
    before = rows()

    with rolled_back():
        answer = asker.ask("POST", place.path, session=asked_by(world, name).session, data={**place.data, **foreign})
        after = rows()

    assert answer.status in (302, 404, 422)
    assert after == before
    assert not TRACE.search(answer.body.replace(str(foreign[field]), ""))


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, field in FOREIGN if field in TABLE[name].query])
def test_a_question_about_another_company_s_object_is_answered_as_if_there_were_none(world, asker, name, field):
    page, place = TABLE[name], next(places(name, world))
    foreign = str(given(page.foreign, world.other)[field])
    path = f"{place.path.partition('?')[0]}?{field}={foreign}"

    answer = asker.ask("GET", path, session=asked_by(world, name).session)

    assert answer.status in (200, 302, 422)
    assert not TRACE.search(answer.body.replace(foreign, ""))


def unasked(world: Any, name: str) -> dict[str, Any]:
    """What no form offers, in the words of the tables and of those who try."""
    other = world.other
    everything = {
        **dict.fromkeys(["organization", "organization_id", "owner", "owner_id"], other.organization.pk),
        **dict.fromkeys(["user", "user_id", "actor", "actor_id"], other.plain.user.pk),
        **dict.fromkeys(["member_id", "invited_by", "invited_by_id", "started_by"], other.plain.pk),
        **dict.fromkeys(["id", "pk", "_method"], other.plain.pk),
        **dict.fromkeys(["is_operator", "is_active", "is_staff", "is_superuser"], "on"),
        **dict.fromkeys(["email_verified_at", "joined_at", "erased_at", "expires_at"], timezone.now().isoformat()),
        **dict.fromkeys(["letters_released_at", "created_at"], timezone.now().isoformat()),
        **dict.fromkeys(["balance", "credit", "version", "session_version", "total", "attempts"], "1000"),
        "role": "administrator",
        "state": "active",
        "kind": "personal",
        "must_change_password": "",
        "slug": "hijacked",
        "currency": "USD",
        "country": "SE",
        "fingerprint": "0",
        "facts": "{}",
        "outcome": "done",
        "path": "/",
        "sort_key": "a",
        "search_text": "a",
    }
    offered = {*TABLE[name].send, *({"slug", "time_zone"} if name == "setup" else ())}
    return {field: value for field, value in everything.items() if field not in offered}


def changes(asker: Any, world: Any, name: str, extra: dict[str, Any]) -> tuple[int, list[str]]:
    """The status of a POST, and every value that it changed, whatever is new by each time aside."""
    place = next(places(name, world))
    before = rows()
    # New rows have the same keys each time.
    with rolled_back(), keys_from(NEW_KEYS):
        answer = asker.ask("POST", place.path, session=asked_by(world, name).session, data={**place.data, **extra})
        after = rows()
    told = []
    for (table, key), row in after.items():
        known = before.get((table, key), {})
        for column, value in row.items():
            if column not in _VOLATILE and not _MOMENT.match(str(value)) and known.get(column, known) != value:
                told.append(f"{table} {key} {column}: {_KEY.sub('a key', str(value))}")
    told += [f"{table} {key} is gone" for table, key in before.keys() - after.keys()]
    return answer.status, sorted(told)


@pytest.mark.parametrize("name", CHANGING)
def test_what_a_form_does_not_offer_is_not_changed_by_it(world, asker, name):
    status, one = changes(asker, world, name, unasked(world, name))
    same, other = changes(asker, world, name, {})

    assert status == same
    assert set(one) ^ set(other) == set()


def test_the_comparison_sees_a_value_that_changes(world, asker):
    status, one = changes(asker, world, "members:member_role", {})
    same, other = changes(asker, world, "members:member_role", {"role": "voice_manager"})

    assert (status, same) == (302, 302)
    assert set(one) ^ set(other)


# Roles


@pytest.mark.parametrize("role", Member.Role)
@pytest.mark.parametrize("giver", Member.Role)
def test_a_role_is_given_by_nobody_who_can_do_less(world, asker, giver, role):
    path = reverse("members:member_role", args=[world.own.word, world.own.plain.user.skype_name])

    with rolled_back():
        answer = asker.ask("POST", path, session=world.people[giver].session, data={"role": role})
        given_role = Member.objects.get(pk=world.own.plain.pk).role

    allowed = Capability.ASSIGN_ROLES in ROLES[giver] and ROLES[role] <= ROLES[giver]
    assert answer.status == (302 if allowed else 403)
    assert given_role == (role if allowed else Member.Role.MEMBER)


@pytest.mark.parametrize("role", Member.Role)
def test_who_may_assign_roles_and_little_else_gives_little(world, role):
    """No role is like that today; the rule must not depend on which roles there are."""
    own = world.own
    capabilities = ROLES[Member.Role.MEMBERS_MANAGER] | {Capability.ASSIGN_ROLES}
    actor = Actor(
        kind=AuditEntry.ActorKind.MEMBER,
        capabilities=capabilities,
        user=own.members_manager.user,
        member=own.members_manager,
    )

    with rolled_back(), nullcontext() if ROLES[role] <= capabilities else pytest.raises(PermissionDenied):
        assign_role(actor=actor, organization=own.organization, member=own.plain, role=role)
