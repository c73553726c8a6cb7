"""Every input of the corpus through every door of its field: the same answer everywhere."""

import logging
import traceback
from collections.abc import Sequence

import pytest

from tests.inputs.corpus import Expected, Input, inputs
from tests.inputs.doors import (
    COMMANDS,
    FORMS,
    REQUIRED,
    Answer,
    Door,
    World,
    block,
    create_organization_name,
    create_organization_slug,
    help_feedback,
    row_skype_name,
    undone,
)

# Files bring all of a field at once (test_files.py), as do these, which cost little. The others share it, and get all
# of it in `make slow`.
THOROUGH = {create_organization_name, create_organization_slug, row_skype_name, block, help_feedback}
SHARES = 8

# The same refusal in the words of the framework, and of what a page and a command can't bring at all.
SAME = {
    "required": {"name_missing", "address_missing", "skype_name_missing", "slug_missing"},
    "null_characters_not_allowed": {"name_control", "address_unseen", "skype_name_character", "reason_character"},
    "max_length": {
        "name_long",
        "name_parts",
        "address_long",
        "address_local_long",
        "skype_name_long",
        "department_deep",
    },
}


@pytest.fixture
def world(db: None) -> World:
    return World.make()


def doors() -> list[tuple[str, Door]]:
    return [(field, door) for doors in (FORMS, COMMANDS) for field, some in doors.items() for door in some.values()]


def share_of(field: str, door: Door) -> list[Input]:
    everything = inputs(field)
    places = [one for name, one in doors() if name == field]
    return everything if door in THOROUGH else everything[places.index(door) % SHARES :: SHARES]


def deviation(expected: Expected, answer: Answer, *, required: bool, value: str) -> str:
    """What is wrong with an answer, or ""."""
    codes = {answer.code} | SAME.get(answer.code, set())
    if expected.empty:
        right = bool(answer.code) if required else answer.stored == "" or answer.code == ""
    elif expected.stored is not None:
        right = answer.stored == expected.stored
    elif any("\ud800" <= character <= "\udfff" for character in value):
        # A page gets � for it, a command the half of a character itself.
        right = bool(answer.code)
    else:
        right = expected.code in codes
    return "" if right else f"expected {expected}, got {answer}"


def deviations(world: World, door: Door, some: Sequence[Input], caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is wrong with the answers of a door to ``some`` inputs, and with what is logged of them."""
    caplog.set_level(logging.INFO)
    wrong = []
    for one in some:
        caplog.clear()
        try:
            with undone():
                answer = door(world, one.value)
        except AssertionError as error:
            wrong.append(f"{one}: {str(error)[:300]} ({_place(error)})")
            continue
        if found := deviation(one.expected, answer, required=door in REQUIRED, value=one.value):
            wrong.append(f"{one}: {found}")
        wrong += [f"{one}: the log holds {line!a}" for line in caplog.messages if not line.isprintable()]
    return wrong


def _place(error: AssertionError) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{place.name}: {place.line}"


@pytest.mark.parametrize(("field", "door"), doors(), ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_door_gives_the_expected_answer(
    world: World, field: str, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    assert deviations(world, door, share_of(field, door), caplog) == []


@pytest.mark.slow
@pytest.mark.parametrize(("field", "door"), doors(), ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_every_door_gives_the_expected_answer_to_everything(
    world: World, field: str, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    assert deviations(world, door, inputs(field), caplog) == []


def test_the_corpus_is_large_and_each_field_has_several_doors() -> None:
    fields = {field for field, _door in doors()}

    assert sum(len(inputs(field)) for field in fields) > 500
    assert {"name", "company", "department", "address", "skype_name", "slug"} <= fields
