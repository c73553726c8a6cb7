"""Every file of the corpus through the page and the command: read, or refused with a sentence beside the field."""

import csv
import io
import json
import resource
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import translation
from django.utils.html import escape

from members.directory import describe
from members.models import Batch, Letter, Member
from members.row_texts import TEXTS
from skypemgr.csv_files import defuse, open_csv
from skypemgr.text_files import UnreadableFile
from tests.inputs.doors import LANGUAGE, LONGEST_WAIT, World, post, undone
from tests.inputs.file_corpus import File, files

ALL = list(files())


@pytest.fixture
def world(db: None) -> World:
    return World.make()


def upload(world: World, content: bytes, name: str = "people.csv"):
    began = time.thread_time()
    answer = world.client.post(
        world.url("members/add/"), {"file": SimpleUploadedFile(name, content), "key": str(uuid4())}
    )
    assert time.thread_time() - began < LONGEST_WAIT
    assert answer.status_code < 500
    return answer


def codes(batch: Batch) -> tuple[str, ...]:
    return tuple(row.problems[0]["code"] for row in batch.rows.order_by("number") if row.problems)


def what_is_wrong(one: File, batch: Batch) -> str:
    if codes(batch) != one.problems:
        return f"problems {codes(batch)[:3]}"
    if batch.total != one.people:
        return f"{batch.total} people"
    first = batch.rows.order_by("number").first()
    assert first is not None
    if one.first_name is not None and first.data["first_name"] != one.first_name:
        return f"the first one is called {first.data['first_name']!r}"
    return "" if batch.facts["certain"] == one.certain else f"certain is {batch.facts['certain']}"


def test_every_uploaded_file_is_read_or_refused_in_words(world: World) -> None:
    wrong = []
    for one in ALL:
        with undone():
            answer = upload(world, one.content)
            page = answer.content.decode()
            if answer.status_code == 302:
                batch = Batch.objects.latest("pk")
                found = f"read, not {one.code}" if one.code else what_is_wrong(one, batch)
                review = world.client.get(answer.url).content.decode()
                if "<script>alert" in review:
                    found = "markup in the review"
            else:
                # An empty file is what Django itself refuses.
                errors = answer.context["form"].errors.as_data().get("file", [])
                with translation.override(LANGUAGE):
                    told = errors[0].messages[0] if errors else ""
                found = "" if one.code and answer.status_code == 422 else f"refused: {told}"
                if not told or str(escape(told)) not in page or 'id="id_file_error"' not in page:
                    found = f"the refusal is not beside the field: {told}"
                if Batch.objects.exists():
                    found = "something is left"
        wrong += [f"{one}: {found}"] if found else []
    assert len(ALL) > 70
    assert not wrong, "\n".join(wrong)


def test_the_command_reads_and_refuses_the_same_files(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, path = [], tmp_path / "people.csv"
    for one in ALL:
        path.write_bytes(one.content)
        with undone():
            try:
                call_command("import_members", str(path), "--dry-run", "--valid-rows-only", "--json")
            except CommandError as refused:
                cause = refused.__cause__
                code = cause.code if isinstance(cause, UnreadableFile) else ""
                found = "" if code == one.code else f"refused with {code or refused}"
                assert all(map(str.isprintable, str(refused).split("\n")))
            else:
                result = json.loads(capsys.readouterr().out)
                ready = one.people - len(one.problems)
                found = "" if result["would_create"] == ready and not one.code else f"{result['would_create']} ready"
        capsys.readouterr()
        wrong += [f"{one}: {found}"] if found else []
    assert not wrong, "\n".join(wrong)


def test_each_refusal_of_a_file_names_what_to_do_in_every_language() -> None:
    for code in {one.code for one in ALL if one.code}:
        assert code in TEXTS
        with translation.override(LANGUAGE):
            assert describe(
                code, dict.fromkeys(("format", "encoding", "headers", "first", "second"), "x") | {"line": 1, "limit": 1}
            )


def test_rows_that_are_wrong_come_back_in_a_file_without_formulas(world: World) -> None:
    one = next(one for one in ALL if one.label == "500 bad rows")
    batch_url = upload(world, one.content).url

    answer = world.client.get(f"{batch_url}outcome.csv?rows=errors")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline="")))

    assert len(rows) == 501
    assert rows[1][2] == "'=1+0"
    assert not [cell for row in rows for cell in row if defuse(cell) != cell and not cell.startswith("'")]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\r\nSet-Cookie: x=y.csv", "x" * 5_000, "\u202ecsv.exe", "<b>.csv", ".", "é.csv"]
)
def test_the_name_of_a_file_is_text_and_nothing_else(world: World, name: str) -> None:
    boundary = "b"
    given = name.replace("\r\n", "%0D%0A").replace('"', "%22")
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="key"\r\n\r\n{uuid4()}\r\n--{boundary}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="{given}"\r\n\r\nE-mail\r\na@rows.example\r\n'
        f"--{boundary}--\r\n"
    )
    answer = world.client.generic(
        "POST", world.url("members/add/"), body.encode(), content_type=f"multipart/form-data; boundary={boundary}"
    )

    assert answer.status_code in (302, 400, 422)
    if answer.status_code == 302:
        review = world.client.get(answer.url).content.decode()
        assert "<b>.csv" not in review
        assert len(Batch.objects.get().file_name) <= 200


def test_no_file_two_files_and_a_list_beside_a_file(world: World) -> None:
    url, key = world.url("members/add/"), str(uuid4())
    files = [
        SimpleUploadedFile("a.csv", b"E-mail\na@rows.example\n"),
        SimpleUploadedFile("b.csv", b"E-mail\nb@rows.example\n"),
    ]

    assert world.client.post(url, {"key": key}).status_code == 422
    assert world.client.post(url, {"key": key, "file": ""}).status_code == 422
    assert world.client.post(url, {"key": key, "file": files[0], "addresses": "c@rows.example"}).status_code == 422
    assert not Batch.objects.exists()
    assert world.client.post(url, {"key": key, "file": files}).status_code in (302, 422)
    assert Batch.objects.count() <= 1


def test_an_upload_that_ends_too_soon_makes_nobody(world: World) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nE-mail\r\na@rows.example'
    for size in (len(body), len(body) - 20, 0):
        answer = world.client.generic(
            "POST",
            world.url("members/add/"),
            body,
            content_type="multipart/form-data; boundary=b",
            CONTENT_LENGTH=str(size),
        )
        assert answer.status_code in (400, 422)
    assert not Batch.objects.exists()


def test_the_same_file_twice_is_done_once(world: World) -> None:
    content = b"E-mail\r\na@rows.example\r\n"
    first, second = upload(world, content), upload(world, content)
    post(world.client, f"{first.url}create/")
    post(world.client, f"{second.url}create/")
    third = upload(world, content)

    assert third.status_code == 422
    assert Member.objects.filter(email="a@rows.example").count() == 1
    assert Letter.objects.filter(email="a@rows.example").count() == 1


def test_columns_that_would_give_rights_are_named_and_ignored(world: World) -> None:
    one = next(one for one in ALL if one.label == "columns that would give rights")
    review = world.client.get(upload(world, one.content).url)
    batch = Batch.objects.get()
    post(world.client, f"{world.url('members/imports/')}{batch.pk}/create/")

    member = Member.objects.select_related("user").get(email="a@rows.example")
    assert "is_operator" in review.content.decode()
    assert (member.role, member.state, member.user.is_operator) == ("member", "invited", False)
    assert member.organization == world.organization


def test_a_file_beyond_the_limit_is_refused_before_all_of_it_is_read() -> None:
    class Endless(io.RawIOBase):
        """A header and rows until a gigabyte."""

        def __init__(self) -> None:
            self.at = self.asked = 0

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset
            return offset

        def tell(self) -> int:
            return self.at

        def readinto(self, buffer) -> int:
            size = min(len(buffer), max(4_000_000 - self.at, 0))
            text = (b"a@rows.example\n" * (size // 15 + 2))[self.at % 15 :][:size]
            buffer[:size] = text
            self.at += size
            self.asked += size
            return size

    file, before = Endless(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableFile) as refused:
        open_csv(io.BufferedReader(file), judge=lambda rows: (1, None), limit_rows=1_000)

    assert refused.value.code == "file_too_many_rows"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
