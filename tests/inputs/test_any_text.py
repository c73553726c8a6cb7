"""Any text at all in any field: what is stored is text of one form, and survives a way out and in again."""

import csv
import io
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.addresses import AddressProblem, normalize_address, read_mailbox, split_addresses
from members.departments import check_path, join_path
from members.directory import open_directory
from members.errors import DepartmentTooDeep
from members.names import (
    NameProblem,
    check_company_name,
    check_department_name,
    check_person_name,
    check_skype_name,
    check_slug,
    initials,
)
from skypemgr.characters import CONTROL, DIRECTION, count_graphemes, drop_unseen, graphemes, printable, storable, trim
from skypemgr.csv_files import write_csv_rows
from skypemgr.lists import read_choice
from skypemgr.templatetags.look import initials as shown_initials
from skypemgr.text_files import UnreadableFile
from tests.inputs.corpus import inputs

KNOWN = [one.value for field in ("name", "address", "skype_name", "slug", "department_path") for one in inputs(field)]
SHORT = [text for text in KNOWN if len(text) < 300]
UNICODE = st.text(st.characters(), max_size=60)
DANGEROUS = st.sampled_from(
    "\0\a\x1b\x1f\x7f\x85\u200b\u200d\u202e\u2028\u3164\ufe0f\ufeff\ufffd\ud800\U000e0041'\"=+-@<&%.,;:/\\\t\r\n "
)
CHECKS: dict[str, Callable[[str], str]] = {
    "name": check_person_name,
    "company": check_company_name,
    "department": check_department_name,
    "path": lambda text: join_path(check_path(text)),
    "skype_name": check_skype_name,
    "slug": check_slug,
    "address": normalize_address,
}


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """An input of the corpus with something put in, taken out or put twice."""
    text = draw(st.sampled_from(SHORT))
    for _change in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        match draw(st.sampled_from(["put in", "take out", "twice", "join"])):
            case "put in":
                text = text[:at] + draw(DANGEROUS | st.characters()) + text[at:]
            case "take out":
                text = text[:at] + text[at + 1 :]
            case "twice":
                text = text[:at] + text[at // 2 :]
            case _:
                text = text[:at] + draw(st.sampled_from(SHORT))
    return text


ANY = UNICODE | mutated() | st.text(DANGEROUS, max_size=12) | st.sampled_from(KNOWN)


def check_any(field: str, text: str) -> None:
    try:
        stored = CHECKS[field](text)
    except (NameProblem, AddressProblem, DepartmentTooDeep) as problem:
        assert str(problem)
        str(problem).encode("utf-8", "replace")
        return
    stored.encode()
    assert stored == unicodedata.normalize("NFC", stored)
    assert stored == trim(stored) == drop_unseen(stored)
    assert not CONTROL.search(stored)
    assert not DIRECTION.search(stored)
    assert not set(stored) & set("\t\r\n\ufffd")
    assert CHECKS[field](stored) == stored


@pytest.mark.parametrize("field", CHECKS)
@given(text=ANY)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_stored_in_one_form_or_refused_in_words(field: str, text: str) -> None:
    check_any(field, text)


@pytest.mark.slow
@pytest.mark.parametrize("field", CHECKS)
@given(text=ANY)
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_much_more_text_is_stored_in_one_form_or_refused_in_words(field: str, text: str) -> None:
    check_any(field, text)


def check_there_and_back(texts: list[str]) -> None:
    names = []
    for text in texts:
        try:
            names.append(check_person_name(text))
        except NameProblem:
            continue
    if not names:
        return
    rows = [[f"row{number}@rows.example", name] for number, name in enumerate(names)]
    content = b"".join(write_csv_rows(["E-mail", "First name"], rows))
    again = [row.values["first_name"] for row in open_directory(io.BytesIO(content)).rows()]
    assert again == names
    assert [check_person_name(name) for name in again] == names
    plain = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert not [cell for row in plain for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


@given(st.lists(ANY, min_size=1, max_size=6))
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_names_survive_an_export_and_an_import(texts: list[str]) -> None:
    check_there_and_back(texts)


@pytest.mark.slow
@given(st.lists(ANY, min_size=1, max_size=12))
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_very_many_names_survive_an_export_and_an_import(texts: list[str]) -> None:
    check_there_and_back(texts)


@given(ANY)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_list_of_people_gives_an_address_or_a_reason_for_each(text: str) -> None:
    for mailbox in [read_mailbox(text), *split_addresses(text)]:
        assert bool(mailbox.address) != bool(mailbox.problem)
        assert not mailbox.address or normalize_address(mailbox.address) == mailbox.address


@given(ANY)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_characters_are_what_they_are(text: str) -> None:
    assert "".join(graphemes(text)) == text
    assert count_graphemes(text) <= len(text)
    assert printable(text).isprintable() or text == ""
    storable(text).encode()
    assert "\0" not in storable(text)


@given(st.text(min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_initials_are_never_half_a_character(text: str) -> None:
    for made in (initials(text), shown_initials(text)):
        assert len(list(graphemes(made))) <= 4
        made.encode()


@given(st.binary(max_size=300) | ANY.map(lambda text: f"E-mail,First name\n{text}\n".encode("utf-8", "replace")))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_a_file_or_refused_in_words(content: bytes) -> None:
    try:
        file = open_directory(io.BytesIO(content))
        assert all(row.values for row in file.rows())
    except UnreadableFile as refused:
        assert str(refused)
    else:
        assert "\0" not in repr(file.facts.as_json()).replace("\\x00", "\0")


def test_a_choice_is_one_of_those_on_offer() -> None:
    for text in SHORT:
        assert read_choice({"key": text}, "key", ["a", "b"], "a") in ("a", "b")  # type: ignore[arg-type]
