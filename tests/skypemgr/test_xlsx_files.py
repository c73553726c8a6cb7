"""Workbooks, read back as a spreadsheet would."""

import io
import tracemalloc
from datetime import date
from decimal import Decimal
from zipfile import ZipFile

import pytest

from skypemgr import xlsx_files
from skypemgr.row_files import FileKind, file_response
from skypemgr.xlsx_files import write_xlsx_rows
from tests.workbooks import cells_of, parsed, quoted_of, sheets_of


def written(header, rows):
    return b"".join(write_xlsx_rows(header, rows))


def test_a_workbook_holds_text_numbers_and_days_as_what_they_are():
    content = written(
        ["Name", "Balance", "Joined"], [["Åsa Öst", Decimal("-12.3400"), date(2026, 11, 22)], ["", None, ""], ["Bo"]]
    )

    assert cells_of(content) == [
        ["Name", "Balance", "Joined"],
        ["Åsa Öst", Decimal("-12.34"), date(2026, 11, 22)],
        ["Bo"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+46",
        "-5",
        "@x",
        " =cmd|a",
        "'=x",
        "<b>&\"'",
        "_x0041_",
        "a\tb\nc\rd",
        "  spaces  ",
        "\x01\x1f",
        "é\U0001f600",
    ],
)
def test_every_text_comes_back_as_it_was_and_none_is_a_formula(text):
    content = written(["A"], [[text]])

    assert cells_of(content)[1] == [text]
    assert b"<f" not in b"".join(sheets_of(content))


def test_what_looks_like_a_formula_stays_text_when_it_is_edited():
    assert quoted_of(written(["A", "B"], [["=1+1", "one"], ["-5", 5]])) == {"A2", "A3"}


def test_columns_beyond_the_alphabet_have_two_letters():
    sheet = sheets_of(written([str(n) for n in range(60)], []))[0].decode()

    assert [f'r="{place}"' in sheet for place in ("A1", "Z1", "AA1", "AZ1", "BA1", "BH1")] == [True] * 6


def test_a_text_is_no_longer_than_a_cell_can_be():
    assert len(cells_of(written(["A"], [["x" * 40_000]]))[1][0]) == 32_767


def test_rows_beyond_a_sheet_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(xlsx_files, "ROWS_OF_A_SHEET", 4)

    for number, sheets in ((3, 1), (4, 2), (6, 2), (7, 3)):
        content = written(["A"], [[n] for n in range(number)])
        found = [cells_of(content, sheet) for sheet in range(sheets)]

        assert len(sheets_of(content)) == sheets
        assert all(sheet[0] == ["A"] for sheet in found)
        assert [row[0] for sheet in found for row in sheet[1:]] == list(range(number))


def test_every_part_is_well_formed_and_named_where_it_has_to_be():
    with ZipFile(io.BytesIO(written(["A"], [[1]]))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        for name in names:
            parsed(archive.read(name))
        relationships = archive.read("xl/_rels/workbook.xml.rels").decode()

    assert names[0] == "[Content_Types].xml"
    assert 'Target="worksheets/sheet1.xml"' in relationships
    assert 'Target="styles.xml"' in relationships


def test_a_download_is_a_workbook_and_comes_in_pieces():
    response = file_response(
        "résultat", ["Mail"], ([f"a{n * 7919 % 65537}@x"] for n in range(50_000)), kind=FileKind.XLSX
    )

    pieces = list(response)

    assert len(pieces) > 3
    assert len(cells_of(b"".join(pieces))) == 50_001
    assert "spreadsheetml" in response.headers["Content-Type"]
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''r%C3%A9sultat.xlsx")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_hundred_thousand_rows_take_no_more_memory_than_ten():
    def peak(number):
        tracemalloc.start()
        for _piece in write_xlsx_rows(["A", "B"], ([f"person.number{n}", n] for n in range(number))):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(100_000) < peak(10) + 1_000_000
