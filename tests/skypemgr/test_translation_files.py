import gettext
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

SOURCE = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "Add members"
msgstr "Ajouter des membres"

msgctxt "verb"
msgid "Block"
msgstr "Bloquer"

msgid "one member"
msgid_plural "%(count)s members"
msgstr[0] "un membre"
msgstr[1] "%(count)s membres"

#, fuzzy
msgid "Dashboard"
msgstr "Planche de bord"
"""


@pytest.fixture
def source(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    settings.LOCALE_PATHS = [tmp_path]
    return path


def test_translations_are_compiled_without_gettext_as_gettext_would(source: Path) -> None:
    call_command("compile_translations", verbosity=0)

    with source.with_suffix(".mo").open("rb") as compiled:
        french = gettext.GNUTranslations(compiled)
    assert french.gettext("Add members") == "Ajouter des membres"
    assert french.pgettext("verb", "Block") == "Bloquer"
    assert french.ngettext("one member", "%(count)s members", 0) == "un membre"
    assert french.ngettext("one member", "%(count)s members", 2) == "%(count)s membres"
    assert french.gettext("Dashboard") == "Dashboard"  # a guess is no translation


def test_only_what_has_changed_is_compiled_again(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("compile_translations")
    assert capsys.readouterr().out == "Compiled fr/LC_MESSAGES/django.po.\n"

    call_command("compile_translations")
    assert capsys.readouterr().out == ""

    later = source.stat().st_mtime + 1
    os.utime(source, (later, later))
    call_command("compile_translations")
    assert capsys.readouterr().out == "Compiled fr/LC_MESSAGES/django.po.\n"


def test_a_broken_file_is_named_and_compiles_to_nothing(source: Path) -> None:
    source.write_text('msgid "open\n')

    with pytest.raises(CommandError, match=r"django\.po is no catalog"):
        call_command("compile_translations")

    assert not source.with_suffix(".mo").exists()
