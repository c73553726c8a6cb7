"""Files that are no clean CSV, as bytes, and what has to come of each.

What is ``read`` gives so many people; what is refused gives a code.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

ROWS = "E-mail,First name,Last name\r\nanna@rows.example,Zoë,Åkesson\r\nlars@rows.example,Noël,Müller\r\n"
ASCII = "E-mail,First name,Last name\r\nanna@rows.example,Anna,Berg\r\nlars@rows.example,Lars,Lund\r\n"


@dataclass(frozen=True)
class File:
    """A file of the corpus; ``row`` is its line in the catalog. ``first_name`` is that of the first person read."""

    row: int
    label: str
    content: bytes
    people: int = 0
    code: str = ""
    first_name: str | None = None
    problems: tuple[str, ...] = ()
    certain: bool = True

    def __str__(self) -> str:
        return f"row {self.row}: {self.label}"


def _archive(name: str, *, size: int = 10) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"0" * size)
    return buffer.getvalue()


def _with(delimiter: str, text: str = ROWS) -> bytes:
    return text.replace(",", delimiter).encode()


def files() -> Iterator[File]:
    """Every file of the corpus."""
    yield from _encodings()
    yield from _other_formats()
    yield from _shapes()
    yield from _columns()
    yield from _rows()


def _encodings() -> Iterator[File]:
    yield File(130, "UTF-8 with BOM", ROWS.encode("utf-8-sig"), 2, first_name="Zoë")
    yield File(130, "UTF-8 without", ROWS.encode(), 2, first_name="Zoë")
    yield File(130, "two BOMs", b"\xef\xbb\xbf" + ROWS.encode("utf-8-sig"), 2, first_name="Zoë")
    yield File(130, "UTF-16 with BOM", ROWS.encode("utf-16"), 2, first_name="Zoë")
    yield File(130, "UTF-16 BE with BOM", b"\xfe\xff" + ROWS.encode("utf-16-be"), 2, first_name="Zoë")
    yield File(130, "UTF-32 with BOM", ROWS.encode("utf-32"), 2, first_name="Zoë")
    yield File(130, "UTF-16 cut within a character", ROWS.encode("utf-16")[:-1], code="file_damaged")
    yield File(130, "UTF-16 with half a character", ROWS.encode("utf-16") + b"\x00\xd8\x2c\x00", code="file_damaged")
    yield File(132, "UTF-16 without BOM", ROWS.encode("utf-16-le"), 2, first_name="Zoë")
    yield File(132, "UTF-16 BE without BOM", ROWS.encode("utf-16-be"), 2, first_name="Zoë")
    unclear = "E-mail,Имя\r\n" + "анна@пример.рф,Анна\r\n" * 30
    yield File(132, "UTF-16 without BOM and with few zeros", unclear.encode("utf-16-le"), code="file_binary")
    yield File(132, "UTF-32 without BOM", ROWS.encode("utf-32-le"), code="file_binary")
    yield File(132, "UTF-16 behind the BOM of UTF-8", b"\xef\xbb\xbf" + ROWS.encode("utf-16-le"), code="file_damaged")
    yield File(133, "Windows-1252", ROWS.encode("cp1252"), 2, first_name="Zoë", certain=False)
    yield File(133, "Windows-1252 euro", ROWS.replace("Zoë", "Zoë €").encode("cp1252"), 2, certain=False)
    yield File(133, "ISO-8859-15", ROWS.encode("iso8859-15"), 2, first_name="Zoë", certain=False)
    yield File(133, "Mac Roman", ROWS.encode("mac-roman"), 2, first_name="Zoë", certain=False)
    # Of so few words nobody can tell DOS from Windows: hence the question on the review.
    yield File(133, "DOS 850", ROWS.encode("cp850"), 2, certain=False)
    cyrillic = (
        ROWS.replace("Zoë", "Анна").replace("Åkesson", "Иванова").replace("Noël", "Пётр").replace("Müller", "Орлов")
    )
    yield File(133, "Windows-1251", cyrillic.encode("cp1251"), 2, first_name="Анна", certain=False)
    yield File(135, "UTF-7", ROWS.encode("utf-7"), code="file_encoding")
    yield File(135, "EBCDIC", ASCII.encode("cp037"), code="file_encoding")


def _other_formats() -> Iterator[File]:
    yield File(135, "PNG", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, code="file_other")
    yield File(135, "JPEG", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4, code="file_other")
    yield File(135, "GIF", b"GIF89a" + bytes(range(256)), code="file_other")
    yield File(135, "PDF", b"%PDF-1.7\n1 0 obj\n", code="file_other")
    yield File(135, "gzip", b"\x1f\x8b\x08\x00" + bytes(200), code="file_other")
    yield File(135, "RTF", b"{\\rtf1\\ansi Anna}", code="file_other")
    yield File(135, "vCard", b"BEGIN:VCARD\r\nEMAIL:a@x.example\r\nEND:VCARD\r\n", code="file_other")
    yield File(135, "HTML", b"<!DOCTYPE html><table><tr><td>E-mail</td></tr></table>", code="file_other")
    yield File(135, "an HTML table", b"  <table><tr><td>E-mail</td></tr></table>", code="file_other")
    yield File(135, "XML", b"<?xml version='1.0'?><people/>", code="file_other")
    yield File(
        135, "a billion laughs", b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">]><l>&a;</l>', code="file_other"
    )
    yield File(135, "PDF behind a BOM", b"\xef\xbb\xbf%PDF-1.7\n1 0 obj\n", code="file_other")
    yield File(135, "PDF behind spaces", b" \r\n%PDF-1.7\n1 0 obj\n", code="file_other")
    yield File(135, "SVG", b"<svg xmlns='x' onload='alert(1)'></svg>\nx", code="file_other")
    yield File(135, "a comment of HTML", b"<!-- x -->\n<table></table>\n", code="file_other")
    yield File(135, "vCard in small letters", b"begin:vcard\nemail:a@x.example\n", code="file_other")
    yield File(135, "iCalendar", b"BEGIN:VCALENDAR\nATTENDEE:mailto:a@x.example\n", code="file_other")
    yield File(135, "JSON, line by line", b'{"email":"a@x.example"}\n{"email":"b@x.example"}\n', code="file_other")
    yield File(135, "bzip2", b"BZh91AY&SY" + bytes(range(256)), code="file_binary")
    yield File(
        135, "an archive behind rows", ASCII.encode() + _archive("people.csv", size=9_000_000), code="file_binary"
    )
    yield File(135, "SQLite", b"SQLite format 3\x00" + bytes(300), code="file_binary")
    yield File(135, "a letter", b"From: a@x.example\r\nTo: b@x.example\r\n\r\nhello\r\n", code="column_email_missing")
    yield File(135, "JSON", b'[{"email": "a@x.example"}]', code="file_other")
    yield File(135, "random bytes", bytes((n * 7919 + n // 3) % 256 for n in range(5_000)), code="file_binary")
    yield File(135, "zeros", bytes(5_000), code="file_binary")
    yield File(135, "an executable", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8, code="file_binary")
    yield File(147, "XLSX", _archive("xl/workbook.xml"), code="file_spreadsheet")
    yield File(147, "ODS", _archive("content.xml"), code="file_spreadsheet")
    yield File(147, "a zip bomb", _archive("people.csv", size=20_000_000), code="file_spreadsheet")
    yield File(147, "XLS", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), code="file_spreadsheet")
    yield File(147, "7z", b"7z\xbc\xaf\x27\x1c" + bytes(100), code="file_spreadsheet")
    yield File(147, "RAR", b"Rar!\x1a\x07\x00" + bytes(100), code="file_spreadsheet")


def _shapes() -> Iterator[File]:
    for name, delimiter in {"semicolons": ";", "tabs": "\t", "bars": "|"}.items():
        yield File(136, name, _with(delimiter), 2, first_name="Zoë")
    yield File(136, "sep=;", b"sep=;\r\n" + _with(";"), 2, first_name="Zoë")
    for separator in ('"', "'", "\0", "\r", "\x1a", "@", ".", "x", "4", "\ufffd"):
        beginning = f"sep={separator}\r\n".encode()
        yield File(136, f"sep={separator!a}", beginning + _with(";"), 2, first_name="Zoë")
    for separator in ("^", "~", " "):
        some = b"E-mail,Name\r\na@rows.example,Anna\r\n".replace(b",", separator.encode())
        yield File(136, f"sep={separator}", f"sep={separator}\r\n".encode() + some, 1)
    yield File(136, "sep= and nothing else", b"sep=;\r\n", code="file_empty")
    yield File(136, "line feeds", ROWS.replace("\r\n", "\n").encode(), 2)
    yield File(136, "carriage returns", ROWS.replace("\r\n", "\r").encode(), 2)
    yield File(136, "mixed line ends", b"E-mail\r\na@rows.example\nb@rows.example\rc@rows.example", 3)
    yield File(138, "quoted everything", b'"E-mail","First name"\r\n"a@rows.example","say ""hi"", you"\r\n', 1)
    yield File(
        138,
        "a line break in a cell",
        b'E-mail,First name\r\na@rows.example,"two\r\nlines"\r\n',
        1,
        first_name="two lines",
    )
    yield File(138, "single quotes", b"'E-mail','First name'\r\n'a@rows.example','Anna'\r\n", 1, first_name="Anna")
    yield File(138, "spaces before quotes", b'E-mail, "First name"\r\na@rows.example, "Anna"\r\n', 1, first_name="Anna")
    yield File(138, "a stray quote", b'E-mail,First name\r\na@rows.example,An"na\r\n', 1, first_name='An"na')
    yield File(
        139,
        "a quote that stays open",
        b'E-mail,First name\r\na@rows.example,"Anna\r\nb@rows.example,Bo\r\n',
        code="file_quote_open",
    )
    yield File(
        139, "a cell without end", b'E-mail,First name\r\na@rows.example,"' + b"x" * 200_000, code="file_cell_long"
    )
    yield File(
        139, "an open quote over many lines", b'E-mail\r\n"' + b"a@rows.example\r\n" * 20_000, code="file_cell_long"
    )
    yield File(
        145,
        "a row of two million characters",
        b"E-mail,First name\r\na@rows.example" + b",x" * 1_000_000,
        code="file_row_long",
    )
    yield File(
        145,
        "a header of two million characters",
        b"E-mail" + b"x" * 2_000_000 + b"\r\na@rows.example\r\n",
        code="file_row_long",
    )
    yield File(
        145,
        "two thousand columns",
        b"E-mail" + b",x" * 2_000 + b"\r\na@rows.example" + b",y" * 2_000,
        code="column_email_missing",
    )
    yield File(145, "ten million line ends", b"E-mail\r\n" + b"\n" * 10_000_000, code="file_many_lines")
    yield File(145, "very many empty lines", b"E-mail\r\n" + b"\n" * 200_000 + b"a@rows.example\n", 1)
    broken = b'a@rows.example,"' + b"\n" * 100_000 + b'"\r\n'
    yield File(145, "cells of millions of lines", b"E-mail,First name\r\n" + broken * 12, code="file_many_lines")
    yield File(145, "ten million spaces", b"E-mail\r\n" + b" " * 10_000_000 + b"\n", code="file_row_long")
    yield File(145, "ten million quotation marks", b"E-mail\r\n" + b'"' * 10_000_000, code="file_row_long")
    yield File(145, "a thousand columns", b"E-mail" + b",x" * 999 + b"\r\na@rows.example" + b",y" * 999 + b"\r\n", 1)
    yield File(145, "a cell as long as it may be", b"E-mail,Town\r\na@rows.example," + b"x" * 131_072 + b"\r\n", 1)
    yield File(
        145,
        "a cell that is one longer",
        b"E-mail,Town\r\na@rows.example," + b"x" * 131_073 + b"\r\n",
        code="file_cell_long",
    )
    yield File(141, "nothing", b"", code="file_empty")
    yield File(141, "a BOM alone", b"\xef\xbb\xbf", code="file_empty")
    yield File(141, "white space", b" \r\n\t\r\n", code="file_empty")
    yield File(141, "delimiters alone", b",,,\r\n,,,\r\n", code="file_empty")
    yield File(141, "a header alone", b"E-mail,First name\r\n", code="file_no_rows")
    yield File(141, "blank lines", b"\r\n\r\nE-mail\r\n\r\na@rows.example\r\n\r\n\r\n", 1)
    yield File(141, "trailing delimiters", b"E-mail,First name,,,\r\na@rows.example,Anna,,,\r\n", 1, first_name="Anna")
    yield File(141, "a Ctrl-Z at its end", ASCII.encode() + b"\x1a", 2)
    yield File(153, "cut in the middle of a row", ASCII.encode()[:50], 1, first_name="Ann")


def _columns() -> Iterator[File]:
    yield File(142, "other case and spaces", b" e-MAIL , FIRST name \r\na@rows.example,Anna\r\n", 1, first_name="Anna")
    yield File(142, "in French", "Adresse e-mail;Prénom\r\na@rows.example;Anna\r\n".encode(), 1, first_name="Anna")
    yield File(142, "in Swedish", "E-post;Förnamn\r\na@rows.example;Anna\r\n".encode(), 1, first_name="Anna")
    yield File(142, "the address twice", b"E-mail,E-mail\r\na@rows.example,b@rows.example\r\n", code="column_twice")
    yield File(142, "the name twice", b"E-mail,First name,First name\r\na@rows.example,A,B\r\n", code="column_twice")
    yield File(142, "no address", b"First name,Last name\r\nAnna,Berg\r\n", code="column_email_missing")
    yield File(
        142, "the address in two languages", b"E-mail,Courriel\r\na@r.example,b@r.example\r\n", code="column_twice"
    )
    yield File(
        142,
        "the address twice, unseen",
        "E-mail,E\u200b-mail\r\na@r.example,b@r.example\r\n".encode(),
        code="column_twice",
    )
    yield File(142, "a look-alike", "Е-mail,First name\r\na@r.example,Anna\r\n".encode(), 1, first_name="Anna")
    yield File(142, "wide letters", "Ｅ-mail,Ｆirst name\r\na@r.example,Anna\r\n".encode(), 1, first_name="Anna")
    yield File(142, "a direction", "\u202eE-mail,First name\r\na@r.example,Anna\r\n".encode(), 1, first_name="Anna")
    yield File(142, "line ends within", b'"E-\r\nmail","First\nname"\r\na@r.example,Anna\r\n', 1, first_name="Anna")
    yield File(142, "templates", b"E-mail,{{7*7}},%(x)s,{0}\r\na@r.example,1,2,3\r\n", 1)
    yield File(142, "nothing known", b"Foo,Bar\r\nx,y\r\n", code="column_email_missing")
    yield File(142, "unknown ones", b"E-mail,Shoe size,\x1b[2J\r\na@rows.example,42,x\r\n", 1)
    yield File(142, "markup in a header", b"E-mail,<script>alert(1)</script>\r\na@rows.example,x\r\n", 1)
    privileged = b"E-mail,company_id,role,is_staff,is_operator,balance,password,state,owner_id\r\n"
    yield File(156, "columns that would give rights", privileged + b"a@rows.example,2,owner,1,1,1000,x,active,2\r\n", 1)


def _rows() -> Iterator[File]:
    yield File(
        148,
        "formulas",
        b'E-mail,First name\r\na@rows.example,"=HYPERLINK(""http://x"",""y"")"\r\n',
        1,
        first_name='=HYPERLINK("http://x","y")',
    )
    yield File(148, "a formula made harmless", b"E-mail,First name\r\na@rows.example,'=1+1\r\n", 1, first_name="=1+1")
    yield File(
        151,
        "NUL in a row",
        b"E-mail,First name\r\na@rows.example,An\0na\r\nb@rows.example,Bo\r\n",
        2,
        problems=("row_nul",),
    )
    yield File(151, "NUL in the header", b"E-mail,First\0name\r\na@rows.example,Anna\r\n", 1)
    yield File(40, "a BOM in a row", "E-mail\r\n\ufeffa@rows.example\r\n".encode(), 1, problems=("address_unseen",))
    yield File(40, "a form feed in a row", b"E-mail\r\na@rows.example\x0c\r\n", 1, problems=("address_unseen",))
    deep = b"E-mail,Department\r\na@rows.example," + b"x/" * 20_000 + b"\r\n"
    yield File(151, "a path of departments without end", deep, 1, problems=("department_deep",))
    yield File(70, "ESC in a row", b"E-mail,First name\r\na@rows.example,\x1b[2J\r\n", 1, problems=("name_control",))
    yield File(
        72,
        "half a character in a row",
        b"E-mail,First name\r\n"
        + "".join(f"p{n}@rows.example,Zoë\r\n" for n in range(9)).encode()
        + b"a@rows.example,\xff\r\n",
        10,
        problems=("row_damaged",),
        certain=False,
    )
    yield File(142, "more cells than columns", b"E-mail,First name\r\na@rows.example,x,y,z\r\n", 1)
    yield File(142, "fewer cells than columns", b"E-mail,First name,Last name\r\na@rows.example\r\n", 1)
    yield File(
        139,
        "a cell of many lines",
        b'E-mail,First name\r\na@rows.example,"' + b"x\r\n" * 40 + b'"\r\n',
        1,
        problems=("row_many_lines",),
    )
    bad = "".join(f"not-an-address-{n},=1+{n}\r\n" for n in range(500))
    yield File(150, "500 bad rows", f"E-mail,First name\r\n{bad}".encode(), 500, problems=("address_no_at",) * 500)
