"""Calls that a program sends: once however often, in full, and by whoever may."""

from uuid import uuid4

import pytest

from members.access import Actor
from members.models import Member
from members.services.api_tokens import make_api_token
from telephony.models import Call
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.calls import a_call, feed, with_rates

pytestmark = pytest.mark.django_db
CALLS = "/api/v1/calls/"


@pytest.fixture
def boss():
    with_rates()
    return MemberFactory(admin=True, organization=OrganizationFactory(country="FR", currency="EUR"))


@pytest.fixture
def send(client, boss):
    made = make_api_token(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        name="Switch",
        scopes=["calls:write"],
        days=30,
        key=uuid4(),
    )

    def post(body, query="?format=skypemgr&source=pbx"):
        return client.post(
            CALLS + query, body, content_type="text/csv", headers={"Authorization": f"Bearer {made.token}"}
        )

    return post


def test_calls_are_imported_once_however_often_they_are_sent(send, boss):
    body = feed([a_call(1, account=boss.user.skype_name), a_call(2, account="2001"), {**a_call(3), "started_at": "x"}])

    answers = [send(body) for _time in range(2)]

    first, again = (answer.json() for answer in answers)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (first["added"], first["duplicates"], first["unassigned"], first["wrong"]) == (2, 0, 1, 1)
    assert (first["charged"], first["currency"], len(first["errors"])) == ("0.0500", "EUR", 1)
    assert (again["added"], again["duplicates"]) == (0, 2)
    assert Call.objects.filter(organization=boss.organization).count() == 2


def test_what_would_be_imported_is_told(send, boss):
    answer = send(feed([a_call(1, account=boss.user.skype_name)]), "?format=skypemgr&dry_run=1")

    assert (answer.status_code, answer.json()["would_add"]) == (200, 1)
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?format=morse", 400),
        ("?format=skypemgr&time_zone=Mars/Olympus", 400),
        ("?format=skypemgr&source=%07", 400),
        (f"?format=skypemgr&source={'x' * 41}", 400),
        ("?format=teams", 422),
    ],
)
def test_what_makes_no_sense_is_said(send, query, status):
    answer = send(feed([a_call(1)]), query)

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert not Call.objects.exists()


def test_too_much_at_once_is_refused_before_it_is_read(send, monkeypatch):
    monkeypatch.setattr("telephony.views.api.MOST_BYTES", 10)

    assert send(feed([a_call(1)])).status_code == 413


def test_a_token_of_somebody_who_may_not_imports_nothing(send, boss):
    MemberFactory(admin=True, organization=boss.organization)
    Member.objects.filter(pk=boss.pk).update(role=Member.Role.REPORTS_VIEWER)

    assert send(feed([a_call(1)])).status_code == 403
    assert not Call.objects.exists()
