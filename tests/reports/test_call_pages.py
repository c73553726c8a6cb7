"""The calls behind a figure, why each costs what it costs, and who may see whose; one's own calls."""

from datetime import UTC, timedelta
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.utils import timezone

from members.access import Actor
from members.audit import Action
from members.models import AuditEntry, CallDetailConsent, Member, User
from members.services.hand_over import hand_over
from telephony.models import Call
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory
from tests.telephony.calls import START, a_call, imported, with_rates

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(client):
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    sites = DepartmentFactory(organization=organization, name="Chantiers", path="Chantiers")
    for name, department in (("marie.curie", sites), ("somebody", None)):
        MemberFactory(organization=organization, user__skype_name=name, department=department)
    imported(
        organization,
        [
            a_call(1, account="marie.curie", seconds=61),
            a_call(2, account="marie.curie", to="+33123456789"),
            a_call(3, account="somebody"),
            a_call(4, account="nobody.at.all"),
        ],
    )
    return organization


def listed(client, organization, query=""):
    page = client.get(f"/{organization.slug}/reports/calls/?month=2026-10&{query}")
    assert page.status_code == 200
    return page


def names(page):
    return [line.name for line in page.context["lines"]]


def looks(**about):
    return AuditEntry.objects.filter(action="calls.viewed", **about).count()


def url_of(call):
    return f"/{call.organization.slug}/reports/calls/{call.at.astimezone(UTC).date()}/{call.id}/"


def test_calls_stand_the_newest_first_and_add_up(client, company):
    page = listed(client, company)

    assert [line.call.at for line in page.context["lines"]] == [START + timedelta(minutes=n) for n in (4, 3, 2, 1)]
    assert [f"{line.call.charge:.2f}" for line in page.context["lines"]] == ["0.00", "0.05", "0.02", "0.10"]
    assert (page.context["sums"].calls, f"{page.context['sums'].charge:.2f}") == (4, "0.17")
    assert "Nobody’s" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("destination=Spain", 2),
        ("member=marie.curie", 2),
        ("outcome=unassigned", 1),
        ("member=marie.curie&destination=France", 1),
        ("from=2026-10-16&to=2026-10-17&month=", 0),
    ],
)
def test_calls_are_narrowed(client, company, query, found):
    assert len(listed(client, company, query).context["lines"]) == found


def test_what_a_department_spent_on_calls_to_a_country_and_who_leads_to_the_calls(client, company):
    usage = f"/{company.slug}/reports/usage/"
    sites = company.departments.get(path="Chantiers")
    page = client.get(f"{usage}?month=2026-10&department={sites.pk}&by=destination")
    [spain] = [line for line in page.context["lines"] if line.label == "Spain"]
    assert f"{spain.row.values['cost']:.2f}" == "0.10"

    people = client.get(usage + spain.url)
    [marie] = people.context["lines"]
    assert (marie.label, f"{marie.row.values['cost']:.2f}") == ("marie.curie", "0.10")
    assert f"{people.context['total']['cost']:.2f}" == "0.10"

    [line] = client.get(marie.url).context["lines"]
    assert (f"{line.call.charge:.2f}", line.call.destination) == ("0.10", "Spain")


def test_a_call_explains_its_price(client, company):
    call = Call.objects.get(charge="0.10")

    text = client.get(url_of(call)).content.decode()

    assert "61 seconds, of which 120 are billed" in text
    assert "0 + 0.05 × 120 ÷ 60 → 0.1000" in text
    assert "Version 1 of the general rates counts since 1 January 2020." in text
    assert "Spain are numbers that begin with +34" in text
    waiting = Call.objects.get(outcome="unassigned")
    assert "It costs nothing until it is somebody’s." in client.get(url_of(waiting)).content.decode()
    User.objects.update(language="sv")
    assert "0 + 0,05 × 120 ÷ 60 → 0,1000" in client.get(url_of(call)).content.decode()


def test_the_file_holds_all_of_them(client, company):
    answer = client.get(f"/{company.slug}/reports/calls/export/?month=2026-10&member=marie.curie")

    header, last, first = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert header.startswith("at,skype_name,direction,from,to,country,destination,seconds")
    assert last.endswith("rated,,0.0200,0.0200")
    assert first.startswith("2026-10-15T09:01:00+00:00,marie.curie,outbound,,'+34912345678,ES,Spain,61,120,rated")


def test_whoever_looks_is_written_down_where_the_person_sees_it(client, company):
    marie = Member.objects.get(user__skype_name="marie.curie")

    listed(client, company)
    assert (looks(), looks(subject_member=marie)) == (1, 0)
    listed(client, company, "member=marie.curie")
    client.get(url_of(Call.objects.get(charge="0.10")))
    assert looks(subject_member=marie) == 2

    client.force_login(marie.user)
    assert "Looked at single calls" in client.get(f"/me/seen/{company.slug}/").content.decode()


def test_calls_of_a_personal_account_are_seen_by_administrators_once_its_owner_agrees(client, company):
    own = MemberFactory(organization=company, personal=True, user__skype_name="traveler")
    imported(company, [a_call(7, account="traveler")])
    call = Call.objects.get(member=own)

    assert "traveler" not in str(names(listed(client, company)))
    assert listed(client, company).context["private"] == 1
    assert client.get(url_of(call)).status_code == 404

    CallDetailConsent.objects.create(organization=company, member=own, given=True, at=timezone.now())
    assert len(listed(client, company).context["lines"]) == 5
    assert client.get(url_of(call)).status_code == 200

    client.force_login(MemberFactory(organization=company, role=Member.Role.REPORTS_VIEWER).user)
    assert len(listed(client, company).context["lines"]) == 4
    assert client.get(url_of(call)).status_code == 404


def test_calls_of_another_organization_are_not_there(client, company):
    call = Call.objects.get(charge="0.10")
    stranger = MemberFactory(admin=True)
    client.force_login(stranger.user)

    path = url_of(call).replace(company.slug, stranger.organization.slug)
    assert client.get(path).status_code == 404
    assert client.get(f"/{stranger.organization.slug}/reports/calls/?member=marie.curie").status_code == 404


def test_everybody_sees_their_own_calls(client, company):
    client.force_login(Member.objects.get(user__skype_name="marie.curie").user)

    assert client.get("/me/usage/")["Location"] == f"/me/usage/{company.slug}/"
    page = client.get(f"/me/usage/{company.slug}/?month=2026-10")
    assert [f"{line.call.charge:.2f}" for line in page.context["lines"]] == ["0.02", "0.10"]
    assert f"{page.context['sums'].charge:.2f}" == "0.12"
    answer = client.get(f"/me/usage/{company.slug}/export.csv?month=2026-10")
    assert len(b"".join(answer.streaming_content).splitlines()) == 3
    assert looks() == 0


def test_my_page_shows_what_the_calls_of_this_month_cost(client, company):
    imported(company, [a_call(8, account="marie.curie", at=timezone.now())])
    client.force_login(Member.objects.get(user__skype_name="marie.curie").user)

    assert f"/me/usage/{company.slug}/" in client.get("/me/").content.decode()


def test_a_successor_does_not_see_whom_the_predecessor_called(client, company):
    marie = Member.objects.get(user__skype_name="marie.curie")
    hand_over(
        actor=Actor.system(),
        organization=company,
        member=marie,
        email="next@people.example",
        first_name="Next",
        last_name="One",
        key=uuid4(),
    )
    Member.objects.filter(pk=marie.pk).update(state="active")
    imported(company, [a_call(9, account="marie.curie", at=timezone.now() + timedelta(minutes=1))])

    assert "Next One" in names(client.get(f"/{company.slug}/reports/calls/"))
    assert "Next One" not in names(listed(client, company))
    marie.user.refresh_from_db()
    client.force_login(marie.user)
    assert client.get(f"/me/usage/{company.slug}/?month=2026-10").context["lines"] == []


def test_the_tab_of_a_member_shows_their_calls_and_what_they_came_to(client, company):
    page = client.get(f"/{company.slug}/members/@marie.curie/usage/?month=2026-10")

    assert page.status_code == 200
    asked = Call.objects.filter(organization=company, member__user__skype_name="marie.curie")
    assert page.context["sums"].charge == asked.aggregate(cost=Sum("charge"))["cost"]
    assert {line.call.id for line in page.context["lines"]} == set(asked.values_list("id", flat=True))
    assert [client.get(line.url).status_code for line in page.context["lines"]] == [200] * asked.count()
    assert AuditEntry.objects.filter(
        action=Action.CALLS_VIEWED, subject_member__user__skype_name="marie.curie"
    ).exists()


def test_the_tab_of_somebody_with_an_account_of_their_own_shows_sums_alone(client, company):
    MemberFactory(organization=company, personal=True, user__skype_name="ada.lovelace")
    imported(company, [a_call(70, account="ada.lovelace")])

    page = client.get(f"/{company.slug}/members/@ada.lovelace/usage/?month=2026-10")

    assert (page.context["sums"].calls, page.context["lines"], page.context["private"]) == (1, [], 1)
    assert b"have not agreed that single calls are seen" in page.content
