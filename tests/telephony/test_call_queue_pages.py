"""Calls that wait, and files of calls, as people resolve and send them in a browser."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from credit.selectors.balances import balance_of
from members.access import Actor
from members.services.hand_over import hand_over
from telephony.models import AccountCode, Call
from telephony.services import call_queues, call_upload_work
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.calls import PRICES, a_call, feed, imported, with_rates

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(client):
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    client.force_login(MemberFactory(organization=organization, role="voice_manager").user)
    MemberFactory(organization=organization, user__skype_name="marie.curie")
    return organization


@pytest.fixture
def marie(company):
    return company.members.get(user__skype_name="marie.curie")


def calls(organization, outcome):
    return Call.objects.filter(organization=organization, outcome=outcome).count()


def test_calls_of_an_account_are_given_to_a_person_and_so_are_later_ones(client, company, marie):
    imported(company, [a_call(number, account="2001") for number in range(3)] + [a_call(9, account="2002")])
    page = client.get(f"/{company.slug}/calls/unassigned/")
    assert [(one.name, one.calls) for one, _url in page.context["rows"]] == [("2001", 3), ("2002", 1)]
    give = page.context["rows"][0][1]

    refused = client.post(give, {"person": "nobody.here", "remember": "on"})
    assert refused.status_code == 422
    assert "There is no member with this Skype Name or address." in refused.content.decode()
    answer = client.post(give, {"person": marie.email, "remember": "on"}, follow=True)

    assert "3 calls are now of" in answer.content.decode()
    assert "€0.15 charged." in answer.content.decode()
    assert balance_of(company, marie) == Decimal("-0.1500")
    assert [one.name for one, _url in answer.context["rows"]] == ["2002"]
    imported(company, [a_call(20, account="2001")])
    assert calls(company, "unassigned") == 1
    assert AccountCode.objects.get().code == "2001"


def test_calls_without_an_account_are_told_by_who_called(client, company, marie):
    imported(company, [{**a_call(1), "from": "+33199000000"}, {**a_call(2), "from": "+33199000001"}])
    page = client.get(f"/{company.slug}/calls/unassigned/")
    first = page.context["rows"][0]
    assert (first[0].name, first[0].by_caller) == ("+33199000000", True)

    client.post(first[1], {"person": "marie.curie"})

    assert Call.objects.get(member=marie).caller == "+33199000000"
    assert calls(company, "unassigned") == 1
    assert not AccountCode.objects.exists()


def test_more_than_a_request_does_is_done_by_the_next_one(client, company, marie, monkeypatch):
    imported(company, [a_call(number, account="2001") for number in range(5)])
    monkeypatch.setattr(call_queues, "CHUNK", 2)
    monkeypatch.setattr("telephony.views.calls.CHUNK", 2)
    give = client.get(f"/{company.slug}/calls/unassigned/").context["rows"][0][1]

    answer = client.post(give, {"person": "marie.curie"}, follow=True)

    assert "There are more: press the button again." in answer.content.decode()
    assert calls(company, "unassigned") == 3
    for _again in range(2):
        client.post(give, {"person": "marie.curie"})
    assert calls(company, "unassigned") == 0


def test_calls_are_rated_again_once_there_is_a_rate_some_at_a_time(client, company, marie, monkeypatch):
    imported(company, [a_call(number, account="marie.curie", to="+81312345678") for number in range(5)])
    page = client.get(f"/{company.slug}/calls/unrated/")
    [row] = page.context["rows"]
    assert (row.name, row.country, row.calls, row.example) == ("81312", "Japan", 5, "+81312345678")
    rate = f"/{company.slug}/calls/unrated/rate/"
    assert "5 still have none." in client.post(rate, follow=True).content.decode()
    with_rates({**PRICES, "81": "0.100000"})
    monkeypatch.setattr(call_queues, "CHUNK", 2)
    monkeypatch.setattr("telephony.views.calls.CHUNK", 2)

    answer = client.post(rate, follow=True)
    assert calls(company, "unrated") == 3
    assert answer.context["behind"]
    client.post(rate, {"behind": answer.context["behind"]})
    client.post(rate)
    assert calls(company, "unrated") == 0
    assert balance_of(company, marie) == Decimal("-0.5000")


def sends(client, organization, content, **more):
    """Send a file of calls, and follow to where that leads."""
    facts = {"format": "skypemgr", "time_zone": "UTC", "key": uuid4(), **more}
    file = SimpleUploadedFile("calls.csv", content)
    return client.post(f"/{organization.slug}/calls/imports/", {"file": file, **facts}, follow=True)


def test_a_file_is_tried_and_then_imported_and_adds_nothing_the_second_time(client, company, marie):
    content = feed([a_call(1, account="marie.curie"), a_call(2, account="2001")])

    tried = sends(client, company, content, **{"try": "1"})
    view = tried.context["view"]
    assert (view.run.added, view.is_trial) == (2, True)
    assert not Call.objects.exists()

    page = tried.request["PATH_INFO"]
    done = client.post(f"{page}import/", follow=True).context["view"]
    assert (done.run.added, done.run.unassigned, done.is_trial) == (2, 1, False)
    assert done.lamp[0] == "success"
    assert Call.objects.count() == 2
    again = sends(client, company, content).context["view"].run
    assert (again.added, again.duplicates) == (0, 2)
    listed = client.get(f"/{company.slug}/calls/imports/").context["views"]
    assert [(one.run.file_name, one.run.source, one.run.added) for one in listed] == [
        ("calls.csv", "skypemgr", 0),
        ("calls.csv", "skypemgr", 2),
    ]


def test_an_import_names_whoever_had_the_account_then(client, company):
    boss = company.members.get(role="voice_manager")
    page = sends(client, company, feed([a_call(1)])).request["PATH_INFO"]
    name = boss.user.display_name
    hand_over(
        actor=Actor.system(),
        organization=company,
        member=boss,
        email="next@people.example",
        first_name="Next",
        last_name="One",
        key=uuid4(),
    )
    client.force_login(MemberFactory(organization=company, admin=True).user)

    for where in (page, f"/{company.slug}/calls/imports/"):
        text = client.get(where).content.decode()
        assert name in text
        assert "Next One" not in text


def test_a_large_file_is_left_to_workers_and_its_page_tells_how_far_they_are(client, company, marie, monkeypatch):
    monkeypatch.setattr(call_upload_work, "BYTES_AT_ONCE", 10)
    answer = sends(client, company, feed([a_call(number, account="marie.curie") for number in range(40)]))
    page = answer.request["PATH_INFO"]
    assert answer.context["view"].is_under_way
    assert "0 of about 41" in answer.content.decode()

    waiting = client.get(f"{page}progress/")
    assert "HX-Refresh" not in waiting.headers
    call_upload_work.advance_uploads()

    assert client.get(f"{page}progress/")["HX-Refresh"] == "true"
    assert client.get(page).context["view"].run.added == 40


def test_a_file_that_was_tried_is_forgotten_and_one_under_way_is_stopped(client, company, marie, monkeypatch):
    tried = sends(client, company, feed([a_call(1)]), **{"try": "1"}).request["PATH_INFO"]
    assert client.post(f"{tried}drop/").url == f"/{company.slug}/calls/imports/"
    assert client.get(tried).status_code == 404

    monkeypatch.setattr(call_upload_work, "BYTES_AT_ONCE", 10)
    running = sends(client, company, feed([a_call(1)])).request["PATH_INFO"]
    assert client.post(f"{running}drop/").url == running
    call_upload_work.advance_uploads()
    assert not Call.objects.exists()


def test_what_is_wrong_with_a_file_stands_beside_its_field_and_what_is_with_a_row_by_its_number(client, company):
    answer = sends(client, company, b"nothing,of,this\n1,2,3\n")
    assert (answer.status_code, bool(answer.context["form"].errors)) == (422, True)
    answer = sends(client, company, feed([a_call(1)]), time_zone="Europe/Atlantis")
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["time_zone"])
    wrong = {**a_call(2), "started_at": "yesterday"}
    view = sends(client, company, feed([a_call(1), wrong])).context["view"]
    assert view.wrong_rows == [(2, "“yesterday” is not a time. Write it as 2026-01-31 08:00.")]


def test_the_overview_tells_of_calls_that_wait(client, company):
    imported(company, [a_call(1, account="2001"), a_call(2, account="marie.curie", to="+81312345678")])

    titles = {one.title: one.url for one in client.get(f"/{company.slug}/").context["attention"]}

    assert titles["1 call is nobody’s"] == f"/{company.slug}/calls/unassigned/"
    assert titles["1 call has no rate"] == f"/{company.slug}/calls/unrated/"
