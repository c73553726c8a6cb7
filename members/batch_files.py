"""The file of a batch: kept in pieces while it may be read, so that it is never in memory as a whole."""

import hashlib
import io
from bisect import bisect_right
from typing import BinaryIO, cast

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length

from members.models import Batch, BatchPiece

PIECE = 1024 * 1024


class PiecesGone(Exception):
    """The file was given up while it was being read."""


def fingerprint_of(file: BinaryIO) -> str:
    """The SHA-256 of everything in ``file``."""
    digest = hashlib.sha256()
    file.seek(0)
    while content := file.read(PIECE):
        digest.update(content)
    return digest.hexdigest()


@transaction.atomic(savepoint=False)
def store_file(*, batch: Batch, file: BinaryIO) -> None:
    """Keep everything in ``file`` with ``batch``."""
    file.seek(0)
    number = 0
    while content := file.read(PIECE):
        BatchPiece.objects.create(batch=batch, number=number, content=content)
        number += 1


def open_file(batch: Batch) -> BinaryIO | None:
    """The file of ``batch``, read piece by piece; None when it is there no more. Reading may raise PiecesGone."""
    sizes = dict(batch.pieces.order_by("number").annotate(size=Length("content")).values_list("number", "size"))
    if not sizes:
        return None
    return cast(BinaryIO, io.BufferedReader(_Pieces(batch, list(sizes.values())), buffer_size=64 * 1024))


def size_of_file(batch: Batch) -> int:
    """How many bytes of the file of ``batch`` are kept; 0 when it is there no more."""
    size: int | None = batch.pieces.aggregate(size=Sum(Length("content")))["size"]
    return size or 0


class _Pieces(io.RawIOBase):
    def __init__(self, batch: Batch, sizes: list[int]) -> None:
        self._batch = batch
        # Where each piece begins, and where the last one ends.
        self._starts = [0]
        for size in sizes:
            self._starts.append(self._starts[-1] + size)
        self._at = 0
        self._number, self._content = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._starts[-1]:
            return 0
        number = bisect_right(self._starts, self._at) - 1
        if number != self._number:
            found = self._batch.pieces.filter(number=number).values_list("content", flat=True).first()
            if found is None:
                raise PiecesGone
            self._number, self._content = number, bytes(found)
        begin = self._at - self._starts[number]
        part = self._content[begin : begin + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
