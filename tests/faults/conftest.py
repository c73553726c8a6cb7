import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from members.services.demo import ADMINISTRATOR, PASSWORD
from tests.browser.site import collect_static_files
from tests.faults.people import Browser
from tests.faults.stack import Stack


@pytest.fixture(scope="session")
def stack(django_db_blocker: DjangoDbBlocker) -> Iterator[Stack]:
    """An installation of its own, for every fault: what one leaves behind is what the next one meets."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="sk"))
    started = Stack(folder, collect_static_files(folder / "static"), django_db_blocker)
    try:
        started.start()
        yield started
    finally:
        started.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def administrator(stack: Stack) -> Browser:
    """An administrator, signed in."""
    made = Browser(stack.url)
    made.sign_in(ADMINISTRATOR, PASSWORD)
    return made
