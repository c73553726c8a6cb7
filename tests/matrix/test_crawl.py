"""One company's administrator opens all there is to open: nothing of another company stands anywhere."""

import logging
from collections import Counter, deque
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from credit.models import AlertSettings
from credit.services.alert_letters import tell_of_wallet
from members.closing_letters import CLOSED, tell_administrators
from members.gateways.mail import render_letter
from members.jobs import Run
from members.letter_texts import compose
from members.mail import personal_letter
from members.models import Letter, User
from members.periods import Every, period_at
from members.services.undelivered import tell_of_failures
from telephony.assignment_letters import write_number_letters
from telephony.models import NumberAssignment
from telephony.port_letters import write_port_letter
from tests.matrix.asking import Answer, Asker, rolled_back
from tests.matrix.table import TABLE
from tests.matrix.test_urls import INSIDE, given
from tests.matrix.world import CANARY, OWN, TRACE, World

pytestmark = pytest.mark.usefixtures("db")

# How often one path is opened with other questions: enough for every filter, order and page of a small company.
MOST_OF_A_PATH = 12


class Links(HTMLParser):
    """Where a page leads: its links, and its GET forms sent with each value of each select."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.found: list[str] = []
        self.form: str | None = None
        self.field = ""
        self.values: dict[str, str] = {}
        self.choices: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name in ("href", "hx-get", "src"):
            if given.get(name) and tag not in ("link", "script", "img", "use"):
                self.found.append(urljoin(self.base, given[name]))
        if tag == "form" and given.get("method", "get").lower() == "get":
            self.form = urljoin(self.base, given.get("action") or self.base)
            self.values, self.choices = {}, []
        if self.form is None:
            return
        if tag == "input" and given.get("name") and given.get("type") != "checkbox":
            self.values[given["name"]] = given.get("value") or "row"
        if tag == "select":
            self.field = given.get("name", "")
        if tag == "option" and self.field and given.get("value"):
            self.choices.append((self.field, given["value"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.form is not None:
            path = self.form.partition("?")[0]
            questions = [self.values, *({name: value} for name, value in self.choices)]
            self.found += [f"{path}?{urlencode(question)}" for question in questions]
            self.form = None


def crawl(asker: Asker, session: str, start: list[str]) -> Iterator[tuple[str, Answer]]:
    """Everything that can be reached from ``start`` by links and questions, with its answers."""
    waiting, seen, opened = deque(start), set(start), Counter()
    while waiting:
        path = waiting.popleft()
        answer = asker.ask("GET", path, session=session)
        yield path, answer
        found = [urljoin(path, answer.location)] if answer.location else []
        if answer.is_html:
            links = Links(path)
            links.feed(answer.body)
            found += links.found
        for url in found:
            parts = urlsplit(url)
            place = parts.path + (f"?{parts.query}" if parts.query else "")
            elsewhere = parts.netloc or parts.scheme or parts.path.startswith("/static/")
            if not elsewhere and place not in seen and opened[parts.path] < MOST_OF_A_PATH:
                seen.add(place)
                opened[parts.path] += 1
                waiting.append(place)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Every line that is logged meanwhile, with all that it carries."""
    found: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # What is passed along without being written (a request, a traceback's frames) is no part of the line.
            facts = {key: value for key, value in vars(record).items() if isinstance(value, (str, int, float))}
            found.append(f"{record.getMessage()} {facts}")

    keeper, root = Keeper(), logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.INFO)
    yield found
    root.setLevel(level)
    root.removeHandler(keeper)


@pytest.mark.parametrize("language", ["en", "fr", "sv"])
def test_whoever_opens_everything_finds_nothing_of_another_company(world, asker, lines, language):
    boss, opened = world.people["administrator"], set()

    with rolled_back():
        User.objects.filter(pk=boss.user.pk).update(language=language)
        for path, answer in crawl(asker, boss.session, [f"/{OWN}/", "/me/"]):
            opened.add(path.partition("?")[0])
            assert answer.status in (200, 302, 404, 405, 409, 410, 422), path
            assert not TRACE.search(answer.body + answer.location), path
            assert CANARY not in answer.body or not answer.is_html, path
            if answer.is_html and answer.status == 200:
                assert answer.headers["Content-Language"] == language, path

    assert {f"/{OWN}/members/", f"/{OWN}/members/export.csv", f"/{OWN}/audit/export.csv"} <= opened
    assert len(opened) > 40
    assert len(lines) > 100
    assert [line for line in lines if TRACE.search(line)] == []


@pytest.mark.parametrize("name", [name for name in INSIDE if TABLE[name].get])
def test_the_canary_stands_escaped_on_every_page_of_one_s_own(world: World, asker, name):
    page = TABLE[name]
    path = reverse(name, kwargs={"org_slug": OWN, **given(page.at, world.own)})
    answer = asker.ask("GET", f"{path}?{urlencode(given(page.query, world.own))}", session=boss_of(world))

    if answer.is_html and answer.status == 200 and "progress" not in name:
        assert "&lt;svg/onload=alert(7)&gt;" in answer.body
        assert CANARY not in answer.body


def boss_of(world: World) -> str:
    return world.people["administrator"].session


@pytest.mark.parametrize("language", ["en", "fr", "sv"])
def test_no_letter_tells_anything_of_another_company(world, language):
    own, told = world.own, set()
    with rolled_back():
        User.objects.filter(owner=own.organization).update(language=language)
        own.plain.user.refresh_from_db()
        failed = personal_letter(Letter.Kind.PASSWORD_CHANGED, own.plain.user, member=own.plain)
        failed.state, failed.last_error = Letter.State.FAILED, "550"
        failed.save()
        today = period_at(timezone.now(), Every.DAY, ZoneInfo(own.organization.time_zone))
        tell_of_failures(Run(today, own.organization))
        for kind in Letter.Kind:
            if kind != Letter.Kind.INVITATION:
                letter = personal_letter(kind, own.plain.user)
                letter.facts = {"users": [own.plain.user.pk], "event": "app_added"}
                letter.save()
        User.objects.filter(pk=own.plain.user.pk).update(email_verified_at=None)
        AlertSettings.objects.update_or_create(organization=own.organization, defaults={"low_wallet": 9_000_000})
        tell_of_wallet(own.organization)
        tell_administrators(own.organization, CLOSED)
        given = NumberAssignment.objects.create(
            organization=own.organization,
            number=own.phone_number,
            member=own.plain,
            emergency_address=own.address,
            since=timezone.now(),
        )
        write_number_letters(own.organization, [given])
        write_port_letter(own.port_approved)
        report = personal_letter(Letter.Kind.REPORT, own.administrator.user, member=own.administrator)
        report.facts = {"saved": own.saved.pk, "due_on": "2026-11-01"}
        report.save()
        for letter in Letter.objects.filter(organization=own.organization).select_related("user__owner"):
            composed = compose(letter)
            if composed is None:
                continue
            with translation.override(composed.language), timezone.override(ZoneInfo(composed.time_zone)):
                message = render_letter(
                    template=letter.kind, context=composed.context, address=letter.email, message_id=letter.message_id
                )
            [html] = [content for content, _kind in message.alternatives]
            assert not TRACE.search("\n".join([message.subject, message.body, html, *message.to]))
            assert CANARY not in html
            told.add(letter.kind)

    assert told == set(Letter.Kind)
