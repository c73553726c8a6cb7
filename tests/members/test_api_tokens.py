"""Tokens of programs: shown once, kept as digests, good for what they were made for and no longer."""

from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.api_tokens import digest_of
from members.models import ApiToken, AuditEntry, Member
from members.services.api_tokens import make_api_token, revoke_api_token
from members.services.members import assign_role, block_members, unblock_member
from members.services.profile import leave_organization
from tests.factories import ApiTokenFactory, MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

TOKEN = "/api/v1/token/"
MEMBERS = "/api/v1/members/"


@pytest.fixture
def administrator() -> Member:
    return MemberFactory(admin=True)


@pytest.fixture
def second(administrator) -> Member:
    """Somebody who may act on the administrator."""
    return MemberFactory(admin=True, organization=administrator.organization)


def make(member: Member, **changed):
    given = {"name": "Call import", "scopes": ["members:read"], "days": 90, "key": uuid4()} | changed
    return make_api_token(actor=Actor.of_member(member), organization=member.organization, **given)


def ask(client, token: str, path: str = TOKEN, **options):
    return client.get(path, headers={"Authorization": f"Bearer {token}"}, **options)


def test_a_token_tells_what_it_is(client, administrator):
    made = make(administrator)

    answer = ask(client, made.token)

    assert answer.status_code == 200
    assert answer.json() == {
        "organization": administrator.organization.slug,
        "name": "Call import",
        "scopes": ["members:read"],
        "expires_at": made.row.expires_at.isoformat().replace("+00:00", "Z"),
    }
    assert "no-store" in answer["Cache-Control"]


def test_a_token_is_long_and_kept_nowhere(administrator):
    made = make(administrator)

    assert len(made.token) >= 9 + 43
    row = ApiToken.objects.values().get()
    assert made.token not in str(row)
    assert row["digest"] == digest_of(made.token)
    assert not AuditEntry.objects.filter(after__icontains=made.token[9:]).exists()


# A day apart: at every hour the day of one of them isn't that of UTC.
@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "Pacific/Kiritimati"])
def test_the_log_tells_the_organizations_day_on_which_a_token_expires(zone):
    made = make(MemberFactory(admin=True, organization=OrganizationFactory(time_zone=zone)))

    told = AuditEntry.objects.get(action="api_token.made").after["expires"]
    assert told == made.row.expires_at.astimezone(ZoneInfo(zone)).date().isoformat()


def test_the_same_request_again_makes_no_other_token_and_shows_none(administrator):
    key = uuid4()
    first = make(administrator, key=key)
    second = make(administrator, key=key)

    assert second.row == first.row
    assert second.token == ""
    assert ApiToken.objects.count() == 1
    assert AuditEntry.objects.filter(action="api_token.made").count() == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer skypemgr_nothing",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer \ud800",
    ],
)
def test_what_is_no_token_opens_nothing(client, administrator, header):
    token = make(administrator).token

    answer = client.get(TOKEN, headers={"Authorization": header.format(token=token)})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_session_opens_nothing_here(client, administrator):
    client.force_login(administrator.user)

    assert client.get(TOKEN).status_code == 401


def test_a_token_in_the_address_opens_nothing(client, administrator):
    token = make(administrator).token

    assert client.get(f"{TOKEN}?token={token}&access_token={token}").status_code == 401


def test_a_token_ends_by_the_clock_of_the_database(client, administrator):
    token = make(administrator).token
    ApiToken.objects.update(created_at=timezone.now() - timedelta(days=91), expires_at=timezone.now())

    answer = ask(client, token)

    assert answer.status_code == 401
    assert "expired" in answer.json()["detail"]


def test_a_revoked_token_opens_nothing_from_the_next_request_on(client, administrator):
    made = make(administrator)
    assert ask(client, made.token).status_code == 200

    for _ in range(2):
        revoke_api_token(actor=Actor.of_member(administrator), organization=administrator.organization, token=made.row)

    answer = ask(client, made.token)
    assert answer.status_code == 401
    assert "revoked" in answer.json()["detail"]
    assert AuditEntry.objects.filter(action="api_token.revoked").count() == 1


def test_blocking_ends_tokens_for_good(client, administrator, second):
    token = make(administrator).token
    organization = administrator.organization

    block_members(
        actor=Actor.of_member(second), organization=organization, members=Member.objects.filter(pk=administrator.pk)
    )
    assert ask(client, token).status_code == 401

    unblock_member(actor=Actor.of_member(second), organization=organization, member=administrator)
    assert ask(client, token).status_code == 401


def test_leaving_ends_tokens_for_good(client, second):
    guest = MemberFactory(admin=True, organization=second.organization, personal=True)
    token = make(guest).token

    leave_organization(actor=Actor.of_person(guest.user), organization=second.organization)

    assert ask(client, token).status_code == 401
    assert ApiToken.objects.filter(revoked_at=None).count() == 0


def test_whoever_may_do_less_has_a_token_that_may_do_less(client, administrator, second):
    token = make(administrator).token
    assert ask(client, token, MEMBERS).status_code == 200

    assign_role(
        actor=Actor.of_member(second),
        organization=administrator.organization,
        member=administrator,
        role=Member.Role.MEMBER,
    )

    answer = ask(client, token, MEMBERS)
    assert answer.status_code == 403
    assert "insufficient_scope" in answer["WWW-Authenticate"]


def test_a_token_does_only_what_it_was_made_for(client, administrator):
    token = make(administrator, scopes=["calls:write"]).token

    assert ask(client, token, MEMBERS).status_code == 403


@pytest.mark.parametrize("scopes", [[], ["members:write"], ["members:read", "everything"]])
def test_nobody_makes_a_token_for_what_is_not_there(administrator, scopes):
    with pytest.raises(PermissionDenied):
        make(administrator, scopes=scopes)


def test_a_token_is_no_other_organization_s(administrator):
    token = ApiTokenFactory(made_by=administrator)

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(organization=OrganizationFactory())


def test_members_are_told_page_by_page(client, administrator):
    organization = administrator.organization
    MemberFactory.create_batch(4, organization=organization)
    MemberFactory(organization=organization, state=Member.State.LEFT)
    MemberFactory()
    token = make(administrator).token

    told, path = [], f"{MEMBERS}?limit=2"
    while path:
        answer = ask(client, token, path).json()
        assert len(answer["members"]) <= 2
        told += [row["skype_name"] for row in answer["members"]]
        path = answer["next"]

    expected = Member.objects.of(organization).order_by("pk").values_list("user__skype_name", flat=True)
    assert told == list(expected)
    assert ask(client, token, MEMBERS).json()["members"][0]["balance"] == "0.0000"


@pytest.mark.parametrize("query", ["limit=x", "after=-1", "after=", "limit=1e3", "after=1234567890123456789012"])
def test_a_page_that_is_no_number_is_refused(client, administrator, query):
    answer = ask(client, make(administrator).token, f"{MEMBERS}?{query}")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_what_only_reads_takes_no_other_method(client, administrator):
    headers = {"Authorization": f"Bearer {make(administrator).token}"}

    answer = client.post(MEMBERS, headers=headers)

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json()["status"] == 405


def test_use_is_noted_to_the_minute(client, administrator, django_assert_num_queries):
    token = make(administrator).token
    ask(client, token)
    first = ApiToken.objects.get().last_used_at
    assert timezone.now() - first < timedelta(seconds=30)

    with django_assert_num_queries(1):
        ask(client, token)
    ApiToken.objects.update(last_used_at=F("last_used_at") - timedelta(minutes=2))
    ask(client, token)
    assert ApiToken.objects.get().last_used_at > first - timedelta(minutes=1)


# Pages


def test_the_page_shows_a_token_once(client, administrator):
    client.force_login(administrator.user)
    url = reverse("members:api_token_add", args=[administrator.organization.slug])
    sent = {"name": "Call import", "scopes": "members:read", "days": "30", "key": uuid4()}

    shown = client.post(url, sent)
    again = client.post(url, sent, follow=True)

    made = ApiToken.objects.get()
    [token] = {word for word in shown.content.decode().replace("<", " ").replace(">", " ").split() if len(word) == 52}
    assert digest_of(token) == made.digest
    assert token not in again.content.decode()
    assert "not shown again" in again.content.decode()
    assert token[-4:] in again.content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "\u200b"), ("name", "x" * 61), ("scopes", "nothing"), ("days", "3650")]
)
def test_what_makes_no_token_is_refused_beside_its_field(client, administrator, field, value):
    client.force_login(administrator.user)
    url = reverse("members:api_token_add", args=[administrator.organization.slug])
    sent = {"name": "Call import", "scopes": "members:read", "days": "30", "key": uuid4()} | {field: value}

    answer = client.post(url, sent)

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not ApiToken.objects.exists()
