import csv
import io
import json
import tracemalloc
from collections.abc import Sequence
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skypemgr.csv_files import (
    Row,
    UnreadableFile,
    defuse,
    describe,
    describe_delimiter,
    open_csv,
    restore,
    write_csv_rows,
)
from skypemgr.problems import tell
from skypemgr.row_files import file_response

KNOWN = {"mail", "nom", "prénom", "ville", "förnamn", "imię", "имя"}
PEOPLE = [
    ["anna@x.example", "Åkesson", "Zoë"],
    ["lars@x.example", "Ängström; Öberg", "François, Éric"],
    ["noé@x.example", "Müller | Groß", 'dit "Le Grand"'],
    ["eva@x.example", "Ærø", "two\nlines"],
]


def judge(rows: Sequence[Sequence[str]]) -> tuple[int, int | None]:
    """A header is a row with known names; anything else is data."""
    for at, cells in enumerate(rows[:10]):
        if known := sum(cell.strip().casefold() in KNOWN for cell in cells):
            return known, at
    return 0, None


def opened(content: bytes, **options):
    return open_csv(io.BytesIO(content), judge=judge, **options)


def cells_of(content: bytes, **options) -> list[list[str]]:
    return [row.cells for row in opened(content, **options).rows()]


def refusal(content: bytes, **options) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        opened(content, **options)
    assert str(caught.value).endswith(".")
    assert "%(" not in str(caught.value)
    assert caught.value.field == "file"
    return caught.value


def as_csv(rows, *, delimiter=",", line_end="\r\n") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return buffer.getvalue()


# Encodings, delimiters and line ends


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
        ("latin-1", "Windows-1252"),
        ("mac-roman", "Mac Roman"),
        ("cp850", "DOS 850"),
    ],
)
def test_a_file_is_read_whatever_wrote_it(codec, name, delimiter, line_end):
    people = [[cell.replace("\n", line_end) for cell in row] for row in PEOPLE]
    content = as_csv([["Mail", "Nom", "Prénom"], *people], delimiter=delimiter, line_end=line_end).encode(codec)

    file = opened(content)

    assert file.reading.encoding == name
    assert file.reading.delimiter == delimiter
    assert file.reading.rows == 4
    assert file.header == ("Mail", "Nom", "Prénom")
    assert [row.cells for row in file.rows()] == people


@pytest.mark.parametrize(
    ("codec", "name", "words"),
    [
        ("iso8859-15", "ISO-8859-15", ["Œuvré", "Cœur", "Šárka"]),
        ("cp1250", "Windows-1250", ["Łukasz", "Świątek", "Wójcik", "Żółć"]),
        ("iso8859-2", "ISO-8859-2", ["Łukasz", "Świątek", "Wójcik", "Żółć"]),
        ("cp1251", "Windows-1251", ["Иванов", "Пётр", "Анна"]),
        ("cp1252", "Windows-1252", ["Œuvré", "Zoë", "L’Haÿ", "Łódź".encode("ascii", "ignore").decode()]),
        ("cp1252", "Windows-1252", ["Øystein", "Æbelø", "Bjørn", "Håkon"]),
        ("cp1252", "Windows-1252", ["Núñez", "João", "Conceição", "Peña"]),
        ("cp1252", "Windows-1252", ["Groß", "Müller", "Jörg", "Übel"]),
        ("mac-roman", "Mac Roman", ["Åkesson", "Öberg", "Ängström"]),
        ("mac-roman", "Mac Roman", ["Éva", "André", "François", "Hélène"]),
        ("cp850", "DOS 850", ["Åkesson", "Öberg", "Hélène"]),
        ("cp850", "DOS 850", ["João"]),
        ("cp1252", "Windows-1252", ["études"]),
        ("cp1252", "Windows-1252", ["Éva"]),
        ("cp1252", "Windows-1252", ["ÅKESSON", "HÉLÈNE"]),
    ],
)
def test_a_one_byte_encoding_is_told_by_its_words(codec, name, words):
    content = as_csv([["Mail", "Nom"], *([f"a{n}@x.example", word] for n, word in enumerate(words))]).encode(codec)

    file = opened(content)

    assert (file.reading.encoding, file.reading.certain) == (name, False)
    assert [row.cells[1] for row in file.rows()] == words


def test_the_encoding_is_judged_by_the_whole_file():
    rows = [["Mail", "Nom"], *([f"a{n}@x.example", "Berg"] for n in range(40_000)), ["z@x.example", "Åkesson"]]

    file = opened(as_csv(rows).encode("cp1252"))

    assert file.reading.encoding == "Windows-1252"
    assert list(file.rows())[-1].cells == ["z@x.example", "Åkesson"]


def test_what_a_person_chooses_overrules_what_was_detected():
    content = "Mail;Nom\r\na@x.example;Łódź, Łukasz\r\n".encode("cp1250")

    (row,) = opened(content, encoding="cp1250", delimiter=";").rows()

    assert row.cells == ["a@x.example", "Łódź, Łukasz"]


def test_utf_8_with_a_broken_character_keeps_its_other_rows():
    rows = [["Mail", "Nom"], *([f"a{n}@x.example", "Åkesson"] for n in range(9))]
    content = as_csv(rows).encode() + b"z@x.example,\xc5kesson\r\n"

    read = list(opened(content).rows())

    assert [row.cells[1] for row in read] == ["Åkesson"] * 9 + ["\ufffdkesson"]
    assert [row.problems for row in read if row.problems] == [[{"code": "row_damaged", "facts": {}}]]


def test_mixed_line_ends_and_no_last_one_are_read():
    assert cells_of(b"Mail,Nom\r\na@x,A\nb@x,B\rc@x,C") == [["a@x", "A"], ["b@x", "B"], ["c@x", "C"]]


def test_cells_with_commas_do_not_hide_the_semicolons():
    content = "Nom;Mail;Ville\r\n" + "".join(f"Berg, Anna;a{n}@x;Lyon, Vaise, Gorge\r\n" for n in range(20))

    assert opened(content.encode()).reading.delimiter == ";"
    assert cells_of(content.replace("Nom;Mail;Ville\r\n", "").encode())[0] == [
        "Berg, Anna",
        "a0@x",
        "Lyon, Vaise, Gorge",
    ]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"'Mail','Nom'\r\n'a@x','Berg, Anna'\r\n", ["a@x", "Berg, Anna"]),
        (b'Mail, Nom\r\na@x, "Berg, Anna"\r\n', ["a@x", "Berg, Anna"]),
        (b'"Mail","Nom"\r\n"a@x","Anna ""Bee"" Berg"\r\n', ["a@x", 'Anna "Bee" Berg']),
        (b"sep=;\r\nMail;Nom\r\na@x;Berg, Anna\r\n", ["a@x", "Berg, Anna"]),
        (b"sep=^\r\nMail^Nom\r\na@x^Berg, Anna\r\n", ["a@x", "Berg, Anna"]),
        (b"sep=;\r\nMail,Nom\r\na@x,Berg\r\n", ["a@x", "Berg"]),
        (b"Mail,Nom\r\na@x,Berg\r\n\x1a", ["a@x", "Berg"]),
        (b"Mail,Nom,,\r\na@x,Berg,,\r\n", ["a@x", "Berg", "", ""]),
    ],
)
def test_other_ways_to_write_csv_are_understood(content, cells):
    assert cells_of(content) == [cells]


@pytest.mark.parametrize(
    "above",
    [
        "#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser",
        '"#TYPE Selected.ADUser"',
        "version:v1.0",
        "version:v1.0,,,,",
        "sep=,",
        "Everybody at Architectes, on 21 November",
    ],
)
def test_lines_above_the_column_names_are_skipped_and_told(above):
    file = opened(f"{above}\r\n\r\nMail,Nom\r\na@x,Berg\r\n".encode())

    assert file.reading.skipped == (above,)
    assert (file.reading.header_line, file.reading.first_line) == (3, 4)
    assert [row.cells for row in file.rows()] == [["a@x", "Berg"]]


def test_a_file_without_column_names_begins_with_its_first_row():
    file = opened(b"a@x;Berg\r\nb@x;Olsson\r\n")

    assert file.header is None
    assert (file.reading.header_line, file.reading.first_line, file.reading.rows) == (0, 1, 2)
    assert [row.cells for row in file.rows()] == [["a@x", "Berg"], ["b@x", "Olsson"]]


# Rows


def test_rows_are_counted_without_header_and_blank_lines():
    content = b'Mail,Nom\r\n\r\na@x,"Two\r\nLines"\r\n,,\r\n  , \r\nb@x,Berg\r\n\r\n'

    assert list(opened(content).rows()) == [
        Row(1, 3, ["a@x", "Two\r\nLines"], [], []),
        Row(2, 7, ["b@x", "Berg"], [], []),
    ]


def test_a_row_has_a_cell_for_every_column_and_says_what_was_surplus():
    more, fewer, trailing = opened(b"Mail,Nom,Ville\r\na@x,Berg,Lyon,red,blue\r\nb@x\r\nc@x,C,Lyon,,\r\n").rows()

    assert more.cells == ["a@x", "Berg", "Lyon"]
    assert more.notes == [{"code": "row_more_cells", "facts": {"count": 2}}]
    assert describe("row_more_cells", {"count": 2}) == "2 cells beyond the last column were ignored."
    assert describe("row_more_cells", {"count": 1}) == "1 cell beyond the last column was ignored."
    assert (fewer.cells, fewer.notes) == (["b@x", "", ""], [])
    assert (trailing.cells, trailing.notes) == (["c@x", "C", "Lyon"], [])


def test_a_nul_byte_is_the_problem_of_its_row_and_goes_no_further():
    first, second = opened(b"Mail,Nom\r\na@x,B\x00rg\r\nb@x,Berg\r\n").rows()

    assert [problem["code"] for problem in first.problems] == ["row_nul"]
    assert first.cells == ["a@x", "B\ufffdrg"]
    assert second.problems == []


def test_a_cell_that_swallowed_many_lines_is_a_problem():
    swallowed = "".join(f"a{n}@x,Berg\r\n" for n in range(30))

    first, second = opened(f'Mail,Nom\r\na@x,"Berg\r\n{swallowed}b@x,"\r\nc@x,C\r\n'.encode()).rows()

    assert [problem["code"] for problem in first.problems] == ["row_many_lines"]
    assert describe(**first.problems[0]) == "The row goes on for 32 lines. A quotation mark may be missing."
    assert second.cells == ["c@x", "C"]


def test_a_file_can_be_read_again_and_left_half_way():
    file = opened(b"Mail,Nom\r\na@x,A\r\nb@x,B\r\n")

    assert next(iter(file.rows())).cells == ["a@x", "A"]
    assert len(list(file.rows())) == 2


@pytest.mark.parametrize("kind", [SimpleUploadedFile, TemporaryUploadedFile])
def test_uploads_and_paths_are_read_and_left_open(kind, tmp_path):
    content = "Mail,Nom\r\na@x,Åkesson\r\n".encode()
    if kind is SimpleUploadedFile:
        upload = SimpleUploadedFile("people.csv", content)
    else:
        upload = TemporaryUploadedFile("people.csv", "text/csv", len(content), "utf-8")
        upload.write(content)
    path = tmp_path / "people.csv"
    path.write_bytes(content)

    for file in (upload, path):
        assert [row.cells for row in open_csv(file, judge=judge).rows()] == [["a@x", "Åkesson"]]

    upload.seek(0)
    assert upload.read() == content
    upload.close()


# Refusals


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\r\n\r\n  \n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"Mail,Nom\r\n", "file_no_rows"),
        (b"Mail,Nom\r\n\r\n,,\r\n", "file_no_rows"),
        (b"PK\x03\x04\x14\x00" + bytes(range(256)), "file_spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_spreadsheet"),
        (b"%PDF-1.7\n", "file_other"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "file_other"),
        (b"\x1f\x8b\x08" + bytes(range(256)), "file_other"),
        (b"<!DOCTYPE html><html>", "file_other"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "file_other"),
        (b'[{"mail": "a@x"}]', "file_other"),
        (bytes(range(256)) * 40, "file_binary"),
        (b"\x00" * 5_000, "file_binary"),
        (b"Mail,Nom\r\na@x," + bytes(range(1, 9)) * 20, "file_binary"),
        ("Mail,Nom\r\na@x,Anna Berg\r\n".encode("cp037"), "file_encoding"),
        ("Mail,Nom,Prénom\r\na@x,Åkesson,Zoë\r\n".encode("utf-7"), "file_encoding"),
        ("Mail,Nom\r\na@x,Berg\r\n".encode("utf-16")[:-1], "file_damaged"),
        (b'Mail,Nom\r\na@x,"Berg\r\nb@x,Olsson\r\n', "file_quote_open"),
        (b'"Mail,Nom\r\na@x,Berg\r\nb@x,Olsson\r\n', "file_quote_open"),
        (b'Mail,Nom\r\na@x,"' + b"x" * 200_000 + b'"\r\n', "file_cell_long"),
        (b'Mail,Nom\r\na@x,"' + b"x\n" * 200_000, "file_cell_long"),
        (b"Mail,Nom\r\na@x," + b"x," * 600_000, "file_row_long"),
    ],
)
def test_what_can_not_be_taken_in_is_refused_with_its_reason(content, code):
    assert refusal(content).code == code


def test_a_refusal_names_the_line():
    assert str(refusal(b'Mail,Nom\r\n\r\na@x,Berg\r\nb@x,"Olsson\r\nc@x,C\r\n')) == (
        "A quotation mark on line 4 is never closed. Correct that line."
    )


def test_an_address_with_a_plus_is_not_taken_for_utf_7():
    assert cells_of(b"Mail,Nom\r\nanna+AOk-x@x.example,Berg\r\nb+list-a@x.example,C\r\n")[0][0].startswith("anna+AOk-")


def test_too_many_rows_are_refused_as_soon_as_they_are_met():
    content = b"Mail,Nom\r\n" + b"a@x,Berg\r\n" * 11

    assert opened(content, limit_rows=11).reading.rows == 11
    assert refusal(content, limit_rows=10).facts == {"limit": 10}


def test_a_refusal_can_be_stored_and_told_later():
    problem = refusal(b"Mail,Nom\r\n" + b"a@x,Berg\r\n" * 3, limit_rows=2)
    stored = json.loads(json.dumps(problem.as_json()))

    assert tell(problem.texts, stored["code"], stored["facts"]) == str(problem)


def test_the_facts_of_a_reading_can_be_stored():
    reading = opened("sep=;\r\nMail;Nom\r\na@x;Åkesson\r\n".encode("cp1252")).reading

    assert json.loads(json.dumps(reading.as_json())) == {
        "encoding": "Windows-1252",
        "certain": False,
        "delimiter": ";",
        "header_line": 2,
        "first_line": 3,
        "rows": 1,
        "skipped": ["sep=;"],
    }
    assert describe_delimiter(";") == "semicolons"
    assert describe_delimiter("^") == "“^”"


def test_a_large_file_is_never_in_memory(tmp_path):
    path = tmp_path / "people.csv"
    with path.open("w") as file:
        file.write("Mail,Nom\r\n")
        file.writelines(f"a{n}@x.example,{'Berg' * 20}\r\n" for n in range(50_000))

    tracemalloc.start()
    assert sum(1 for _row in open_csv(path, judge=judge).rows()) == 50_000
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size > 4_500_000
    assert peak < 3_000_000


# Writing


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "  =1",
        '"=1',
        "'=1",
        "'\n",
        "' \"=1",
        "-",
    ],
)
def test_what_a_spreadsheet_could_run_is_defused(text):
    assert defuse(text) == f"'{text}"
    assert restore(defuse(text)) == text


@pytest.mark.parametrize("text", ["", "Anna", "a=1", "O'Brien", "'t Hooft", "'", "1-2", "Åsa", "(+1)"])
def test_other_text_is_written_as_it_is(text):
    assert defuse(text) == text
    assert restore(text) == text


def test_a_file_is_written_for_spreadsheets():
    content = b"".join(
        write_csv_rows(["Mail", "Amount"], [["=cmd|a@x.com", Decimal("-5.00")], [None, 7], ["a\nb", "é"]])
    )

    assert content == '\ufeffMail,Amount\r\n\'=cmd|a@x.com,-5.00\r\n,7\r\n"a\nb",é\r\n'.encode()


def test_a_download_streams_and_says_what_it_is():
    response = file_response("résultat", ["Mail"], ([f"a{n}@x"] for n in range(50_000)))

    pieces = list(response)

    assert len(pieces) > 5
    assert b"".join(pieces).count(b"\r\n") == 50_001
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''r%C3%A9sultat.csv")
    assert response.headers["Cache-Control"] == "no-store"


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd"), max_size=20)
NASTY = st.text(st.sampled_from("'\"=+-@＝,;\t|\r\n aé"), max_size=12)


@given(st.lists(st.tuples(st.just("a@x.example"), TEXT | NASTY, TEXT | NASTY, TEXT), min_size=1, max_size=8))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again_cell_by_cell(rows):
    content = b"".join(write_csv_rows(["Mail", "Nom", "Prénom", "Ville"], rows))

    file = opened(content)

    assert file.header == ("Mail", "Nom", "Prénom", "Ville")
    assert [row.cells for row in file.rows()] == [list(row) for row in rows]
    assert all(not row.problems for row in file.rows())


@given(st.text(st.characters(exclude_categories=["Cs"])) | NASTY)
def test_defusing_is_undone_exactly(text):
    assert restore(defuse(text)) == text
    assert defuse(text).lstrip(" ")[:1] not in set("=+-@＝＋－＠\t\r\n") or not defuse(text).strip()


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content):
    try:
        rows = list(opened(content).rows())
    except UnreadableFile as problem:
        assert str(problem)
    else:
        assert rows
        json.dumps([row._asdict() for row in rows]).encode()
