import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
APPS = ["skypemgr", "members", "credit", "telephony", "reports"]
NOT_SOURCES = shutil.ignore_patterns(".*", "__pycache__", "*.mo", "build", "staticfiles", "tests", "var")

# What a translation keeps as it is: %(name)s, %d, %%, {name}, and tags with their attributes.
KEPT = re.compile(r"%\(\w+\)[a-z]|%[a-z%](?![a-z])|\{\w*\}|</?[a-z][^>]*>")
# What looks like punctuation and is none, for which "x" stands when spaces are checked.
NOT_PROSE = re.compile(r"\w+://\S*|\d+:\d\d|&\w+;|" + KEPT.pattern)
UNSPACED = re.compile("(?<![\u00a0(?!:;])[:;?!»]|«(?!\u00a0)|[ \u202f]\u00a0|\u00a0[ \u202f]")


def catalog_path(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def read_catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def forms(message: Message) -> list[tuple[str, str]]:
    """Each translation of a text beside its source: the singular for the first form, the plural for all others."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string or ""))]
    singular, plural = message.id
    strings = list(message.string) if isinstance(message.string, (list, tuple)) else [message.string]
    return [(singular if place == 0 else plural, string or "") for place, string in enumerate(strings)]


def texts(language: str) -> list[Message]:
    return [message for message in read_catalog(catalog_path(language)) if message.id]


def keys(path: Path) -> set[object]:
    """What tells texts apart: their context and their source."""
    return {(message.context, message.id) for message in read_catalog(path) if message.id}


def kept(text: str) -> list[str]:
    return sorted(set(KEPT.findall(text)))


def is_spaced_as_french(text: str) -> bool:
    return UNSPACED.search(NOT_PROSE.sub("x", text)) is None


def test_no_text_stands_where_it_would_not_be_collected():
    """xgettext doesn't look into f-strings: a text there would be missing from every catalog, and nobody told."""
    lost = []
    for path in (path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                names = {getattr(call.func, "id", "") for call in ast.walk(node) if isinstance(call, ast.Call)}
                lost += [f"{path}:{node.lineno}" for name in names if name == "_" or "gettext" in name]
    assert lost == []


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what holds texts, so that collecting them changes nothing here."""
    if not (shutil.which("xgettext") and shutil.which("msgmerge")):
        pytest.fail("Collecting the texts needs gettext: install the package gettext, then run the tests again.")
    folder = tmp_path_factory.mktemp("sources") / "copy"
    shutil.copytree(settings.BASE_DIR, folder, ignore=NOT_SOURCES)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language):
    missing = [
        message.id for message in texts(language) if not all(string.strip() for _source, string in forms(message))
    ]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_a_guess(language):
    assert not read_catalog(catalog_path(language)).fuzzy
    assert [message.id for message in texts(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_placeholders_and_tags(language):
    changed = [
        (source, string)
        for message in texts(language)
        for source, string in forms(message)
        if kept(source) != kept(string)
    ]
    assert changed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_exclaims(language):
    prose = [(string, NOT_PROSE.sub("x", string)) for message in texts(language) for _source, string in forms(message)]
    assert [string for string, words in prose if "!" in words] == []


def test_french_has_its_no_break_spaces():
    strings = [string for message in texts("fr") for _source, string in forms(message)]
    assert [string for string in strings if not is_spaced_as_french(string)] == []


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("Qui\u00a0?", True),
        ("Qui ?", False),
        ("Qui?", False),
        ("Qui\u202f?", False),
        ("{entry}\u00a0: {problem}", True),
        ("{entry}: {problem}", False),
        ("«\u00a0{name}\u00a0» est déjà utilisé.", True),
        ("« {name} » est déjà utilisé.", False),
        ("Voir https://example.com/?a=b à 14:20.", True),
        ('<a href="?sort=name" class="x">Trier</a>', True),
        ("Deux\u00a0 : trop.", False),
    ],
)
def test_spaces_of_french_are_told_apart(text, is_right):
    assert is_spaced_as_french(text) is is_right


def test_swedish_quotes_with_the_same_mark_on_both_sides():
    strings = [string for message in texts("sv") for _source, string in forms(message)]
    assert [string for string in strings if re.search("[“„«»]", string)] == []


def test_catalogs_hold_the_texts_of_the_sources_and_no_others(sources):
    # Of a language that has no catalog, so that nothing but what was collected is in it.
    command = [sys.executable, "manage.py", "makemessages", "--locale", settings.LANGUAGE_CODE, "--no-location"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "skypemgr.settings"}
    run = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr
    collected = keys(sources / catalog_path(settings.LANGUAGE_CODE).relative_to(settings.BASE_DIR))
    assert collected
    for language in LANGUAGES:
        translated = keys(catalog_path(language))
        assert collected - translated == set(), f"{language}: not collected yet; run make messages, then translate"
        assert translated - collected == set(), f"{language}: used nowhere any more; run make messages"
