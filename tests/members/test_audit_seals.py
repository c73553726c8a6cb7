"""Seals of the audit log: what was sealed can't be changed unseen, by whoever owns the database either."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from members import sealing
from members.access import Actor
from members.models import AuditEntry, AuditSeal, Member
from members.sealing import AUDIT_LOG, broken_seals
from members.services.departments import add_department
from members.services.seals import seal_audit_logs
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()


@pytest.fixture
def administrator() -> Member:
    member = MemberFactory(admin=True)
    change(member, "Werft", "Nord", "Süd")
    return member


def change(member: Member, *names: str) -> None:
    for name in names:
        add_department(actor=SYSTEM, organization=member.organization, name=name)


def as_owner(statement: str, *values: object) -> None:
    """What the database refuses, by whoever may switch that off."""
    with connection.cursor() as cursor:
        for table in ("members_auditentry", "members_auditseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        for table in ("members_auditentry", "members_auditseal"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def verify(capsys, *arguments: str) -> tuple[int, dict]:
    capsys.readouterr()
    try:
        call_command("verify_audit", *arguments, "--json")
        status = 0
    except CommandError:
        status = 1
    return status, json.loads(capsys.readouterr().out)


def test_what_is_new_is_sealed_once(administrator, capsys):
    assert seal_audit_logs() == 1
    assert seal_audit_logs() == 0
    change(administrator, "Ost")
    assert seal_audit_logs() == 1

    assert list(AuditSeal.objects.order_by("number").values_list("number", "rows")) == [(1, 3), (2, 1)]
    assert verify(capsys) == (0, {"entries": 4, "seals": 2, "differences": []})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE members_auditentry SET reason = 'nothing' WHERE id = (SELECT min(id) FROM members_auditentry)",
        "UPDATE members_auditentry SET at = at - interval '1 hour'",
        "UPDATE members_auditentry SET after = '{}'",
        "UPDATE members_auditentry SET actor_kind = 'operator'",
        "DELETE FROM members_auditentry WHERE id = (SELECT max(id) FROM members_auditentry)",
        "DELETE FROM members_auditentry",
        "DELETE FROM members_auditseal WHERE number = 1",
        "UPDATE members_auditseal SET hash = repeat('0', 64) WHERE number = 1",
        "UPDATE members_auditseal SET rows = rows + 1",
    ],
)
def test_whatever_is_changed_shows(administrator, capsys, statement):
    seal_audit_logs()
    change(administrator, "Ost")
    seal_audit_logs()

    as_owner(statement)

    status, result = verify(capsys)
    assert status == 1
    assert result["differences"][0]["organization"] == administrator.organization.slug


def test_each_organization_has_a_chain_of_its_own(administrator, capsys):
    other = MemberFactory(admin=True)
    change(other, "Werft")
    seal_audit_logs()
    as_owner("UPDATE members_auditentry SET reason = 'x' WHERE organization_id = %s", other.organization_id)

    assert verify(capsys, "--organization", administrator.organization.slug)[0] == 0
    assert verify(capsys, "--organization", other.organization.slug)[0] == 1


def test_many_entries_are_sealed_in_pieces(administrator, monkeypatch):
    monkeypatch.setattr(sealing, "AT_MOST", 2)

    assert seal_audit_logs() == 2
    assert [seal.rows for seal in AuditSeal.objects.order_by("number")] == [2, 1]
    assert list(broken_seals(AUDIT_LOG)) == []


@pytest.mark.parametrize("statement", ["UPDATE members_auditseal SET rows = 9", "DELETE FROM members_auditseal"])
def test_the_database_changes_no_seal(administrator, statement):
    seal_audit_logs()

    with pytest.raises(Exception, match="Cannot update or delete"), connection.cursor() as cursor:
        cursor.execute(statement)


# The page


def page_of(member: Member, query: str = ""):
    client = Client()
    client.force_login(member.user)
    return client.get(reverse("members:audit_verification", args=[member.organization.slug]) + query)


def test_the_page_says_that_the_log_is_as_it_was_sealed(administrator):
    seal_audit_logs()

    before, after = page_of(administrator), page_of(administrator, "?check=1")

    assert AuditSeal.objects.get().hash in before.content.decode().replace(" ", "").replace("\n", "")
    assert before.context["checked"] is None
    assert (after.context["checked"].seals, after.context["checked"].broken) == (1, [])


def test_the_page_names_the_seal_that_is_broken(administrator):
    seal_audit_logs()
    change(administrator, "Ost")
    seal_audit_logs()
    entry = AuditEntry.objects.order_by("-pk").first()
    as_owner("UPDATE members_auditentry SET reason = 'x' WHERE id = %s", entry.pk)

    answer = page_of(administrator, "?check=1")

    assert answer.context["checked"].broken == [2]
    assert "Seal 2" in answer.content.decode()


def test_the_page_checks_as_many_as_a_page_can(administrator, monkeypatch):
    monkeypatch.setattr("members.selectors.audit_seals.MOST_CHECKED", 2)
    for name in ("Ost", "West", "Mitte"):
        seal_audit_logs()
        change(administrator, name)
    seal_audit_logs()

    checked = page_of(administrator, "?check=1").context["checked"]

    assert (checked.seals, checked.rows, checked.broken) == (2, 2, [])
    as_owner("UPDATE members_auditentry SET at = at - %s", timedelta(hours=1))
    assert page_of(administrator, "?check=1").context["checked"].broken == [3, 4]


def test_before_the_first_hour_there_is_nothing_to_check(administrator):
    assert "first seal" in page_of(administrator).content.decode()
