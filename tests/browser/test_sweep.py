"""Every page of the URL configuration, as whoever it is for: accessible, valid, within the window, translated."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from xml.etree.ElementTree import Element

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker
from tinyhtml5.parser import HTMLParser

from tests.browser.sight import OF_COMPANY, Sight, named_urls
from tests.browser.sights import ACTS, ANSWERS, FOR_PROGRAMS, SIGHTS, WAYS
from tests.browser.site import METRICS_TOKEN, Site, wait_until_the_site_rests
from tests.browser.tour import Tour, touring
from tests.browser.world import build_world

AXE = Axe().axe_script
# Without its own request for each style sheet, which would only serve rules that are off.
RUN_AXE = """async () => (await axe.run({resultTypes: ["violations"], preload: false})).violations.flatMap(
    ({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} (${node.failureSummary})`))"""
WHAT_IS_TOO_WIDE = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
    [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 150))"""
# A cell says what it is on a phone, where it has no column; one that holds nothing would say that of nothing.
LABELS_OF_NOTHING = """() => [...document.querySelectorAll("td[data-label]")].filter(
    (cell) => cell.checkVisibility() && !cell.textContent.trim() && !cell.querySelector("input, svg, progress")
  ).map((cell) => cell.outerHTML)"""
# What names a figure, a fact or a part of the page says something, and a label names something that can be seen.
NAMES_OF_NOTHING = """() => [
    ...[...document.querySelectorAll(".stat-label, dt, h1, h2, h3, label, legend")].filter(
      (name) => name.checkVisibility() && !name.textContent.trim()
    ),
    ...[...document.querySelectorAll("label")].filter(
      (label) => label.checkVisibility() && (!label.control || label.control.type === "hidden")
    ),
  ].map((name) => name.outerHTML)"""
CONTROLS_WITHOUT_LABEL = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(
    (control) => !control.getAttribute("aria-label") && !control.getAttribute("aria-labelledby")
      && ![...control.labels].some((label) => label.textContent.trim())
  ).map((control) => control.outerHTML)"""
POINTERS = ("for", "form", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "data-copy")
NAMESPACE = "{http://www.w3.org/1999/xhtml}"

# The world of the tour is there before the transaction of a test begins, and after it has ended.
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def tour(site: Site, browser: Browser, django_db_blocker: DjangoDbBlocker) -> Iterator[Tour]:
    """One world for all of these tests: nothing they do changes what another one looks at."""
    with django_db_blocker.unblock():
        world = build_world()
        with touring(browser, site, world) as tour:
            yield tour
        wait_until_the_site_rests()
        call_command("flush", interactive=False, verbosity=0)


def test_every_address_of_the_product_is_in_the_tables() -> None:
    known = [{sight.name for sight in SIGHTS}, ACTS, set(ANSWERS), FOR_PROGRAMS, WAYS]
    counts = Counter(chain.from_iterable(known))

    assert set(named_urls()) - set(counts) == set(), "addresses that no table names"
    assert set(counts) - set(named_urls()) == {"fault"}, "names that no address has"
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("sight", SIGHTS, ids=str)
def test_a_page_is_sound(tour: Tour, sight: Sight) -> None:
    problems: dict[str, list[str]] = {}
    page, html = tour.open(sight, "en")
    problems["html"] = problems_of_html(html, "en")
    problems["dead links"] = [] if sight.name in ("styleguide", "fault") else dead_links(tour, page, sight)
    problems["labels"] = page.evaluate(CONTROLS_WITHOUT_LABEL)
    problems["watch"] = tour.watch.forget()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.evaluate(AXE)
    problems["axe, light, large"] = page.evaluate(RUN_AXE)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    problems["labels of nothing"] = page.evaluate(LABELS_OF_NOTHING)
    problems["names of nothing"] = page.evaluate(NAMES_OF_NOTHING)
    problems["axe, dark, small"] = page.evaluate(RUN_AXE)
    problems["too wide"] = what_is_too_wide(page)

    # French needs the most room.
    page, html = tour.open(sight, "fr")
    problems["too wide, fr"] = what_is_too_wide(page)
    problems["watch, fr"] = tour.watch.forget()
    problems["html, fr"] = problems_of_html(html, "en" if sight.english_only else "fr")
    if not (sight.act or sight.make or sight.english_only):
        problems["html, sv"] = problems_of_html(tour.read(sight, "sv"), "sv")

    assert not any(problems.values()), "\n".join(f"{where}: {what}" for where in problems for what in problems[where])


def what_is_too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways on the narrowest of phones."""
    page.set_viewport_size({"width": 320, "height": 700})
    return page.evaluate(WHAT_IS_TOO_WIDE)


def problems_of_html(html: str, language: str) -> list[str]:
    """What is wrong with a page as it was sent, which should be in that language."""
    parser = HTMLParser()
    tree = parser.parse(html)
    problems = [f"parser: {error}" for error in parser.errors]
    if tree.get("lang") != language:
        problems.append(f"it says that it is in {tree.get('lang')}")
    if "untranslated" in html:
        problems.append("some of it is in English")
    elements = list(tree.iter())
    headings = [element for element in elements if element.tag == f"{NAMESPACE}h1"]
    if len(headings) != 1 or not "".join(headings[0].itertext()).strip():
        problems.append(f"{len(headings)} headings of the first level")
    if not "".join(tree.find(f".//{NAMESPACE}title").itertext()).strip(" ·").removesuffix("Skype Manager").strip(" ·"):
        problems.append("no title")
    ids = Counter(element.get("id") for element in elements if element.get("id"))
    problems += [f"id {name} stands {count} times" for name, count in ids.items() if count > 1]
    return problems + list(chain.from_iterable(problems_of_element(element, ids) for element in elements))


def problems_of_element(element: Element, ids: Counter[str | None]) -> Iterator[str]:
    """What is inline, where only files may be; and what points to an id that is not there."""
    tag = str(element.tag).removeprefix(NAMESPACE)
    if tag == "style" or (tag == "script" and not element.get("src")):
        yield f"inline {tag}"
    for name, value in element.attrib.items():
        if name == "style" or name.startswith(("on", "hx-on")):
            yield f"inline {name} of {tag}"
        if name in POINTERS:
            yield from (f"{name} of {tag} points to {target}" for target in value.split() if target not in ids)
    target = element.get("href", "")
    if tag == "a" and target.startswith("#") and target[1:] not in ids:
        yield f"link to {target}"


def dead_links(tour: Tour, page: Page, sight: Sight) -> list[str]:
    """Links to other pages that lead nowhere; of those that differ in a number or a name alone, one is followed."""
    links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href.split('#')[0])")
    shapes = {re.sub(r"@[\w.]+|\d+|cursor=[^&]+", "…", link): link for link in links if link != page.url.split("#")[0]}
    fresh = {shape: link for shape, link in shapes.items() if link and (sight.who, shape) not in tour.followed}
    tour.followed |= {(sight.who, shape) for shape in fresh}
    return [link for link in fresh.values() if page.request.get(link).status >= 400]


def test_no_two_addresses_have_the_same_title(tour: Tour) -> None:
    names: dict[str, set[str]] = {}
    for sight in SIGHTS:
        if not (sight.act or sight.make or sight.state):
            [title] = re.findall("<title>(.*?)</title>", tour.read(sight, "en"))
            names.setdefault(title, set()).add(sight.name)

    shared = [shared for shared in names.values() if len(shared) > 1]
    assert shared == [{"members:import_add", "members:import_add_business"}]


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_is_no_page(tour: Tour, name: str) -> None:
    tour.become(
        "visitor"
        if name.startswith("join:")
        else "operator"
        if name.startswith(("credit_ops:", "emergency_ops:", "porting_ops:", "telephony_ops:"))
        else "administrator",
        "en",
    )

    assert tour.pages["en"].request.get(_address(tour, name)).status == 405


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_what_is_no_page_says_what_it_is(tour: Tour, name: str) -> None:
    tour.become("operator" if name.startswith(("ops:", "porting_ops:")) else "administrator", "en")

    watching = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    answer = tour.pages["en"].request.get(_address(tour, name), headers=watching)

    assert answer.status == 200
    assert answer.headers["content-type"].startswith(ANSWERS[name])


def _address(tour: Tour, name: str) -> str:
    """An address of that name whose every part there is."""
    world = tour.world
    parts = {
        "org_slug": world.company.slug,
        "slug": world.company.slug,
        "pk": world.batches["running"].pk,
        "number": 1,
        "key": 1,
        "skype_name": world.members["active"].user.skype_name,
        "token": world.links["open"],
        "name": world.letter,
        "digits": world.number.digits,
        "country": "FR",
        "code": "premium",
        "kind": "forwarding",
        "place_pk": world.place.pk,
    }
    if name.startswith("telephony_ops:rate_upload"):
        parts["pk"] = world.rate_upload.pk
    if name.startswith("telephony:call_import"):
        parts["pk"] = world.call_imports["running"].pk
    if name.startswith("emergency:"):
        parts["pk"] = world.place.address.pk
    if name.startswith(("credit:order", "credit_ops:")):
        parts["number"] = world.orders["waiting"].number
    if name.startswith("credit:invoice"):
        parts["number"] = world.invoices["paid"].number
    if name.startswith("members:invitation"):
        parts["pk"] = world.members["invited"].invitations.get().pk
    if name.startswith("porting"):
        parts["pk"] = world.port_orders["processing"].pk
    if name.startswith("members:run_"):
        parts["pk"] = world.runs["running"].pk
    wanted = named_urls()[name].pattern.converters
    if name.startswith(OF_COMPANY):
        wanted = ["org_slug", *wanted]
    return reverse(name, kwargs={part: parts[part] for part in wanted})
