from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from members.access import Actor
from members.errors import BatchNotOpen, NothingToAdd, RowsNeedCorrection, SameContentAgain
from members.importing import Draft, Outcome
from members.models import AuditEntry, Batch, BatchPiece, BatchRow, Department, Invitation, Letter, Member, User
from members.row_texts import sentence
from members.services import import_work, imports
from skypemgr.text_files import UnreadableFile
from tests.factories import DepartmentFactory, MemberFactory, UserFactory

DIRECTORIES = Path(__file__).parent.parent / "data" / "directories"

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return MemberFactory(admin=True, organization__name="Architectes")


def read(admin, content, name="people.csv", **options):
    if isinstance(content, str):
        content = content.encode()
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=content,
        file_name=name,
        key=options.pop("key", None) or uuid4(),
        **options,
    )
    import_work.advance(batch)
    batch.refresh_from_db()
    return batch


def start(admin, batch, **options):
    batch = imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch, **options)
    import_work.advance(batch)
    batch.refresh_from_db()
    return batch


def change(admin, batch, number, **values):
    return imports.change_row(
        actor=Actor.of_member(admin), organization=admin.organization, batch=batch, number=number, values=values
    )


def outcomes(batch):
    return dict(batch.rows.order_by("number").values_list("number", "outcome"))


def told(row):
    return [sentence(entry) for entry in [*row.problems, *row.notes]]


@pytest.mark.parametrize(
    "name",
    [
        "active-directory-export-csv-utf16.csv",
        "entra-bulk-users.csv",
        "excel-fr-windows-1252-semicolon.csv",
        "google-workspace-users.csv",
        "seed-format-fr.csv",
    ],
)
def test_every_person_of_a_directory_export_gets_an_account(admin, name):
    batch = read(admin, (DIRECTORIES / name).read_bytes(), name)

    assert set(outcomes(batch).values()) == {"ready"}
    start(admin, batch)

    added = Member.objects.of(admin.organization).exclude(pk=admin.pk)
    assert added.count() == batch.rows.count() > 15
    assert added.filter(user__email="ebba.naslund@architectes.example").exists()
    assert Letter.objects.filter(kind="invitation").count() == added.count()


def test_job_titles_of_a_directory_come_with_the_accounts(admin):
    batch = read(admin, (DIRECTORIES / "entra-bulk-users.csv").read_bytes())
    assert batch.rows.get(number=1).data["job_title"] == "Site engineer"
    start(admin, batch)

    assert Member.objects.get(email="gillian.garner@architectes.example").job_title == "Site engineer"
    assert Member.objects.of(admin.organization).exclude(job_title="").count() > 10


def test_a_job_title_that_cannot_be_kept_is_a_problem_of_its_row(admin):
    batch = read(admin, b"E-mail,Job title\nanna@people.example,see www.evil.example now\nbo@people.example,  Pilot \n")

    first, second = batch.rows.order_by("number")
    assert (first.outcome, first.problems[0]["field"]) == (Outcome.PROBLEM, "job_title")
    assert (second.outcome, second.data["job_title"]) == (Outcome.READY, "Pilot")


def test_each_of_the_fourteen_people_of_a_messy_file_is_created_skipped_or_named(admin):
    batch = read(admin, (DIRECTORIES / "messy.csv").read_bytes())

    assert batch.total == 14
    rows = {row.number: row for row in batch.rows.order_by("number")}
    assert rows[1].outcome == Outcome.READY
    assert rows[2].outcome == Outcome.SKIPPED
    for row in rows.values():
        if row.outcome == Outcome.PROBLEM:
            assert told(row)
    start(admin, batch, valid_rows_only=True)
    emails = set(Member.objects.of(admin.organization).values_list("email", flat=True))
    assert {"anna.berg@example.com", "lars.olsson@example.com", "zoe.bronte@example.com"} <= emails
    assert {"extra@example.com", "missing@example.com", "short@example.com", "digits@example.com"} <= emails


def test_nothing_exists_before_the_accounts_are_created(admin):
    read(admin, "E-mail\nanna@people.example\n")

    assert User.objects.count() == 1
    assert not Letter.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_new_account_is_invited_and_holds_what_the_file_said(admin):
    batch = read(admin, "E-mail;Prénom;Nom;Service\nanna@people.example;Anna;Berg;Études\n")

    start(admin, batch)

    member = Member.objects.get(email="anna@people.example")
    assert (member.state, member.role, member.user.kind) == ("invited", "member", "business")
    assert (member.user.first_name, member.user.last_name) == ("Anna", "Berg")
    assert member.department.path == "Études"
    assert not member.user.has_usable_password()
    assert Invitation.objects.get(member=member).is_open(member.created_at)
    assert batch.rows.get().member == member


def test_a_password_column_is_never_used(admin):
    batch = read(admin, "Email,Password\nanna@people.example,four pigeons on a slate roof\n")

    start(admin, batch)

    assert batch.facts["ignored"][0]["reason"] == "password_never_used"
    assert not User.objects.get(email="anna@people.example").has_usable_password()
    assert "pigeons" not in str(list(BatchRow.objects.values_list("data", flat=True)))


def test_a_user_name_is_made_ascii_and_a_taken_one_numbered(admin):
    UserFactory(skype_name="prenom_nom")

    batch = read(admin, "email,user name\nprenom.nom@people.example,prénom_nom\n")

    row = batch.rows.get()
    assert row.data["skype_name"] == "prenom_nom2"
    assert told(row) == ["“prénom_nom” made ASCII", "“prenom_nom” is taken, so a number was added"]


def test_namesakes_of_one_file_get_names_of_their_own(admin):
    batch = read(admin, "email\nanna.berg@a.example\nanna.berg@b.example\nanna.berg@c.example\n")

    names = batch.rows.order_by("number").values_list("data__skype_name", flat=True)
    assert list(names) == ["anna.berg", "anna.berg2", "anna.berg3"]


def test_members_and_repetitions_are_skipped_and_say_why(admin):
    batch = read(admin, f"email\n{admin.email.upper()}\nanna@people.example\nANNA@people.example\n")

    assert outcomes(batch) == {1: "skipped", 2: "ready", 3: "skipped"}
    assert told(batch.rows.get(number=3)) == ["Same e-mail address as row 2. It will be skipped."]


def test_a_row_with_a_problem_does_not_hide_a_later_right_one(admin):
    batch = read(admin, "email,first name\nanna@people.example,‮Anna\nanna@people.example,Anna\n")

    assert outcomes(batch) == {1: "problem", 2: "ready"}


def test_every_problem_of_a_row_is_told_at_once(admin):
    batch = read(admin, "email,first name,last name\nnot-an-address,http://evil.example/win,‮evil\n")

    assert {entry["field"] for entry in batch.rows.get().problems} == {"email", "first_name", "last_name"}


def test_a_batch_with_a_problem_creates_nobody_unless_asked_for_the_right_rows(admin):
    batch = read(admin, "email\nanna@people.example\nnonsense\n")

    with pytest.raises(RowsNeedCorrection):
        start(admin, batch)
    assert Member.objects.count() == 1

    batch = start(admin, batch, valid_rows_only=True)
    assert batch.state == Batch.State.DONE
    assert outcomes(batch) == {1: "done", 2: "problem"}
    assert Member.objects.count() == 2


def test_a_corrected_row_is_checked_again_with_its_namesakes(admin):
    batch = read(admin, "email\nanna@people\nanna@people.example\n")

    row = change(admin, batch, 1, email="anna@people.example")

    assert row.outcome == Outcome.SKIPPED
    assert outcomes(batch) == {1: "skipped", 2: "ready"}


def test_leaving_a_row_out_lets_its_repetition_in(admin):
    batch = read(admin, "email\nanna@people.example\nanna@people.example\n")

    imports.leave_out_row(actor=Actor.of_member(admin), organization=admin.organization, batch=batch, number=1)

    assert outcomes(batch) == {1: "left_out", 2: "ready"}


def test_a_typed_skype_name_that_is_taken_is_refused_and_a_free_one_offered(admin):
    UserFactory(skype_name="anna.berg")
    batch = read(admin, "email\nanna@people.example\n")

    row = change(admin, batch, 1, skype_name="Anna.Berg")

    assert row.outcome == Outcome.PROBLEM
    assert told(row)[0] == "Already taken. Free: Anna.Berg2"


def test_a_typed_skype_name_of_another_row_is_refused(admin):
    batch = read(admin, "email\nanna.berg@people.example\nbo.berg@people.example\n")

    row = change(admin, batch, 2, skype_name="anna.berg")

    assert row.outcome == Outcome.PROBLEM


def test_a_first_password_is_hashed_at_once_and_must_be_replaced(admin):
    batch = read(admin, "email\nanna@people.example\n")
    change(admin, batch, 1, password="four pigeons on a slate roof")
    assert "pigeons" not in batch.rows.get().data["password"]

    start(admin, batch)

    user = User.objects.get(email="anna@people.example")
    assert user.check_password("four pigeons on a slate roof")
    assert user.must_change_password
    assert batch.rows.get().data["password"] == ""


def test_the_same_content_is_taken_in_once(admin):
    content = "email\nanna@people.example\n"
    start(admin, read(admin, content))

    with pytest.raises(SameContentAgain):
        read(admin, content)

    assert Member.objects.count() == 2


def test_the_day_a_file_was_taken_in_is_the_organizations(admin):
    content = "email\nanna@people.example\n"
    start(admin, read(admin, content))
    Batch.objects.update(started_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))

    # Half past midnight in Paris.
    with pytest.raises(SameContentAgain, match="on 2026-11-21"):
        read(admin, content)


def test_a_canceled_batch_does_not_stand_in_the_way_of_its_file(admin):
    batch = read(admin, "email\nanna@people.example\n")
    imports.cancel_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)

    assert read(admin, "email\nanna@people.example\n").state == Batch.State.DRAFT


def test_one_form_sent_twice_makes_one_batch(admin):
    key = uuid4()

    assert read(admin, "email\nanna@people.example\n", key=key) == read(admin, "email\nanna@people.example\n", key=key)


def test_two_clicks_on_create_make_each_account_once(admin, race):
    batch = read(admin, "email\n" + "".join(f"person{n}@people.example\n" for n in range(30)))

    race(lambda: start(admin, batch), lambda: start(admin, batch))

    assert Member.objects.count() == 31
    assert AuditEntry.objects.filter(action="batch.started").count() == 1


def test_two_workers_never_have_the_same_rows_in_hand(admin, race):
    batch = read(admin, "email\n" + "".join(f"person{n}@people.example\n" for n in range(30)))
    imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)

    answers = race(*[lambda: import_work.create_chunk(batch=batch, size=30)] * 2)

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert Member.objects.count() == 31


def test_two_drafts_of_one_file_in_two_tabs_are_carried_out_once(admin, race):
    content = "email\nanna@people.example\n"
    one, other = read(admin, content), read(admin, content)

    answers = race(lambda: start(admin, one), lambda: start(admin, other))

    assert sum(isinstance(answer, SameContentAgain) for answer in answers) == 1
    assert Member.objects.count() == 2


def test_two_organizations_want_one_skype_name_at_the_same_instant(admin, race):
    rival = MemberFactory(admin=True)
    one = read(admin, "email\nanna.berg@one.example\n")
    other = read(rival, "email\nanna.berg@other.example\n")

    race(lambda: start(admin, one), lambda: start(rival, other))

    names = set(User.objects.filter(email__startswith="anna.berg").values_list("skype_name", flat=True))
    assert names == {"anna.berg", "anna.berg2"}


def test_a_name_taken_since_the_review_gets_a_number_and_a_typed_one_fails(admin):
    batch = read(admin, "email\nanna.berg@people.example\nbo.berg@people.example\n")
    change(admin, batch, 2, skype_name="bo.typed")
    UserFactory(skype_name="anna.berg", email="one@elsewhere.example")
    UserFactory(skype_name="bo.typed", email="other@elsewhere.example")

    start(admin, batch)

    assert outcomes(batch) == {1: "done", 2: "failed"}
    assert User.objects.get(email="anna.berg@people.example").skype_name == "anna.berg2"
    assert not User.objects.filter(email="bo.berg@people.example").exists()


def test_a_name_that_is_numbered_since_the_review_says_so_and_is_not_that_of_a_later_row(admin, monkeypatch):
    monkeypatch.setattr(import_work, "CREATE_CHUNK", 1)
    batch = read(admin, "email\nanna.berg@people.example\nbo.berg@people.example\n")
    change(admin, batch, 2, skype_name="anna.berg2")
    UserFactory(skype_name="anna.berg", email="one@elsewhere.example")

    start(admin, batch)

    names = {user.email: user.skype_name for user in User.objects.filter(owner=admin.organization)}
    assert names["anna.berg@people.example"] == "anna.berg3"
    assert names["bo.berg@people.example"] == "anna.berg2"
    assert told(batch.rows.get(number=1)) == ["“anna.berg” is taken, so a number was added"]


def test_a_new_department_is_announced_only_where_it_will_be_made(admin):
    batch = read(admin, "email,department\nanna@people.example,Ventes\nnonsense,Achats\n")

    assert [entry["code"] for entry in batch.rows.get(number=1).notes] == ["department_new"]
    assert batch.rows.get(number=2).notes == []


def test_somebody_who_became_a_member_since_the_review_is_skipped(admin):
    batch = read(admin, "email\nanna@people.example\nbo@people.example\n")
    MemberFactory(organization=admin.organization, email="anna@people.example")

    start(admin, batch)

    assert outcomes(batch) == {1: "skipped", 2: "done"}


def test_failed_rows_can_be_tried_again(admin):
    batch = read(admin, "email\nbo.berg@people.example\n")
    change(admin, batch, 1, skype_name="bo.typed")
    rival = UserFactory(skype_name="bo.typed")
    start(admin, batch)
    assert outcomes(batch) == {1: "failed"}
    rival.delete()

    imports.retry_failed_rows(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    batch.refresh_from_db()
    import_work.advance(batch)

    assert outcomes(batch) == {1: "done"}


def test_departments_are_found_or_made_once(admin):
    DepartmentFactory(organization=admin.organization, name="Études")
    batch = read(admin, "email,department\na@people.example,études\nb@people.example,Ventes / Nord\n")
    assert told(batch.rows.get(number=2)) == ["and the department"]

    start(admin, batch)

    paths = set(Department.objects.filter(organization=admin.organization).values_list("path", flat=True))
    assert paths == {"Études", "Ventes", "Ventes / Nord"}


def test_a_reader_that_died_is_continued_where_it_stopped(admin, monkeypatch):
    monkeypatch.setattr(import_work, "READ_CHUNK", 10)
    content = ("email\n" + "".join(f"person{n}@people.example\n" for n in range(25))).encode()
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin), organization=admin.organization, content=content, file_name="x", key=uuid4()
    )
    stored = import_work.store_rows
    calls = []

    def dies_after_one(**arguments):
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return stored(**arguments)

    monkeypatch.setattr(import_work, "store_rows", dies_after_one)
    with pytest.raises(KeyboardInterrupt):
        import_work.advance(batch)
    monkeypatch.setattr(import_work, "store_rows", stored)
    batch.refresh_from_db()
    assert (batch.state, batch.rows.count()) == ("reading", 10)

    import_work.advance(batch)

    batch.refresh_from_db()
    assert (batch.state, batch.rows.count(), batch.total) == ("draft", 25, 25)
    names = list(batch.rows.values_list("data__skype_name", flat=True))
    assert len(set(names)) == 25
    assert not BatchPiece.objects.exists()


def test_a_creator_that_died_is_continued_without_doubles(admin, monkeypatch):
    monkeypatch.setattr(import_work, "CREATE_CHUNK", 10)
    batch = read(admin, "email\n" + "".join(f"person{n}@people.example\n" for n in range(25)))
    batch = imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    import_work.advance(batch, chunks=1)
    assert Member.objects.count() == 11

    import_work.advance_batches_task()

    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert Member.objects.count() == 26
    assert Letter.objects.count() == 25


def test_a_file_with_too_many_rows_is_refused_and_says_so(admin, settings):
    settings.IMPORT_ROW_LIMIT = 3

    with pytest.raises(UnreadableFile):
        read(admin, "email\n" + "".join(f"person{n}@people.example\n" for n in range(5)))

    assert not Batch.objects.exists()


def test_pasted_people_are_reviewed_like_those_of_a_file(admin):
    people = [Draft(number=1, email="anna@people.example"), Draft(number=2, email="nonsense")]

    batch = imports.start_import_of_people(
        actor=Actor.of_member(admin), organization=admin.organization, people=people, key=uuid4()
    )

    assert outcomes(batch) == {1: "ready", 2: "problem"}


def test_nobody_at_all_is_refused(admin):
    with pytest.raises(NothingToAdd):
        imports.start_import_of_people(
            actor=Actor.of_member(admin), organization=admin.organization, people=[], key=uuid4()
        )


def test_a_batch_that_was_carried_out_is_not_reviewed_any_more(admin):
    batch = read(admin, "email\nanna@people.example\n")
    start(admin, batch)

    with pytest.raises(BatchNotOpen):
        change(admin, batch, 1, email="other@people.example")


def test_without_letters_the_invitations_stand_and_nothing_is_sent(admin):
    batch = read(admin, "email\nanna@people.example\n", letters=False)

    start(admin, batch)

    assert Invitation.objects.count() == 1
    assert not Letter.objects.exists()


@pytest.mark.parametrize("role", ["member", "credit_manager", "voice_manager", "reports_viewer"])
def test_only_those_who_manage_members_add_people(role):
    member = MemberFactory(role=role)

    with pytest.raises(PermissionDenied):
        read(member, "email\nanna@people.example\n")

    assert not Batch.objects.exists()


def test_a_batch_of_another_organization_is_out_of_reach(admin):
    batch = read(admin, "email\nanna@people.example\n")
    stranger = MemberFactory(admin=True)

    with pytest.raises(BatchNotOpen):
        change(stranger, batch, 1, email="other@people.example")
    with pytest.raises(BatchNotOpen):
        start(stranger, batch)
