"""Photographs every page in every state, so that people can look at them: `make look`, then open build/look/.

No test, and never run with them. LOOK_LANGUAGE=fr photographs another language than English.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from tests.browser.conftest import (  # noqa: F401
    base_url,
    browser_type_launch_args,
    catalogs,
    playwright,
    site,
    static_files,
)
from tests.browser.sight import Sight
from tests.browser.sights import SIGHTS
from tests.browser.site import Site, wait_until_the_site_rests
from tests.browser.tour import Tour, touring
from tests.browser.world import build_world

FOLDER = Path(__file__).parent.parent / "build" / "look"
LANGUAGE = os.environ.get("LOOK_LANGUAGE", "en")
WINDOWS = {1280: 900, 390: 844}
HIGHEST = 7_000


@pytest.fixture(scope="module")
def photographer(site: Site, browser: Browser, django_db_blocker: DjangoDbBlocker) -> Iterator[Tour]:  # noqa: F811
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with django_db_blocker.unblock():
        with touring(browser, site, build_world()) as tour:
            yield tour
        wait_until_the_site_rests()
        call_command("flush", interactive=False, verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize("sight", SIGHTS, ids=str)
def test_photograph(photographer: Tour, sight: Sight) -> None:
    """The whole page, large and small, light and dark."""
    page, _html = photographer.open(sight, LANGUAGE)
    for width, height in WINDOWS.items():
        page.set_viewport_size({"width": width, "height": height})
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(max(whole, height), HIGHEST)})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.screenshot(path=FOLDER / f"{sight}-{width}-{theme}.png")
    page.set_viewport_size({"width": 1280, "height": 900})
