"""The articles of /help/: every job has one, in every language, with the words that stand on the pages."""

import re
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.utils import translation

from members.help_articles import GROUPS, all_articles, articles_about, contents, render_article, search_articles
from members.help_texts import ArticleProblem, articles_named, render_text, shape_of, words_of_product
from members.models import Member
from tests.browser.sights import ACTS, ANSWERS, FOR_PROGRAMS, WAYS
from tests.matrix.table import TABLE
from tests.test_catalogs import catalog_path, is_spaced_as_french, read_catalog

LANGUAGES = [code for code, _name in settings.LANGUAGES]
ARTICLES = all_articles()
EACH = [(slug, language) for slug in ARTICLES for language in LANGUAGES]
# Pages that are nobody's job, or help themselves.
WITHOUT_HELP = {
    "help": "is the help",
    "help_article": "is the help",
    "styleguide": "is for those who build pages",
    "outbox": "is for development machines",
    "outbox_letter": "is for development machines",
    "set_theme": "is a button",
}
NOT_PAGES = ACTS | set(ANSWERS) | FOR_PROGRAMS | WAYS


@pytest.mark.parametrize(
    "name", [name for name, page in TABLE.items() if page.get and name not in NOT_PAGES and name not in WITHOUT_HELP]
)
def test_every_page_has_its_article(name):
    assert articles_about(name), f"name {name} among the pages of an article in help/en"


@pytest.mark.parametrize("slug", ARTICLES)
def test_every_page_that_an_article_helps_with_is_there(slug):
    assert set(ARTICLES[slug].pages) <= set(TABLE)
    assert set(ARTICLES[slug].related) <= set(ARTICLES)


@pytest.mark.parametrize(("slug", "language"), EACH)
def test_every_article_is_written_in_every_language_and_short(slug, language):
    words = ARTICLES[slug].words[language]

    text = re.sub(r"[\[\]{}()`>#-]", " ", words.body).split()
    assert 60 <= len(text) <= 340
    assert len(words.title) <= 60
    assert len(words.summary) <= 130
    assert words.summary.endswith(".")
    assert not words.title.endswith(".")


@pytest.mark.parametrize(("slug", "language"), EACH)
def test_every_article_is_built_alike_in_every_language(slug, language):
    words, english = ARTICLES[slug].words[language], ARTICLES[slug].words["en"]

    assert shape_of(words.body) == shape_of(english.body)
    assert sorted(words_of_product(words.body)) == sorted(words_of_product(english.body))
    assert sorted(articles_named(words.body)) == sorted(articles_named(english.body))


@pytest.mark.parametrize(("slug", "language"), EACH)
def test_every_article_is_shown_as_it_is_meant(slug, language):
    with translation.override(language):
        shown = str(render_article(ARTICLES[slug]))

    assert not re.search(r"\*\*|[{}\[\]]", re.sub(r"<pre.*?</pre>|<code.*?</code>", "", shown, flags=re.DOTALL))
    assert "'" not in re.sub(r"<pre.*?</pre>|<code.*?</code>|<svg.*?</svg>", "", shown, flags=re.DOTALL)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_word_of_the_product_in_an_article_stands_on_its_pages(language):
    """That all of those are translated, the test of the catalogs says."""
    translated = {
        (message.context or "", message.id): message.string for message in read_catalog(catalog_path(language))
    }
    named = {word for article in ARTICLES.values() for word in words_of_product(article.words["en"].body)}
    sources = [path.read_text() for path in (settings.BASE_DIR / "templates").rglob("*.html")]

    assert len(named) > 100
    missing = {word for word in named if not translated.get(word)}
    assert {word for context, word in missing if not any(f'translate "{word}" ' in text for text in sources)} == set()


@pytest.mark.parametrize(("slug", "language"), EACH)
def test_every_article_is_spelled_as_its_language_is(slug, language):
    words = ARTICLES[slug].words[language]
    prose = re.sub(r"`[^`]*`|\{[^{}]*\}|^    .*$|\]\([a-z-]+\)", "x", words.body, flags=re.MULTILINE)
    everything = f"{words.title}\n{words.summary}\n{prose}"

    assert "!" not in everything
    assert not re.search(r"\bplease\b|s’il vous plaît|\bvänligen\b", everything, re.IGNORECASE)
    if language == "fr":
        assert is_spaced_as_french(everything)


def test_the_contents_hold_every_article_once_and_every_group():
    found = [article.slug for _label, articles in contents() for article in articles]

    assert sorted(found) == sorted(ARTICLES)
    assert [label for label, _articles in contents()] == list(GROUPS.values())


def test_an_article_says_which_roles_may_do_what_it_tells():
    assert ARTICLES["roles"].roles == [Member.Role.ADMINISTRATOR.label]
    assert ARTICLES["allocate-credit"].roles == ["Administrator", "Credit manager"]
    assert ARTICLES["my-page"].roles == []


# Search


@pytest.mark.parametrize(
    ("language", "asked", "found"),
    [
        ("en", "ALLOCATE", "allocate-credit"),
        ("en", "forgotten password", "password"),
        ("fr", "crédit attribuer", "allocate-credit"),
        ("fr", "CREDIT ATTRIBUER", "allocate-credit"),
        ("fr", "mot de passe oublie", "password"),
        ("sv", "återställningskoder", "second-factor"),
        ("sv", "aterstallningskoder", "second-factor"),
    ],
)
def test_words_are_found_without_regard_to_case_and_accents_in_the_language_of_the_reader(language, asked, found):
    with translation.override(language):
        assert search_articles(asked)[0].slug == found


def test_the_words_of_buttons_are_found_as_they_stand_on_the_page():
    with translation.override("fr"):
        assert "block-member" in [article.slug for article in search_articles("bloquer la connexion")]
        assert "block-member" not in [article.slug for article in search_articles("block sign-in")]


def test_every_word_of_a_search_counts():
    both = [article.slug for article in search_articles("statement balance")]

    assert both
    assert set(both) < {article.slug for article in search_articles("balance")}
    assert search_articles("statement xyzzy") == []
    assert search_articles("") == []


# How articles are written


def write(folder: Path, language: str, slug: str, header: str, body: str) -> None:
    (folder / language).mkdir(exist_ok=True)
    (folder / language / f"{slug}.md").write_text(f"{header}\n---\n{body}\n")


PLACE = "group: start\norder: 10"


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.HELP_FOLDER = tmp_path
    return tmp_path


def test_an_article_that_nobody_has_translated_is_shown_in_english(folder):
    write(folder, "en", "one", f"title: One\nsummary: First.\n{PLACE}", "Choose {Add credit}.")

    with translation.override("sv"):
        article = all_articles()["one"]
        shown = render_article(article)

    assert (article.own.language, article.title) == ("en", "One")
    assert shown == '<p>Choose <b class="ui-name" lang="sv">Lägg till kredit</b>.</p>'


def test_what_is_written_is_text_and_never_markup(folder):
    write(folder, "en", "one", f"title: One\nsummary: First.\n{PLACE}", "<script>x</script> & `<b>` [<i>](one) {<u>}")

    shown = render_article(all_articles()["one"])

    assert not re.search(r"<(script|i|u)\b", shown)
    assert shown.count("<b") == 1
    assert "&lt;script&gt;x&lt;/script&gt; &amp;" in shown


@pytest.mark.parametrize(
    "body", ["A {word", "A [word](", "**Bold**", "1. One\nand two", "A ` tick", "See [it](nowhere)."]
)
def test_what_is_no_markup_of_ours_is_refused(folder, body):
    write(folder, "en", "one", f"title: One\nsummary: First.\n{PLACE}", body)

    with pytest.raises(ArticleProblem):
        render_article(all_articles()["one"])


@pytest.mark.parametrize(
    "header",
    ["title: One", f"title: One\nsummary: First.\n{PLACE}\ncolor: red", "title: One\nsummary: First.\ngroup: x"],
)
def test_a_header_that_says_too_little_or_too_much_is_refused(folder, header):
    write(folder, "en", "one", header, "Text.")

    with pytest.raises((ArticleProblem, KeyError)):
        all_articles()


def test_every_kind_of_block_has_its_markup():
    body = "Text\nin lines.\n\n## Heading\n\n1. One\n2. Two\n\n- Point\n\n> Careful.\n\n    a,b\n    1,2"

    shown = render_text(body, find=lambda slug: (slug, slug), language="en")

    assert (
        "<p>Text in lines.</p>\n<h2>Heading</h2>\n<ol><li>One</li><li>Two</li></ol>\n<ul><li>Point</li></ul>" in shown
    )
    assert "banner-warning" in shown
    assert '<pre class="code" tabindex="0">a,b\n1,2</pre>' in shown
    assert shape_of(body) == [("p", 1), ("h2", 1), ("ol", 2), ("ul", 1), ("warning", 1), ("pre", 2)]
