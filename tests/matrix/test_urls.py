"""The permission matrix: every URL, by every method, by everybody, about one's own company and about another."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from difflib import ndiff
from itertools import combinations, product
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.urls import URLResolver, get_resolver, reverse

from members.access import ROLES, Capability
from members.models import AuditEntry
from tests.matrix.asking import METHODS, Answer, Asker, rolled_back, written
from tests.matrix.table import TABLE, Page
from tests.matrix.world import CANARY, OTHER, TRACE, Person, Side, World

pytestmark = pytest.mark.usefixtures("db", "quiet")

NOWHERE = "tegelbruk"
SAFE = {"GET", "HEAD"}
# Who always tries everything; the others try what hardly any page has, and what is not theirs, in turns.
FEW = {"administrator", "member", "stranger", "visitor"}
# Who is not let in anywhere, and where they are sent.
DETOURS = {"visitor": "accounts:sign_in", "newcomer": "accounts:first_password"}


def named_urls(patterns=None, namespace="") -> Iterator[tuple[str, Any]]:
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            yield from named_urls(
                pattern.url_patterns, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            )
        else:
            yield f"{namespace}{pattern.name}", pattern


URLS = list(named_urls())
PATTERNS = dict(URLS)
INSIDE = [name for name, page in TABLE.items() if page.access in set(Capability)]
OUTSIDE = [name for name in TABLE if name not in INSIDE]
CHANGING = [name for name, page in TABLE.items() if page.post]


def test_every_url_is_in_the_table_once():
    names = [name for name, _pattern in URLS]

    assert len(names) == len(set(names))
    assert set(names) - set(TABLE) == set(), "Describe these pages in tests/matrix/table.py."
    assert set(TABLE) - set(names) == set(), "These pages are gone: take them out of tests/matrix/table.py."


@pytest.mark.parametrize("name", TABLE)
def test_the_table_says_of_each_url_what_its_code_says(name):
    page, pattern = TABLE[name], PATTERNS[name]

    assert getattr(pattern.callback, "access", "open" if name in ("healthz", "readyz") else page.access) == page.access
    assert set(get_parameters(name)) - {"org_slug"} == set(page.at)
    assert page.get or page.post
    assert bool(page.post) == (bool(page.logs) != bool(page.unlogged)), "say what a POST logs, or why nothing"


def get_parameters(name: str) -> list[str]:
    """The parameters of a URL."""
    matches = get_resolver()
    for part in name.split(":")[:-1]:
        matches = matches.namespace_dict[part][1]
    [(possibilities, *_rest)] = matches.reverse_dict.getlist(name.split(":")[-1])
    return [parameter for _route, parameters in possibilities for parameter in parameters]


# A cell: who asks for what, where


@dataclass(frozen=True)
class Place:
    """A URL about something: ``kind`` is own, other (another company's URL), mixed (its objects at one's own URL), or
    made_up (texts that were invented)."""

    kind: str
    path: str
    data: Mapping[str, Any]


def given(values: Mapping[str, Any], side: Side) -> dict[str, Any]:
    """The values of a page for a company."""
    return {name: value(side) if callable(value) else value for name, value in values.items()}


def places(name: str, world: World) -> Iterator[Place]:
    """Every place at which a page is tried."""
    page, own, other = TABLE[name], world.own, world.other
    inside = name in INSIDE

    def place(kind: str, slug: str, at: dict[str, Any], side: Side) -> Place:
        where = {"org_slug": slug} if inside else {}
        query = given(page.query, side)
        return Place(
            kind,
            reverse(name, kwargs={**where, **at}) + (f"?{urlencode(query)}" if query else ""),
            given(page.send, side),
        )

    mine = given(page.at, own)
    yield place("own", own.word, mine, own)
    if inside or name == "me:leave":
        theirs = given(page.at, other)
        yield place("other", other.word, theirs, other)
    elif mine:
        invented = {key: 999_999_999 if isinstance(value, int) else "tegelbruk" for key, value in mine.items()}
        yield place("made_up", "", invented, own)
    if inside:
        # A country, say, belongs to nobody.
        owned = [key for key in mine if mine[key] != theirs[key]]
        for size in range(1, len(owned) + 1):
            for some in combinations(owned, size):
                yield place("mixed", own.word, {**mine, **{key: theirs[key] for key in some}}, own)


def promised(page: Page, place: Place, method: str, person: Person) -> tuple[int, bool]:
    """The status that the table promises, and whether this is done by somebody who may do it."""
    reading = method in SAFE
    visitor, newcomer = "visitor" in person.groups, person.name == "newcomer"
    if page.access == "token":
        return 401, False
    if page.access not in ("open", "public"):
        if visitor or (newcomer and page.access != "first_password"):
            return 302, False
        if page.access == "first_password" and not newcomer:
            return 302, False
    if page.access in set(Capability):
        if place.kind == "other" or "inside" not in person.groups:
            return 404, False
        if page.access not in ROLES[person.role]:
            return 403, False
    if page.access == "operator" and person.name != "operator":
        return 404, False
    if page.access == "local" and person.name not in ("operator", "administrator"):
        return 404, False
    get, post = next((page.unlike[group] for group in page.unlike if group in person.groups), (page.get, page.post))
    if not (get if reading else post if method == "POST" else 0):
        return (page.made_up if page.link and place.kind == "made_up" else 405), False
    if place.kind == "made_up":
        return page.made_up, False
    if place.kind in ("mixed", "other"):
        return 404, False
    if method == "POST" and page.posting and page.posting not in ROLES[person.role]:
        return 403, False
    return (get if reading else post), True


def faults(asker: Asker, page: Page, place: Place, method: str, person: Person) -> Iterator[str]:
    """What is wrong with one cell of the matrix; every sentence fails the test."""
    status, may = promised(page, place, method, person)
    changes = may and method == "POST"
    known = set(AuditEntry.objects.values_list("pk", flat=True)) if changes else set()
    entries: list[str] = []
    # What writes nothing, as is seen to below, leaves nothing to be rolled back.
    with rolled_back() if changes else nullcontext(), written() as tables:
        answer = asker.ask(method, place.path, session=person.session, data=place.data)
        if (
            may
            and method == "GET"
            and person.name in FEW
            and asker.ask("GET", place.path, session=person.session).status != status
        ):
            yield "answers otherwise the second time"
        if changes:
            entries += AuditEntry.objects.exclude(pk__in=known).order_by("pk").values_list("action", flat=True)
            # What belongs to two companies at once would be refused only when the transaction ends.
            connection.check_constraints()
    if answer.status != status:
        yield f"answers {answer.status}, not {status}"
    if status == 302 and not may:
        yield from wrong_detours(page, answer, person)
    if not (page.names_all and may):
        yield from traces(answer, place)
    if answer.is_html and CANARY in answer.body:
        yield "shows a text as it is"
    if method in SAFE or not may or status >= 400:
        if set(tables) - page.notes:
            yield f"writes to {sorted(set(tables))}"
    else:
        logged = list(page.logs) if page.logged_for & person.groups else []
        if entries != logged:
            yield f"logs {entries}, not {logged}"


def wrong_detours(page: Page, answer: Answer, person: Person) -> Iterator[str]:
    group = "visitor" if "visitor" in person.groups else person.name
    wanted = reverse(DETOURS[group]) if group in DETOURS else "/"
    if answer.location.partition("?")[0] != wanted:
        yield f"leads to {answer.location}, not {wanted}"


def traces(answer: Answer, place: Place) -> Iterator[str]:
    """Where an answer holds anything of the other company, beyond what the question itself said."""
    path = place.path.partition("?")[0]
    said = {quote(text, safe=safe) for text in (place.path, path) for safe in ("/?=&@", "/", "")}
    # The id of a request is drawn, and may look like anything.
    told = [value for name, value in answer.headers.items() if name != "X-Request-ID"]
    text = "\n".join([answer.body, *told])
    for known in sorted(said, key=len, reverse=True):
        text = text.replace(known, "")
    if found := TRACE.search(text):
        yield f"holds “{text[max(0, found.start() - 60) : found.end() + 20]}”"


type Cell = tuple[Place, str, Person]


def every_cell(name: str, world: World) -> Iterator[Cell]:
    return product(places(name, world), METHODS, world.people.values())


def most_cells(name: str, world: World) -> Iterator[Cell]:
    """Everybody by GET and POST at one's own, and of the rest as much as shows that the same guard stands there."""
    for turn, (place, method, person) in enumerate(every_cell(name, world)):
        own, plain, always = place.kind == "own", method in ("GET", "POST"), person.name in FEW
        if turn % 7 == 0 or own + plain + always >= 2:
            yield place, method, person


def check_cells(asker: Asker, name: str, cells: Iterator[Cell]) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for place, method, person in cells:
        for fault in faults(asker, TABLE[name], place, method, person):
            found[f"{place.kind} {method} {place.path} {fault}"].append(str(person))
    told = "\n".join(f"{fault}: {', '.join(people)}" for fault, people in found.items())
    if told:
        pytest.fail(told)


@pytest.mark.parametrize("name", TABLE)
def test_everybody_gets_what_the_table_promises(world, asker, name):
    check_cells(asker, name, most_cells(name, world))


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_everybody_gets_what_the_table_promises_by_every_method(world, asker, name):
    check_cells(asker, name, every_cell(name, world))


def test_the_matrix_has_a_cell_for_everything(world):
    assert len(world.people) >= 13
    for name in TABLE:
        kinds = {place.kind for place in places(name, world)}
        assert kinds >= ({"own", "other"} if name in INSIDE else {"own"})
        asked = {(place.kind, method) for place, method, _person in most_cells(name, world)}
        assert asked == set(product(kinds, METHODS))
    assert sum(len(list(every_cell(name, world))) for name in TABLE) > 10_000


# What can't be told from another


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_another_company_s_looks_like_what_is_not_there(world, asker, name, method):
    page = TABLE[name]
    for person in (world.people["administrator"], world.people["stranger"]):
        theirs = reverse(name, kwargs={"org_slug": OTHER, **given(page.at, world.other)})
        nobody_s = theirs.replace(f"/{OTHER}/", f"/{NOWHERE}/", 1)

        found = differences(asker, person, method, theirs, nobody_s, given(page.send, world.other))
        assert found == []


@pytest.mark.parametrize("name", [name for name in INSIDE if any(map(callable, TABLE[name].at.values()))])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_object_of_another_company_looks_like_one_that_is_not_there(world, asker, name, method):
    page = TABLE[name]
    for key, value in given(page.at, world.other).items():
        at = given(page.at, world.own)
        theirs = reverse(name, kwargs={"org_slug": world.own.word, **at, key: value})
        missing = date(2001, 1, 1) if isinstance(value, date) else "tegelbruk.nobody"
        missing = 734_699_999 if isinstance(value, int) else missing
        nobody_s = reverse(name, kwargs={"org_slug": world.own.word, **at, key: missing})

        found = differences(asker, world.people["administrator"], method, theirs, nobody_s, given(page.send, world.own))
        assert found == []


def differences(asker: Asker, person: Person, method: str, one: str, other: str, data: dict[str, Any]) -> list[str]:
    """The lines in which two answers differ."""
    with rolled_back():
        answers = [asker.ask(method, path, session=person.session, data=data).without(path) for path in (one, other)]
    return [line for line in ndiff(*(answer.splitlines() for answer in answers)) if not line.startswith(" ")]


# Forms


@pytest.mark.parametrize(
    "name", [name for name in CHANGING if not (TABLE[name].signed or TABLE[name].access == "token")]
)
def test_a_form_without_its_token_changes_nothing(world, asker, name):
    place = next(places(name, world))
    person = world.people["newcomer" if TABLE[name].access == "first_password" else "administrator"]

    with rolled_back(), written() as tables:
        answer = asker.ask("POST", place.path, session=person.session, data=place.data, check_csrf=True)

    assert answer.status == 403
    assert tables == []


@pytest.mark.parametrize("name", [name for name, page in TABLE.items() if page.access == "local"])
def test_what_is_for_development_machines_is_nowhere_else(world, asker, name):
    place = next(places(name, world))

    with override_settings(LOCAL=False):
        for person in world.people.values():
            assert asker.ask("GET", place.path, session=person.session).status == 404


def test_the_table_knows_the_settings_it_was_written_for():
    assert settings.LOCAL
    assert settings.SETUP == "open"
