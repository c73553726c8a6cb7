"""Every input of the corpus in the cells of a file and in lists of people, many at once."""

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from members.models import Batch, BatchRow, Invitation, Member
from members.services import import_work
from skypemgr.csv_files import write_csv_rows
from tests.inputs.corpus import Expected, Input, inputs
from tests.inputs.doors import Answer, World, post, undone

COLUMNS = {
    "name": "Last name",
    "address": "E-mail",
    "department": "Department",
    "department_path": "Department",
    "skype_name": "Skype Name",
}
# A cell is cut off long before; that its file is refused is tested with files.
LONGEST_CELL = 60_000
Outcome = BatchRow.Outcome


@pytest.fixture
def world(db: None) -> World:
    return World.make()


def for_cells(field: str) -> list[Input]:
    return [
        one
        for one in inputs(field)
        if one.cell is not None
        and len(one.value) < LONGEST_CELL
        and not any("\ud800" <= character <= "\udfff" for character in one.value)
    ]


def file_of(field: str, some: Sequence[Input]) -> bytes:
    rows = []
    for number, one in enumerate(some):
        cells = {"E-mail": f"row{number}@rows.example", "Last name": "", "Department": "", "Skype Name": ""}
        # A row without an address would be blank.
        rows.append([*(cells | {COLUMNS[field]: one.value}).values(), "x"])
    return b"".join(write_csv_rows(["E-mail", "Last name", "Department", "Skype Name", "Staff number"], rows))


def expected_of_cell(one: Input) -> Expected:
    assert one.cell is not None
    if one.cell.empty:
        return Expected(code="address_missing") if one.field == "address" else Expected(stored="")
    return one.cell


def made_of(field: str, row: BatchRow) -> Answer:
    if row.outcome == Outcome.PROBLEM:
        return Answer(code=row.problems[0]["code"])
    key = {"name": "last_name", "address": "email", "skype_name": "skype_name"}.get(field, "department")
    if row.outcome == Outcome.SKIPPED:
        return Answer(row.data[key])
    assert row.outcome == Outcome.DONE, row.outcome
    assert row.member is not None
    stored = {
        "last_name": row.member.user.last_name,
        "email": row.member.email,
        "skype_name": row.member.user.skype_name,
        "department": row.member.department.path if row.member.department else "",
    }
    return Answer(stored[key])


def deviations(field: str, some: Sequence[Input], batch: Batch) -> list[str]:
    rows = list(batch.rows.select_related("member__user", "member__department").order_by("number"))
    assert len(rows) == len(some)
    wrong = []
    for one, row in zip(some, rows, strict=True):
        expected, answer = expected_of_cell(one), made_of(field, row)
        if "\0" in one.value:
            right = answer.code == "row_nul"
        elif "\ufffd" in one.value:
            right = answer.code == "row_damaged"
        else:
            right = (answer.stored, answer.code) == (expected.stored, expected.code)
        if not right:
            wrong.append(f"{one}: expected {expected}, got {answer}")
    return wrong


@pytest.mark.parametrize("field", ["name", "address", "department", "department_path"])
def test_cells_of_an_uploaded_file_are_judged_as_forms_are(world: World, field: str) -> None:
    some = for_cells(field)
    file = SimpleUploadedFile("people.csv", file_of(field, some))

    answer = world.client.post(world.url("members/add/"), {"file": file, "key": str(uuid4())})
    batch = Batch.objects.get()
    review = world.client.get(answer.url)
    done = post(world.client, world.url(f"members/imports/{batch.pk}/create/"), rows="valid")
    batch.refresh_from_db()
    import_work.advance_to_the_end(batch)

    assert (answer.status_code, review.status_code, done.status_code) == (302, 200, 302)
    wrong = deviations(field, some, batch)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("field", ["name", "address", "department"])
def test_cells_of_a_file_given_to_the_command_are_judged_alike(
    world: World, field: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some, path = for_cells(field), tmp_path / "people.csv"
    path.write_bytes(file_of(field, some))

    call_command("import_members", str(path), "--valid-rows-only", "--json")

    result = json.loads(capsys.readouterr().out)
    wrong = deviations(field, some, Batch.objects.get())
    assert not wrong, "\n".join(wrong)
    assert result["created"] == Batch.objects.get().rows.filter(outcome=Outcome.DONE).count()


def test_any_user_name_of_a_directory_gives_a_skype_name_that_exists(world: World) -> None:
    some = for_cells("skype_name")
    file = SimpleUploadedFile("people.csv", file_of("skype_name", some))

    world.client.post(world.url("members/add/"), {"file": file, "key": str(uuid4())})
    batch = Batch.objects.get()
    post(world.client, world.url(f"members/imports/{batch.pk}/create/"), rows="valid")

    refused = batch.rows.filter(outcome=Outcome.PROBLEM)
    assert {row.problems[0]["code"] for row in refused} == {"row_nul"}
    made = batch.rows.filter(outcome=Outcome.DONE).select_related("member__user")
    names = [row.member.user.skype_name for row in made if row.member]
    assert len(names) == len(set(names)) == len(some) - len(refused)


def lists() -> list[Input]:
    return [one for one in inputs("address") if one.entries is not None]


def thirds(which: int) -> pytest.MarkDecorator:
    """A third of all lists for each door in `make test`, all of them in `make slow`."""
    return pytest.mark.parametrize(
        "some", [lists()[which::3], pytest.param(lists(), marks=pytest.mark.slow)], ids=["a third", "all"]
    )


@thirds(0)
def test_a_pasted_list_is_judged_entry_by_entry(world: World, some: list[Input]) -> None:
    wrong = []
    for one in some:
        with undone():
            response = post(world.client, world.url("members/add/"), addresses=one.value, key=str(uuid4()))
            if response.status_code == 422:
                entries: list[str] = []
                if "\0" in one.value:
                    continue
            else:
                rows = Batch.objects.latest("pk").rows.order_by("number")
                entries = [row.problems[0]["code"] if row.problems else row.data["email"] for row in rows]
                assert world.client.get(response.url).status_code == 200
        if any("\ud800" <= character <= "\udfff" for character in one.value):
            assert "address_not_ascii" in entries or "address_domain" in entries
        elif entries != list(one.entries or ()):
            wrong.append(f"{one}: expected {one.entries}, got {entries}")
    assert not wrong, "\n".join(wrong)


@thirds(1)
def test_people_with_accounts_of_their_own_are_invited_all_or_none(world: World, some: list[Input]) -> None:
    wrong = []
    for one in some:
        with undone():
            before = Invitation.objects.count()
            response = post(world.client, world.url("members/add/personal/"), people=one.value, key=str(uuid4()))
            made = list(Invitation.objects.order_by("pk").values_list("email", flat=True))[before:]
        wanted = list(one.entries or ())
        right = all("@" in entry for entry in wanted) and wanted and "\0" not in one.value
        if (response.status_code, made) != ((302, wanted) if right else (422, [])):
            wrong.append(f"{one}: expected {wanted}, got {response.status_code} and {made}")
    assert not wrong, "\n".join(wrong)


@thirds(2)
def test_the_command_invites_all_or_none(world: World, some: list[Input], capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for one in some:
        before = Member.objects.count()
        try:
            with undone():
                call_command("invite_members", "--json", "--", one.value)
                made = [person["email"] for person in json.loads(capsys.readouterr().out)["invited"]]
        except CommandError as refused:
            made = []
            assert all(map(str.isprintable, str(refused).split("\n"))), ascii(str(refused))
            assert Member.objects.count() == before
        capsys.readouterr()
        wanted = list(one.entries or ())
        if made != (wanted if all("@" in entry for entry in wanted) else []):
            wrong.append(f"{one}: expected {wanted}, got {made}")
    assert not wrong, "\n".join(wrong)
