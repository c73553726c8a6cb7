"""Files of rows, sent while they are made, of the kind that was asked for."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from skypemgr.csv_files import write_csv_rows
from skypemgr.xlsx_files import write_xlsx_rows


class FileKind(StrEnum):
    """What a file of rows can be; what its name ends with."""

    CSV = "csv"
    XLSX = "xlsx"


WRITERS = {FileKind.CSV: write_csv_rows, FileKind.XLSX: write_xlsx_rows}
CONTENT_TYPES = {
    FileKind.CSV: "text/csv; charset=utf-8",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_response(
    name: str, header: Iterable[Any], rows: Iterable[Iterable[Any]], *, kind: FileKind = FileKind.CSV
) -> StreamingHttpResponse:
    """A download of ``rows``; it is offered to save it under ``name``, which comes without an ending."""
    response = StreamingHttpResponse(WRITERS[kind](header, rows), content_type=CONTENT_TYPES[kind])
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.{kind}")
    response.headers["Content-Disposition"] = disposition
    response.headers["Cache-Control"] = "no-store"
    return response
