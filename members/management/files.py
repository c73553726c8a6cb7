"""Files that commands are given: where they are read from, and in which encoding."""

import shutil
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from members.management.base import Refused
from skypemgr.text_files import ENCODINGS

NAMED = {encoding.name.lower().replace(" ", "-"): codec for codec, encoding in ENCODINGS.items()}


def add_encoding(parser: ArgumentParser) -> None:
    """Let somebody say in which of NAMED a file is written."""
    parser.add_argument(
        "--encoding", choices=list(NAMED), help="how the file is written; unless given, it is told by its look"
    )


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, which is read more than once: what comes on standard input is kept on disk meanwhile.

    Raises Refused when there is no such file, or it can't be read.
    """
    try:
        if str(path) != "-":
            with path.open("rb") as file:
                yield file
            return
        with TemporaryFile() as copy, Path("/dev/stdin").open("rb") as file:
            shutil.copyfileobj(file, copy)
            yield copy
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}.") from error
