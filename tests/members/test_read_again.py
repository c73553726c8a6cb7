"""A file that doesn't say in which encoding it is written, read again in the one that somebody chooses."""

import json
import re
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from members.access import Actor
from members.errors import BatchNotOpen
from members.models import AuditEntry, Batch, BatchPiece, Member
from members.services import import_work, imports
from members.services.erasure import erase_member
from skypemgr.text_files import ENCODINGS, UnreadableFile
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db

# Too few words to tell DOS from an old Mac.
DOS = "E-mail;First name;Last name\r\nzoe@people.example;Zoë;Müller\r\nanna@people.example;Anna;Berg\r\n".encode(
    "cp850"
)


@pytest.fixture
def admin(client):
    member = MemberFactory(admin=True, organization__slug="architectes")
    client.force_login(member.user)
    return member


def upload(client, content):
    answer = client.post(
        "/architectes/members/add/", {"file": SimpleUploadedFile("people.csv", content), "key": str(uuid4())}
    )
    assert answer.status_code == 302
    return answer.url, Batch.objects.latest("pk")


def read_again(admin, batch, encoding):
    return imports.read_again(
        actor=Actor.of_member(admin), organization=admin.organization, batch=batch, encoding=encoding
    )


def names(batch):
    return list(batch.rows.order_by("number").values_list("data__first_name", "data__last_name"))


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def entries():
    return list(AuditEntry.objects.filter(action="batch.read_again").values_list("before", "after"))


def test_a_file_is_read_again_in_the_encoding_that_looks_right(client, admin):
    url, batch = upload(client, DOS)
    assert names(batch)[0] != ("Zoë", "Müller")
    assert "Read again as…" in text_of(client.get(url))

    choice = client.get(f"{url}encoding/")
    assert "Zoë, Müller" in text_of(choice)
    assert ", ".join(names(batch)[0]) in text_of(choice)
    answer = client.post(f"{url}encoding/", {"encoding": "cp850"}, follow=True)

    assert names(batch) == [("Zoë", "Müller"), ("Anna", "Berg")]
    page = text_of(answer)
    assert "Read as DOS 850, separated by semicolons" in page
    assert "You chose this encoding." in page
    assert "Zoë Müller" in page
    assert entries() == [({"encoding": "Mac Roman"}, {"encoding": "DOS 850"})]


def test_the_accounts_carry_the_names_as_they_were_read_the_second_time(client, admin):
    url, _batch = upload(client, DOS)
    client.post(f"{url}encoding/", {"encoding": "cp850"})

    client.post(f"{url}create/")

    assert Member.objects.get(email="zoe@people.example").user.display_name == "Zoë Müller"
    assert not BatchPiece.objects.exists()


def test_the_encoding_it_is_read_in_is_the_first_choice_and_what_it_can_not_be_is_none(client, admin):
    url, _batch = upload(client, DOS)

    offered = re.findall(r'name="encoding"[^>]* value="([^"]+)"([^>]*)', client.get(f"{url}encoding/").content.decode())

    assert offered[0][0] == "mac-roman"
    assert "checked" in offered[0][1]
    assert "cp850" in dict(offered)
    # Not UTF-8, and what ISO 8859 has at these places are control characters.
    assert not {"utf-8-sig", "utf-16", "iso8859-15"} & dict(offered).keys()


def test_asking_twice_reads_once(client, admin):
    url, batch = upload(client, DOS)
    for _ in range(2):
        assert client.post(f"{url}encoding/", {"encoding": "cp850"}).status_code == 302
    batch.refresh_from_db()
    read_again(admin, batch, "cp850")

    assert len(entries()) == 1
    assert batch.rows.count() == batch.total == 2


def test_choosing_what_was_detected_keeps_what_was_corrected(client, admin):
    url, batch = upload(client, DOS)
    client.post(f"{url}rows/2/", {"first_name": "Corrected"})

    client.post(f"{url}encoding/", {"encoding": "mac-roman"})

    assert names(batch)[1] == ("Corrected", "Berg")
    assert entries() == []


def test_what_was_corrected_is_lost_which_the_page_says(client, admin):
    url, batch = upload(client, DOS)
    client.post(f"{url}rows/2/", {"first_name": "Corrected"})
    client.post(f"{url}rows/1/leave-out/")

    assert "What was corrected or left out in the review is lost." in text_of(client.get(f"{url}encoding/"))
    client.post(f"{url}encoding/", {"encoding": "cp850"})

    assert names(batch)[1] == ("Anna", "Berg")
    assert set(batch.rows.values_list("outcome", flat=True)) == {"ready"}


@pytest.mark.parametrize("end", ["create/", "cancel/"])
def test_the_file_is_kept_until_the_review_ends(client, admin, end):
    url, batch = upload(client, DOS)
    assert BatchPiece.objects.filter(batch=batch).exists()
    client.post(f"{url}encoding/", {"encoding": "cp850"})
    client.post(f"{url}encoding/", {"encoding": "mac-roman"})
    assert BatchPiece.objects.filter(batch=batch).exists()

    client.post(f"{url}{end}")

    assert not BatchPiece.objects.exists()
    assert client.post(f"{url}encoding/", {"encoding": "mac-roman"}).url == url
    with pytest.raises(BatchNotOpen):
        read_again(admin, batch, "mac-roman")


@pytest.mark.parametrize(
    "content", ["E-mail\nzoë@people.example\n".encode(), "E-mail\nzoë@a.example\n".encode("utf-16")]
)
def test_a_file_that_can_be_read_in_one_way_only_is_not_kept(client, admin, content):
    url, batch = upload(client, content)

    assert "Read again as…" not in text_of(client.get(url))
    assert not BatchPiece.objects.exists()
    assert client.get(f"{url}encoding/").url == url
    with pytest.raises(BatchNotOpen):
        read_again(admin, batch, "cp850")


def test_an_encoding_that_is_not_offered_is_refused_and_changes_nothing(client, admin):
    url, batch = upload(client, DOS)
    before = names(batch)

    for encoding in ("", "utf-8-sig", "utf-16", "rot13", "../../etc", "cp850\0"):
        assert client.post(f"{url}encoding/", {"encoding": encoding}).status_code == 422

    batch.refresh_from_db()
    assert (batch.state, names(batch), entries()) == ("draft", before, [])


def test_an_encoding_the_file_is_not_written_in_is_refused_and_the_review_stays(client, admin):
    _url, batch = upload(client, DOS)
    before = names(batch)

    with pytest.raises(UnreadableFile) as refused:
        read_again(admin, batch, "utf-8-sig")

    assert refused.value.code == "file_damaged"
    batch.refresh_from_db()
    assert (batch.state, names(batch), entries()) == ("draft", before, [])


def test_a_reader_that_still_reads_in_the_old_encoding_writes_nothing(client, admin):
    _url, batch = upload(client, DOS)
    late = Batch.objects.get(pk=batch.pk)
    late.state = Batch.State.READING
    read_again(admin, batch, "cp850")

    import_work.advance(late)
    import_work.finish_reading(batch=late, total=0)
    import_work.refuse_import(batch=late, code="file_empty", facts={})

    batch.refresh_from_db()
    assert (batch.state, batch.rows.count()) == ("reading", 0)
    import_work.advance(batch)
    assert names(batch)[0] == ("Zoë", "Müller")


def test_two_who_choose_at_once_get_one_reading_of_the_two(client, admin, race):
    _url, batch = upload(client, DOS)

    answers = race(lambda: read_again(admin, batch, "cp850"), lambda: read_again(admin, batch, "cp1251"))

    assert [type(answer) for answer in answers if isinstance(answer, Exception)] in ([], [BatchNotOpen])
    batch.refresh_from_db()
    import_work.advance(batch)
    batch.refresh_from_db()
    chosen = batch.facts["read_as"]
    assert (batch.state, batch.total) == ("draft", 2)
    assert names(batch)[0] == tuple(name.encode("cp850").decode(chosen) for name in ("Zoë", "Müller"))


def test_a_password_of_the_file_is_in_no_sample(client, admin):
    url, _batch = upload(client, "E-mail,Name,Password\nzoe@people.example,Zoë,gehëim\n".encode("cp1252"))

    page = client.get(f"{url}encoding/").content.decode()

    assert "Zoë" in page
    assert "geh" not in page


def test_where_only_ignored_columns_differ_the_page_says_that_nothing_does(client, admin):
    url, _batch = upload(client, "E-mail,Password\nzoe@people.example,gehëim\n".encode("cp1252"))

    assert "the file reads the same in every way" in text_of(client.get(f"{url}encoding/"))
    assert client.post(f"{url}encoding/", {"encoding": "cp850"}).status_code == 422


def test_names_are_text_in_the_sample(client, admin):
    url, _batch = upload(client, "E-mail,Name\nzoe@people.example,Zoë <svg/onload=alert(1)>\n".encode("cp1252"))

    page = client.get(f"{url}encoding/").content.decode()

    assert "<svg/onload" not in page
    assert "&lt;svg/onload" in page


def test_somebody_who_is_erased_does_not_come_back_with_the_file(client, admin):
    url, _batch = upload(client, DOS)
    gone = MemberFactory(organization=admin.organization, email="zoe@people.example", state=Member.State.LEFT)

    erase_member(actor=Actor.of_member(admin), organization=admin.organization, member=gone)

    assert not BatchPiece.objects.exists()
    assert client.post(f"{url}encoding/", {"encoding": "cp850"}).url == url


def test_the_command_reads_a_file_as_it_is_told(admin, tmp_path, capsys):
    path = tmp_path / "people.csv"
    path.write_bytes(DOS)

    call_command("import_members", str(path), "--encoding", "dos-850", "--json")

    assert json.loads(capsys.readouterr().out)["created"] == 2
    assert Member.objects.get(email="zoe@people.example").user.display_name == "Zoë Müller"
    assert not BatchPiece.objects.exists()


def test_a_dry_run_of_the_command_leaves_no_file_behind(admin, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(DOS)

    call_command("import_members", str(path), "--dry-run")

    assert not Batch.objects.exists()
    assert not BatchPiece.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_command_says_when_a_file_is_not_written_so(admin, tmp_path, encoding):
    path = tmp_path / "people.csv"
    path.write_bytes(DOS + b"x" * (len(DOS) % 2 == 0))

    with pytest.raises(CommandError, match=r"it is not UTF-(8|16) to its end"):
        call_command("import_members", str(path), "--encoding", encoding)

    assert not Batch.objects.exists()


@pytest.mark.parametrize("encoding", [None, *(codec for codec in ENCODINGS if codec != "utf-16")])
def test_a_picture_is_no_file_of_people_in_any_encoding(admin, encoding):
    for content in (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, b"PK\x03\x04" + bytes(100), bytes(range(256)) * 20):
        with pytest.raises(UnreadableFile):
            imports.start_import_of_file(
                actor=Actor.of_member(admin),
                organization=admin.organization,
                content=content,
                file_name="people.csv",
                key=uuid4(),
                encoding=encoding or "",
            )
