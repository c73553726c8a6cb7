"""Reports that are saved, and sent when they are due."""

import email
import email.policy
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from members.access import Actor
from members.audit import Action
from members.jobs import Run
from members.models import AuditEntry, Letter
from members.periods import Every, period_named
from members.services.letters import send_letters
from reports.asked import Days
from reports.errors import NobodyToSendTo, TooManySaved
from reports.models import ReportReader, SavedReport
from reports.schedules import days_before, due_on
from reports.services import saved_reports
from reports.services.report_letters import send_reports
from reports.services.saved_reports import ReportWish, change_report, save_report, stop_report
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory
from tests.telephony.calls import a_call, imported, with_rates
from tests.workbooks import cells_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.MAILERS = {"default": {"BACKEND": "members.gateways.mail.LocalMailbox", "OPTIONS": {"folder": tmp_path}}}
    return tmp_path


def sent_to(folder):
    """What was sent, by address."""
    send_letters()
    letters = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in folder.iterdir()]
    return {letter["To"]: letter for letter in letters}


def text_of(letter):
    return " ".join(letter.get_body(("plain",)).get_content().split())


@pytest.fixture
def company():
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    sites = DepartmentFactory(organization=organization, name="Chantiers", path="Chantiers")
    MemberFactory(organization=organization, user__skype_name="marie.curie", department=sites)
    MemberFactory(organization=organization, user__skype_name="somebody")
    imported(organization, [a_call(1, account="marie.curie"), a_call(2, account="somebody", to="+33123456789")])
    return organization


@pytest.fixture
def boss(company):
    return MemberFactory(organization=company, admin=True, user__language="en")


@pytest.fixture
def finance(company):
    return MemberFactory(organization=company, role="reports_viewer", user__language="fr")


def save(member, *readers, sent="monthly", format="csv", query="by=member", key=None, name="Calls"):  # noqa: A002
    return save_report(
        actor=Actor.of_member(member),
        organization=member.organization,
        report="usage",
        query=query,
        wish=ReportWish(name, sent, format, [reader.pk for reader in readers]),
        key=key or uuid4(),
    )


def long_ago():
    SavedReport.objects.update(saved_at=datetime(2026, 1, 15, tzinfo=UTC))


def morning(organization, day):
    period = period_named(day, Every.DAY, ZoneInfo(organization.time_zone))
    send_reports(Run(period, organization))


@pytest.mark.parametrize(
    ("sent", "today", "due", "first", "last"),
    [
        ("daily", "2026-11-24", "2026-11-24", "2026-11-23", "2026-11-23"),
        ("weekly", "2026-11-24", "2026-11-23", "2026-11-16", "2026-11-22"),
        ("weekly", "2026-11-23", "2026-11-23", "2026-11-16", "2026-11-22"),
        ("weekly", "2026-11-22", "2026-11-16", "2026-11-09", "2026-11-15"),
        ("monthly", "2026-11-24", "2026-11-01", "2026-10-01", "2026-10-31"),
        ("monthly", "2027-01-01", "2027-01-01", "2026-12-01", "2026-12-31"),
    ],
)
def test_what_is_due_is_about_the_days_before(sent, today, due, first, last):
    assert str(due_on(sent, date.fromisoformat(today))) == due
    days = days_before(sent, date.fromisoformat(due))
    assert (str(days.first), str(days.last)) == (first, last)


def test_each_reader_gets_one_letter_in_their_language_with_the_whole_as_a_file(company, boss, finance, folder):
    save(boss, boss, finance)
    long_ago()

    for _again in range(3):
        morning(company, "2026-11-01")

    letters = Letter.objects.filter(kind=Letter.Kind.REPORT)
    assert letters.count() == 2
    assert all(letter.due_at >= datetime(2026, 11, 1, 6, tzinfo=UTC) for letter in letters)
    by_reader = sent_to(folder)
    english, french = by_reader[boss.user.email], by_reader[finance.user.email]
    assert english["Subject"] == "Calls, October 2026"
    assert french["Subject"].endswith("octobre 2026")
    assert "Cost – €0.07" in text_of(english)
    assert "marie.curie – €0.05" in text_of(english)
    assert "0,07" in text_of(french)
    assert f"/{company.slug}/reports/usage/?by=member&month=2026-10" in text_of(english)
    [file] = english.iter_attachments()
    assert "marie.curie,1,60,0.0500" in file.get_content()


def test_a_day_that_nobody_saw_begin_is_made_up_for_once(company, boss):
    save(boss, boss, sent="weekly")
    long_ago()

    morning(company, "2026-11-25")
    morning(company, "2026-11-26")
    assert Letter.objects.filter(kind=Letter.Kind.REPORT).count() == 1
    assert Letter.objects.get(kind=Letter.Kind.REPORT).facts["due_on"] == "2026-11-23"
    morning(company, "2026-11-30")
    assert Letter.objects.filter(kind=Letter.Kind.REPORT).count() == 2


def test_what_was_just_saved_is_first_due_the_next_time(company, boss):
    save(boss, boss, sent="daily")
    SavedReport.objects.update(saved_at=datetime(2026, 11, 24, 9, tzinfo=UTC))

    morning(company, "2026-11-24")
    assert not Letter.objects.filter(kind=Letter.Kind.REPORT).exists()
    morning(company, "2026-11-25")
    assert Letter.objects.filter(kind=Letter.Kind.REPORT).count() == 1


def test_who_may_see_no_reports_any_more_gets_none(company, boss, finance, folder):
    save(boss, boss, finance)
    long_ago()
    finance.role = "member"
    finance.save()

    morning(company, "2026-11-01")
    assert [letter.member for letter in Letter.objects.filter(kind=Letter.Kind.REPORT)] == [boss]
    # Also when that is so only after the letter was written.
    boss.role = "member"
    boss.save()
    assert sent_to(folder) == {}


def test_who_does_not_want_it_any_more_gets_none(company, boss, finance):
    saved = save(boss, boss, finance)
    long_ago()

    assert stop_report(actor=Actor.of_member(finance), organization=company, saved=saved)
    assert not stop_report(actor=Actor.of_member(finance), organization=company, saved=saved)

    morning(company, "2026-11-01")
    assert [letter.member for letter in Letter.objects.filter(kind=Letter.Kind.REPORT)] == [boss]
    assert AuditEntry.objects.filter(action=Action.REPORT_STOPPED).count() == 1


@pytest.mark.parametrize("format_", ["pdf", "xlsx"])
def test_the_file_is_of_the_kind_that_was_asked_for(company, boss, folder, format_):
    save(boss, boss, format=format_)
    long_ago()
    morning(company, "2026-11-01")

    [file] = sent_to(folder)[boss.user.email].iter_attachments()
    if format_ == "pdf":
        assert file.get_content().startswith(b"%PDF-")
    else:
        assert cells_of(file.get_content())[1] == ["marie.curie", Decimal(1), Decimal(60), Decimal("0.05")]


def test_the_same_key_saves_once(company, boss):
    key = uuid4()

    assert save(boss, boss, key=key) == save(boss, boss, key=key)
    assert SavedReport.objects.count() == 1


def test_sent_to_nobody_is_refused_and_so_are_strangers(company, boss):
    stranger = MemberFactory(admin=True)
    with pytest.raises(NobodyToSendTo):
        save(boss, stranger)
    with pytest.raises(NobodyToSendTo):
        save(boss)
    assert not SavedReport.objects.exists()
    assert save(boss, sent="never").readers.count() == 0


def test_there_are_not_more_than_anybody_looks_through(company, boss, monkeypatch):
    monkeypatch.setattr(saved_reports, "MOST_SAVED", 1)
    save(boss, boss)

    with pytest.raises(TooManySaved):
        save(boss, boss)


def test_only_whoever_saved_it_and_administrators_change_it(company, boss, finance):
    other = MemberFactory(organization=company, role="reports_viewer")
    saved = save(finance, finance)
    wish = ReportWish("Other", "weekly", "pdf", [finance.pk])

    with pytest.raises(PermissionDenied):
        change_report(actor=Actor.of_member(other), organization=company, saved=saved, wish=wish)
    assert change_report(actor=Actor.of_member(boss), organization=company, saved=saved, wish=wish)
    assert not change_report(actor=Actor.of_member(finance), organization=company, saved=saved, wish=wish)
    saved.refresh_from_db()
    assert (saved.name, saved.sent) == ("Other", "weekly")
    assert AuditEntry.objects.filter(action=Action.REPORT_CHANGED).count() == 1


def test_a_reader_is_of_the_same_organization_in_the_database_too(company, boss):
    saved = save(boss, boss)
    stranger = MemberFactory()

    with pytest.raises(IntegrityError):
        ReportReader.objects.create(organization=company, saved=saved, member=stranger)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_from_a_report_to_its_letter_by_the_pages(client, company, boss):
    client.force_login(boss.user)
    sites = company.departments.get(path="Chantiers")
    page = client.get(f"/{company.slug}/reports/usage/?month=2026-10&by=member&department={sites.pk}")
    form = client.get(page.context["save_url"])
    assert form.context["form"].initial["name"] == "Usage, People, Chantiers"

    answer = client.post(
        page.context["save_url"],
        {"name": "Chantiers", "sent": "monthly", "format": "csv", "readers": [boss.pk], "key": uuid4()},
        follow=True,
    )

    [line] = answer.context["lines"]
    assert (line.saved.name, line.title, line.about, line.readers) == ("Chantiers", "Usage", "People, Chantiers", 1)
    opened = client.get(f"{line.url}&month=2026-10")
    assert [one.label for one in opened.context["lines"]] == ["marie.curie"]

    change = f"/{company.slug}/reports/saved/{line.saved.pk}/"
    refused = client.post(change, {"name": "Chantiers", "sent": "weekly", "format": "csv"})
    assert refused.status_code == 422
    assert "Choose who gets it" in refused.content.decode()
    client.post(f"{change}stop/")
    assert not ReportReader.objects.exists()
    assert client.get(f"{change}delete/").status_code == 200
    client.post(f"{change}delete/")
    assert not SavedReport.objects.exists()


def test_a_report_of_a_department_that_is_gone_is_not_sent(company, boss, folder):
    save(boss, boss, query="by=member&department=999999")
    long_ago()
    morning(company, "2026-11-01")

    assert sent_to(folder) == {}


def test_others_see_the_list_but_no_way_to_change(client, company, boss, finance):
    save(boss, boss)
    client.force_login(finance.user)

    page = client.get(f"/{company.slug}/reports/saved/")

    [line] = page.context["lines"]
    assert (line.mine, line.may_change) == (False, False)
    assert client.get(f"/{company.slug}/reports/saved/{line.saved.pk}/").status_code == 403


@pytest.mark.parametrize(
    ("month", "today", "first", "last"),
    [
        ("2026-11-01", "2026-11-24", "2026-10-01", "2026-10-24"),
        ("2026-11-01", "2026-11-30", "2026-10-01", "2026-10-31"),
        ("2026-11-01", "2026-12-05", "2026-10-01", "2026-10-31"),
        ("2026-03-01", "2026-03-30", "2026-02-01", "2026-02-28"),
    ],
)
def test_a_month_that_is_not_over_is_compared_with_the_same_days(month, today, first, last):
    before = Days.of_month(date.fromisoformat(month)).before(date.fromisoformat(today))

    assert (str(before.first), str(before.last)) == (first, last)


def test_one_reader_for_another_is_a_change_that_the_log_knows(company, boss, finance):
    saved = save(boss, boss)

    wish = ReportWish("Calls", "monthly", "csv", [finance.pk])
    assert change_report(actor=Actor.of_member(boss), organization=company, saved=saved, wish=wish)

    assert AuditEntry.objects.get(action=Action.REPORT_CHANGED).after == {"readers": 1}
    assert [reader.member for reader in saved.readers.all()] == [finance]


def test_who_gets_it_stays_on_a_form_that_has_no_room_for_all(client, company, boss, monkeypatch):
    monkeypatch.setattr("reports.views.saved.MOST_READERS", 1)
    last = MemberFactory(organization=company, role="reports_viewer", user__last_name="Zzz")
    saved = save(last, last)
    client.force_login(boss.user)

    form = client.get(f"/{company.slug}/reports/saved/{saved.pk}/").context["form"]

    assert [key for key, _label in form.fields["readers"].choices] == [last.pk]


def test_the_list_asks_for_departments_once(client, company, boss, django_assert_max_num_queries):
    sites = company.departments.get(path="Chantiers")
    client.force_login(boss.user)
    for _each in range(2):
        save(boss, boss, query=f"by=member&department={sites.pk}")
    with CaptureQueriesContext(connection) as few:
        client.get(f"/{company.slug}/reports/saved/")
    for _each in range(5):
        save(boss, boss, query=f"by=member&department={sites.pk}")

    with django_assert_max_num_queries(len(few)):
        client.get(f"/{company.slug}/reports/saved/")
