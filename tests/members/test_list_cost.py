"""The cost of a full page of members, against an empty page in the same frame, for the same person."""

import gc
import gzip
import statistics
import time

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.urls import include, path

from members.access import Capability
from members.decorators import organization_view
from members.models import Member
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

ROUNDS = 9
REPEATED = 4


@organization_view(Capability.VIEW_MEMBERS)
def empty_page(request):
    return render(request, "base.html", {"section": "members", "subsection": "list"})


urlpatterns = [path("<slug:org_slug>/nothing/", empty_page), path("", include("skypemgr.urls"))]


@pytest.fixture
def cookies(db):
    organization = OrganizationFactory(slug="full")
    region = DepartmentFactory(organization=organization, name="Europe du Nord")
    department = DepartmentFactory(organization=organization, parent=region, name="Studio Stockholm")
    for number in range(198):
        DepartmentFactory(organization=organization, parent=region, name=f"Développement {number}")
    administrator = MemberFactory(organization=organization, admin=True)
    roles, states = list(Member.Role), [Member.State.ACTIVE, Member.State.INVITED, Member.State.BLOCKED]
    for number in range(60):
        MemberFactory(
            organization=organization,
            department=department,
            role=roles[number % len(roles)],
            state=states[number % len(states)],
            user__first_name="Maximilienne-Guillemette",
            personal=number % 9 == 0,
        )
    client = Client()
    client.force_login(administrator.user)
    return client.cookies.output(header="", sep=";").strip()


def get(handler, url, cookies):
    """The answer of all our middleware and views; a test client around them would cost more than a page."""
    response = handler.get_response(RequestFactory().get(url, headers={"cookie": cookies}))
    assert response.status_code == 200
    return response.content


def cpu_seconds(handler, url, cookies):
    started = time.process_time()
    for _repetition in range(REPEATED):
        get(handler, url, cookies)
    return time.process_time() - started


@pytest.fixture
def handler():
    handler = WSGIHandler()
    handler.load_middleware()
    return handler


@pytest.mark.urls(__name__)
def test_a_page_of_fifty_rows_costs_at_most_ten_times_an_empty_one(handler, cookies):
    for url in ("/full/members/", "/full/nothing/"):
        get(handler, url, cookies)
    # In pairs, and the middle one: what else the machine does touches both, or is left out.
    gc.disable()
    try:
        ratios = [
            cpu_seconds(handler, "/full/members/", cookies) / cpu_seconds(handler, "/full/nothing/", cookies)
            for _round in range(ROUNDS)
        ]
    finally:
        gc.enable()

    assert statistics.median(ratios) <= 10


@pytest.mark.urls(__name__)
def test_fifty_rows_and_two_hundred_departments_are_at_most_54_kilobytes_and_8_compressed(handler, cookies):
    page = get(handler, "/full/members/", cookies)

    assert page.count(b"name=member") == 50
    assert len(page) <= 54_000
    assert len(gzip.compress(page, 6)) <= 8_000
