"""Calls that wait, and files of calls, as people resolve and send them in a browser."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from credit.selectors.balances import balance_of
from telephony.models import AccountCode, Call, CallImport
from telephony.services import call_queues
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


def test_a_file_is_tried_and_then_imported_and_adds_nothing_the_second_time(client, company, marie):
    content = feed([a_call(1, account="marie.curie"), a_call(2, account="2001")])
    page = f"/{company.slug}/calls/imports/"

    def send(**more):
        file = SimpleUploadedFile("calls.csv", content)
        return client.post(page, {"file": file, "format": "skypemgr", "time_zone": "UTC", **more})

    tried = send(**{"try": "1"})
    assert (tried.context["imported"].added, tried.context["tried"]) == (2, True)
    assert not Call.objects.exists()
    done = send()
    assert (done.context["imported"].added, done.context["imported"].unassigned) == (2, 1)
    assert Call.objects.count() == 2
    again = send().context["imported"]
    assert (again.added, again.duplicates) == (0, 2)
    run = CallImport.objects.order_by("pk").first()
    assert (run.file_name, run.source, run.added) == ("calls.csv", "skypemgr", 2)


def test_what_is_wrong_with_a_file_stands_beside_its_field(client, company):
    page = f"/{company.slug}/calls/imports/"

    def send(content, **more):
        file = SimpleUploadedFile("calls.csv", content)
        answer = client.post(page, {"file": file, "format": "skypemgr", "time_zone": "UTC", **more})
        return answer.status_code, answer.context["form"].errors, answer.context.get("wrong_rows")

    status, errors, _rows = send(b"nothing,of,this\n1,2,3\n")
    assert (status, bool(errors)) == (422, True)
    status, errors, _rows = send(feed([a_call(1)]), time_zone="Europe/Atlantis")
    assert (status, list(errors)) == (422, ["time_zone"])
    wrong = {**a_call(2), "started_at": "yesterday"}
    status, errors, rows = send(feed([a_call(1), wrong]))
    assert (status, [error.row for error in rows]) == (200, [2])


def test_the_overview_tells_of_calls_that_wait(client, company):
    imported(company, [a_call(1, account="2001"), a_call(2, account="marie.curie", to="+81312345678")])

    titles = {one.title: one.url for one in client.get(f"/{company.slug}/").context["attention"]}

    assert titles["1 call is nobody’s"] == f"/{company.slug}/calls/unassigned/"
    assert titles["1 call has no rate"] == f"/{company.slug}/calls/unrated/"
