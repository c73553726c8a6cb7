import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from members.access import Actor
from members.importing import Draft
from members.invariants import references
from members.models import Member, Organization
from members.services.departments import add_department
from members.services.import_work import advance_to_the_end
from members.services.imports import start_batch, start_import_of_people
from members.services.invitations import cancel_invitations
from members.services.joining import accept_business_invitation
from members.services.letters import send_letters
from members.services.members import block_members
from members.services.organizations import Company, Founder, set_up_organization
from skypemgr import invariants
from skypemgr.invariants import InvariantBroken, all_invariants, check_invariants, find_violations, invariant
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def company(slug: str) -> Organization:
    """A Skype Manager in which a little of everything has happened, each thing through its service."""
    person = UserFactory()
    organization = set_up_organization(
        actor=Actor.of_person(person),
        company=Company(name=slug, slug=slug, country="FR", currency="EUR", time_zone="Europe/Paris", language="en"),
        founder=Founder(user=person),
        key=uuid4(),
    ).organization
    paris = add_department(actor=SYSTEM, organization=organization, name="Paris")
    add_department(actor=SYSTEM, organization=organization, name="Studio", parent=paris)
    people = [Draft(number=n, email=f"p{n}@{slug}.example", department="Paris / Studio") for n in range(1, 7)]
    batch = start_import_of_people(actor=SYSTEM, organization=organization, people=people, key=uuid4())
    batch = start_batch(actor=SYSTEM, organization=organization, batch=batch)
    advance_to_the_end(batch)
    gone, joined, *_others = Member.objects.of(organization).filter(state="invited").order_by("pk")
    cancel_invitations(actor=SYSTEM, organization=organization, invitations=[gone.invitations.get().pk])
    accept_business_invitation(
        actor=SYSTEM, invitation=joined.invitations.get(), first_name="A", last_name="B", password="three quiet herons"
    )
    block_members(actor=SYSTEM, organization=organization, members=Member.objects.filter(pk=joined.pk))
    send_letters()
    return organization


@pytest.fixture
def organization(settings, tmp_path):
    settings.MAILERS = {
        "default": {"BACKEND": "members.gateways.mail.LocalMailbox", "OPTIONS": {"folder": tmp_path / "letters"}}
    }
    company("other")
    return company("architectes")


def broken() -> set[str]:
    return {violation.invariant for violation in find_violations()}


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        # What services did is checked now, so that only what follows is in question.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(sql)


def test_what_services_do_contradicts_nothing(organization, capsys):
    assert find_violations() == []

    call_command("invariants", "--json")
    assert json.loads(capsys.readouterr().out) == {"failures": []}


LETTERS, IMPORTS, LOG = (
    "members.letters_are_waiting_or_closed",
    "members.rows_of_imports_are_applied_once",
    "members.changes_are_in_the_log",
)
ADMINISTRATORS, INVITATIONS, TREES, IDENTITIES, FENCE, CLOSED = (
    "members.every_organization_has_an_administrator",
    "members.members_have_one_open_invitation_at_most",
    "members.departments_form_trees",
    "members.identities_are_frozen",
    "members.no_row_refers_to_another_organization",
    "members.nobody_acts_in_a_closed_organization",
)
# One statement for each way in which the data can contradict themselves, as a mistake of ours might leave them.
WAYS = {
    "closed letter that waits": (LETTERS, "UPDATE members_letter SET state = 'waiting'"),
    "closed letter that is leased": (LETTERS, "UPDATE members_letter SET leased_until = now()"),
    "letter due next year": (
        LETTERS,
        "UPDATE members_letter SET state = 'waiting', closed_at = NULL, due_at = now() + interval '1 year'",
    ),
    "people in a closed organization": (
        CLOSED,
        "UPDATE members_organization SET closes_at = now() - interval '3 days', closed_at = now() - interval '2 days'",
    ),
    "row done for nobody": (IMPORTS, "UPDATE members_batchrow SET member_id = NULL"),
    "two rows of one member": (
        IMPORTS,
        """UPDATE members_batchrow SET member_id = (SELECT max(member_id) FROM members_batchrow)
        WHERE batch_id = (SELECT max(id) FROM members_batch)""",
    ),
    "address applied twice": (IMPORTS, "UPDATE members_batchrow SET match_key = 'p1@architectes.example'"),
    "row forgotten": (IMPORTS, "UPDATE members_batchrow SET outcome = 'ready', member_id = NULL WHERE number = 3"),
    "row lost": (IMPORTS, "DELETE FROM members_batchrow WHERE number = 3"),
    "blocked without a word": (
        LOG,
        "UPDATE members_member SET state = 'blocked' WHERE id = (SELECT max(id) FROM members_member)",
    ),
    "left without a word": (
        LOG,
        "UPDATE members_member SET state = 'left' WHERE id = (SELECT max(id) FROM members_member)",
    ),
    "taken back without a word": (
        LOG,
        "UPDATE members_invitation SET state = 'canceled' WHERE id = (SELECT max(id) FROM members_invitation)",
    ),
    "declined without a word": (
        LOG,
        "UPDATE members_invitation SET state = 'declined' WHERE id = (SELECT max(id) FROM members_invitation)",
    ),
    "import finished twice": (
        LOG,
        """INSERT INTO members_auditentry
            (organization_id, at, actor_kind, action, subject_type, subject_id, before, after, reason)
        SELECT organization_id, now(), 'system', action, subject_type, subject_id, before, after, ''
        FROM members_auditentry WHERE action = 'batch.finished'""",
    ),
    "nobody to administer": (ADMINISTRATORS, "UPDATE members_member SET role = 'member'"),
    "administrator blocked": (ADMINISTRATORS, "UPDATE members_member SET state = 'blocked'"),
    "two open invitations": (
        INVITATIONS,
        """UPDATE members_invitation SET state = 'pending', member_id = (SELECT max(id) FROM members_member)
        WHERE organization_id = (SELECT max(id) FROM members_organization)""",
    ),
    "accepted and still waiting": (INVITATIONS, "UPDATE members_invitation SET state = 'accepted'"),
    "circle of departments": (
        TREES,
        """UPDATE members_department SET parent_id = (
            SELECT id FROM members_department child WHERE child.parent_id = members_department.id
        ) WHERE parent_id IS NULL""",
    ),
    "path of another place": (TREES, "UPDATE members_department SET path = path || 'x'"),
    "trigger switched off": (IDENTITIES, "ALTER TABLE members_auditentry DISABLE TRIGGER USER"),
    "business account in two places": (
        IDENTITIES,
        """UPDATE members_member SET user_id = (
            SELECT user_id FROM members_member ORDER BY id DESC LIMIT 1
        ) WHERE id = (SELECT min(id) FROM members_member)""",
    ),
    "tally that is off by one": (
        "members.tallies_are_what_counting_gives",
        "UPDATE members_membertally SET number = number + 1",
    ),
    "change of many that forgot whom it meant": (
        "members.changes_of_many_are_made_once",
        """INSERT INTO members_batch (organization_id, kind, state, file_name, fingerprint, facts, total, created_at)
        SELECT min(id), 'move_members', 'running', '', '', '{}', 5, now() FROM members_organization""",
    ),
    "letter to a stranger's account": (
        FENCE,
        "UPDATE members_letter SET user_id = (SELECT max(id) FROM members_user)",
    ),
    "member in a stranger's department": (
        FENCE,
        "UPDATE members_member SET department_id = (SELECT max(id) FROM members_department)",
    ),
    "somebody who is nobody's": (
        "members.everybody_has_one_tenure_at_a_time",
        "UPDATE members_tenure SET ended_at = started_at WHERE ended_at IS NULL",
    ),
    "two people at a time": (
        "members.everybody_has_one_tenure_at_a_time",
        """INSERT INTO members_tenure (organization_id, member_id, started_at, ended_at)
        SELECT organization_id, member_id, started_at - interval '1 hour', started_at + interval '1 hour'
        FROM members_tenure WHERE ended_at IS NULL""",
    ),
    "an account handed over without another person": (
        "members.everybody_has_one_tenure_at_a_time",
        "UPDATE members_user SET handed_over_at = now() WHERE kind = 'business'",
    ),
    "an account handed over that is not logged": (
        "members.changes_are_in_the_log",
        "UPDATE members_user SET handed_over_at = now() WHERE kind = 'business'",
    ),
}


def test_every_contradiction_is_found(organization):
    unseen = []
    for way, (name, sql) in WAYS.items():
        with transaction.atomic():
            run(sql)
            if name not in broken():
                unseen.append(way)
            transaction.set_rollback(True)

    assert unseen == []
    assert find_violations() == []
    ours = {name for name, function in all_invariants().items() if function.__module__ == "members.invariants"}
    assert {name for name, _sql in WAYS.values()} == ours


def test_the_fence_asks_every_reference_by_sql_that_runs(organization):
    assert {invariants.count(sql) for _name, sql in references()} == {0}


def test_the_fence_knows_every_reference_between_rows_of_organizations():
    names = {name for name, _sql in references()}

    assert {
        "member.user",
        "member.department",
        "department.parent",
        "invitation.member",
        "invitation.invited_by",
        "letter.invitation",
        "letter.user",
        "batch.started_by",
        "batchrow.batch",
        "batchrow.member",
        "auditentry.actor_member",
        "auditentry.subject_member",
    } <= names


def test_a_contradiction_ends_the_command_with_code_1(organization, capsys):
    run("UPDATE members_batchrow SET match_key = 'p1@architectes.example'")

    with pytest.raises(SystemExit) as end:
        call_command("invariants", "--json")
    assert end.value.code == 1
    [failure] = json.loads(capsys.readouterr().out)["failures"]
    assert failure == {
        "invariant": "members.rows_of_imports_are_applied_once",
        "message": "2 addresses of an import were applied more than once.",
    }
    with pytest.raises(CommandError, match="2 addresses of an import"):
        call_command("invariants")
    with pytest.raises(InvariantBroken):
        check_invariants()


def test_what_could_not_be_asked_is_a_failure(monkeypatch):
    monkeypatch.setattr(invariants, "_invariants", {})

    @invariant
    def nobody_divides_by_zero():
        yield str(1 // 0)

    [found] = find_violations()
    assert "could not be asked: ZeroDivisionError" in found.message
