"""The log as people read it."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import translation

from members.access import Actor
from members.audit import Action, record
from members.audit_texts import Change, changes_of
from members.models import AuditEntry, AuditOrigin, Member
from members.services.members import assign_role
from tests.factories import MemberFactory, OrganizationFactory, UserFactory


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme", time_zone="Europe/Paris")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True, user__first_name="Hélène", user__last_name="Marchand")
    client.force_login(boss.user)
    return boss


def write(organization, action=Action.MEMBER_CHANGED, *, actor=None, subject=None, at=None, **facts):
    actor = actor or Actor.system()
    with time_machine.travel(at or datetime.now(UTC), tick=False):
        record(organization=organization, actor=actor, action=action, subject=subject or organization, **facts)
    return AuditEntry.objects.latest("id")


def log(client, query=""):
    return client.get(reverse("members:audit_list", args=["acme"]) + query)


def lines(response):
    return [(row.actor, row.action, row.subject) for day in response.context["days"] for row in day.rows]


def test_changes_stand_newest_first_by_the_days_of_the_organization(client, organization, boss):
    member = MemberFactory(organization=organization, user__first_name="Yann", user__last_name="Le Goff")
    acting = Actor.of_member(boss, address="192.0.2.14")
    # Half past eleven at night in London is the next day in Paris.
    evening = datetime(2025, 11, 20, 22, 30, tzinfo=UTC)
    write(organization, Action.MEMBER_BLOCKED, actor=acting, subject=member, at=evening)
    write(organization, Action.BATCH_STARTED, at=evening + timedelta(hours=1))

    response = log(client)

    assert [day.title for day in response.context["days"]] == ["Friday 21 November 2025", "Thursday 20 November 2025"]
    assert lines(response) == [
        ("Skype Manager", "Started an import", ""),
        ("Hélène Marchand", "Blocked sign-in", "Yann Le Goff"),
    ]
    assert "23:30" in response.text
    assert "192.0.2.14" in response.text
    assert "2 of 2 changes, newest first" in response.text


def test_fields_and_values_are_told_in_the_reader_s_words(client, organization, boss):
    write(
        organization,
        Action.ORGANIZATION_CHANGED,
        before={"language": "en", "allow_personal_accounts": True},
        after={"language": "sv", "allow_personal_accounts": False},
    )

    text = log(client).text

    assert "Language: <del>English</del> → <ins>Svenska</ins>" in text
    assert "Personal accounts allowed: <del>yes</del> → <ins>no</ins>" in text


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"role": "member"}, {"role": "voice_manager"}, [Change("", "Member", "Voice manager")]),
        ({"department": "A"}, {"department": ""}, [Change("", "A", "none")]),
        ({"department": ""}, {"department": "A / B"}, [Change("", "", "A / B")]),
        ({}, {"fields": ["first_name", "last_name"]}, [Change("Changed", "", "First name and Last name")]),
        ({}, {"created": 3, "failed": 0}, [Change("Accounts created", "", "3"), Change("Failed", "", "0")]),
        (
            {},
            {"state": "left", "kind": "personal"},
            [Change("State", "", "Left"), Change("Kind of account", "", "Personal account")],
        ),
        ({}, {"something_new": "x"}, [Change("something_new", "", "x")]),
        ({}, {}, []),
    ],
)
def test_each_change_has_its_field_and_both_values(before, after, expected):
    assert changes_of(AuditEntry(before=before, after=after)) == expected


def test_what_people_typed_is_escaped(client, organization, boss):
    write(organization, reason="<b>x</b>", before={"name": "<i>"}, after={"name": "<script>"})

    text = log(client).text

    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<script>alert" not in text
    assert "<ins><script></ins>" not in text


@pytest.fixture
def history(organization, boss):
    """Four entries: of the system on Ann, of the boss on Bo, of an operator, and an old one."""
    ann = MemberFactory(organization=organization, user__first_name="Ann", user__skype_name="ann.berg")
    bo = MemberFactory(organization=organization, user__first_name="Bo", user__skype_name="bo.berg")
    operator = UserFactory(first_name="Opal", last_name="Stone", is_operator=True)
    write(organization, Action.MEMBER_LEFT, subject=bo, at=datetime(2025, 3, 1, 12, tzinfo=UTC))
    write(organization, Action.MEMBER_ADDED, subject=ann)
    write(organization, Action.MEMBER_BLOCKED, subject=bo, actor=Actor.of_member(boss))
    write(organization, Action.DEPARTMENT_ADDED, actor=Actor.operator(operator), after={"department": "Sales"})
    write(OrganizationFactory(), Action.MEMBER_ADDED)


ADDED, BLOCKED, DEPARTMENT, LEFT = "Added a member", "Blocked sign-in", "Added a department", "Left"


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("", [DEPARTMENT, BLOCKED, ADDED, LEFT]),
        ("?q=ann", [ADDED]),
        ("?q=bo.berg", [BLOCKED, LEFT]),
        ("?q=nobody", []),
        ("?action=member.blocked", [BLOCKED]),
        ("?by=system", [ADDED, LEFT]),
        ("?by=operator", [DEPARTMENT]),
        ("?since=2025-03-02", [DEPARTMENT, BLOCKED, ADDED]),
        ("?since=2025-03-01&q=bo", [BLOCKED, LEFT]),
        ("?since=9999-12-31", [DEPARTMENT, BLOCKED, ADDED, LEFT]),
        ("?since=2026-02-30&action=drop&by=-1&cursor=x&q=%01", [DEPARTMENT, BLOCKED, ADDED, LEFT]),
        ("?since=01/02/2026", [DEPARTMENT, BLOCKED, ADDED, LEFT]),
    ],
)
def test_filters_find_what_they_say_and_ignore_nonsense(client, history, query, actions):
    response = log(client, query)

    assert response.status_code == 200
    assert [action for _actor, action, _subject in lines(response)] == actions


def test_an_administrator_s_changes_are_found_by_their_name(client, history, boss):
    response = log(client, f"?by={boss.user.skype_name}")

    assert [action for _actor, action, _subject in lines(response)] == [BLOCKED]
    assert f"<option value={boss.user.skype_name} selected>Hélène Marchand" in response.text


def test_an_operator_is_named_as_one(client, history):
    assert ("Opal Stone, operator", DEPARTMENT, "") in lines(log(client))


def test_pages_follow_each_other(client, organization, boss):
    for _number in range(60):
        write(organization)

    first = log(client, "?by=system")
    second = log(client, first.context["page"].next_url)

    assert (len(lines(first)), len(lines(second))) == (50, 10)
    assert "50 of 60 changes, newest first" in first.text


def test_an_empty_log_says_so(client, boss):
    assert "Nothing was changed yet" in log(client).text
    assert "No change matches" in log(client, "?q=nobody").text


def test_an_origin_that_was_erased_is_gone_and_the_line_stays(client, organization, boss):
    write(organization, actor=Actor.of_member(boss, address="192.0.2.14"))
    AuditOrigin.objects.all().delete()

    response = log(client)

    assert len(lines(response)) == 1
    assert "192.0.2.14" not in response.text


def test_the_file_holds_what_is_filtered_in_the_reader_s_language(client, organization, boss, history):
    assign_role(
        actor=Actor.of_member(boss, address="192.0.2.14"),
        organization=organization,
        member=organization.members.get(user__skype_name="ann.berg"),
        role=Member.Role.VOICE_MANAGER,
    )
    boss.user.language = "fr"
    boss.user.save()

    response = client.get(reverse("members:audit_export", args=["acme"]) + "?action=member.role_changed")
    header, *rows = csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig")))

    assert len(header) == 8
    [row] = rows
    with translation.override("fr"):
        assert row[1:3] == ["Hélène Marchand", str(Action.MEMBER_ROLE_CHANGED.label)]
        assert row[4:6] == [str(Member.Role.MEMBER.label), str(Member.Role.VOICE_MANAGER.label)]
    assert row[7] == "192.0.2.14"
    assert row[0].endswith(("+01:00", "+02:00"))


def test_the_log_costs_as_many_queries_for_twenty_as_for_one(client, organization, boss, django_assert_num_queries):
    def fill(number):
        for _number in range(number):
            member = MemberFactory(organization=organization)
            write(organization, actor=Actor.of_member(member, address="192.0.2.1"), subject=member)

    fill(1)
    with django_assert_num_queries(9):
        log(client)
    fill(20)
    with django_assert_num_queries(9):
        log(client)


def test_those_who_act_are_offered_by_name_whatever_their_role(client, organization, boss, monkeypatch):
    monkeypatch.setattr("members.selectors.audit.MOST_ACTORS", 3)
    for name, role in [
        ("Zoé", "administrator"),
        ("Bea", "reports_viewer"),
        ("Ann", "member"),
        ("Cid", "voice_manager"),
    ]:
        MemberFactory(organization=organization, role=role, user__first_name=name, user__last_name="")
    MemberFactory(organization=organization, role="credit_manager", user__first_name="", user__last_name="")

    choices = dict(log(client).context["asked"].filters[1].choices)

    assert [str(label) for label in choices.values()][2:4] == ["Bea", "Cid"]
    assert len(choices) == 5
