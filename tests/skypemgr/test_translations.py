import pytest
from django.utils.translation import gettext, ngettext, override

from skypemgr.translations import begin_page, install, is_incomplete


@pytest.fixture(autouse=True)
def a_page_begins():
    # Other tests make Django load its catalogs anew, as no running installation does.
    install()
    begin_page()


def test_a_missing_text_falls_back_to_english_and_is_noticed():
    with override("fr"):
        assert gettext("A text that nobody will ever translate.") == "A text that nobody will ever translate."
        assert is_incomplete()


def test_a_missing_plural_is_noticed_too():
    with override("sv"):
        assert ngettext("%d unheard-of thing", "%d unheard-of things", 2) == "%d unheard-of things"
        assert is_incomplete()


def test_a_translated_text_leaves_no_note():
    with override("fr"):
        assert gettext("Enter a valid value.") != "Enter a valid value."
        assert not is_incomplete()


def test_english_pages_get_no_note():
    with override("en"):
        gettext("A text that nobody will ever translate.")
        assert not is_incomplete()


def test_the_note_belongs_to_one_page_only():
    with override("fr"):
        gettext("A text that nobody will ever translate.")
        begin_page()
        assert not is_incomplete()
