"""The table of tests/faults/README.md says row by row what proves it, and is true."""

import ast
import re
from pathlib import Path

import pytest

from tests.faults.rows import ROWS

ROOT = Path(__file__).parents[2]
TABLE = (Path(__file__).parent / "README.md").read_text()
NUMBERS = [f"F{number}" for number in range(1, 45)]
LINES = dict(re.findall(r"^\| (F\d+) \| [^|]+ \| ([^|]+) \|$", TABLE, re.MULTILINE))
WAITING = re.compile(r"no operation yet: (money|numbers|calls)")


def rows_in(cell: str) -> set[str]:
    return set(re.findall(r"\brow `([^`]+)`", cell))


def files_in(cell: str) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", cell)


def exists(test: str) -> bool:
    """Whether there is such a file, and a test of this name in it; a file alone has tests."""
    file, _colons, name = test.partition("::")
    path = ROOT / file
    if not path.is_file():
        return False
    found = {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
    return name in found if name else any(one.startswith("test_") for one in found)


def test_the_table_has_every_row_of_the_matrix_once_in_its_order() -> None:
    assert re.findall(r"^\| (F\d+) ", TABLE, re.MULTILINE) == NUMBERS == list(LINES)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_row_names_tests_that_exist_or_what_it_waits_for(number: str) -> None:
    cell = LINES[number]
    proofs = [*rows_in(cell), *files_in(cell)]

    assert bool(proofs) != bool(WAITING.fullmatch(cell)), cell
    assert rows_in(cell) <= {row.number for row in ROWS}
    assert [test for test in files_in(cell) if not exists(test)] == []


def test_every_row_that_is_played_is_in_the_table() -> None:
    named = set().union(*map(rows_in, LINES.values()))

    assert [row.number for row in ROWS if row.number not in named] == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert exists("tests/faults/test_table.py::test_a_test_that_is_not_there_is_noticed")
    assert not exists("tests/faults/test_table.py::test_that_nobody_wrote")
    assert not exists("tests/faults/test_nothing.py")
    assert not exists("tests/faults/rows.py")
