"""The articles of /help/: one file each in ``help/<language>/``, read once, and found by page, group or words.

The English file also says where an article belongs; the others hold its words alone. An article that is missing in a
language is shown in English, with a note (002-10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from members.access import ROLES, Capability
from members.folding import fold
from members.help_texts import ArticleProblem, read_header, render_text
from members.models import Member

ENGLISH = settings.LANGUAGE_CODE
GROUPS: Mapping[str, Promise] = {
    "start": _("Start"),
    "members": _("Members"),
    "invitations": _("Personal accounts and invitations"),
    "departments": _("Departments"),
    "credit": _("Skype Credit"),
    "voice": _("Voice"),
    "me": _("Your own page"),
    "organization": _("Settings, audit log and privacy"),
    "operators": _("For those who run the installation"),
}
_WORDS = {"title", "summary", "keywords"}
_PLACE = {"group", "order", "pages", "related", "needs"}
# A word of the search counts for more in a title than in a text.
_WEIGHTS = (100, 10, 1)


@dataclass(frozen=True, kw_only=True)
class Words:
    """An article in one language."""

    language: str
    title: str
    summary: str
    body: str
    keywords: str = ""


@dataclass(frozen=True, kw_only=True)
class Article:
    """A job, and how it is done.

    ``pages`` are the names of the URLs that it helps with, ``related`` the slugs of others that help too. ``needs`` is
    the capability without which nobody can do it.
    """

    slug: str
    group: str
    order: int
    pages: tuple[str, ...]
    related: tuple[str, ...]
    needs: Capability | None
    words: Mapping[str, Words]

    @property
    def own(self) -> Words:
        """In the language of whoever reads, or in English where that is missing."""
        return self.words.get(get_language() or ENGLISH) or self.words[ENGLISH]

    @property
    def title(self) -> str:
        return self.own.title

    @property
    def summary(self) -> str:
        return self.own.summary

    @property
    def is_translated(self) -> bool:
        return (get_language() or ENGLISH) in self.words

    @property
    def url(self) -> str:
        return reverse("help_article", args=[self.slug])

    @property
    def roles(self) -> list[str]:
        """The roles that can do it; none when everybody can."""
        if self.needs is None:
            return []
        return [str(role.label) for role in Member.Role if self.needs in ROLES[role]]


def all_articles() -> dict[str, Article]:
    """Every article by its slug, in the order of the contents."""
    return _read(settings.HELP_FOLDER)


@cache
def _read(folder: Path) -> dict[str, Article]:
    articles = [_article(folder, path.stem) for path in (folder / ENGLISH).glob("*.md")]
    places = list(GROUPS)
    return {
        article.slug: article
        for article in sorted(articles, key=lambda one: (places.index(one.group), one.order, one.slug))
    }


def _article(folder: Path, slug: str) -> Article:
    paths = {code: folder / code / f"{slug}.md" for code, _name in settings.LANGUAGES}
    read = {code: read_header(path.read_text()) for code, path in paths.items() if path.exists()}
    for code, (facts, _body) in read.items():
        if unknown := set(facts) - _WORDS - (_PLACE if code == ENGLISH else set()):
            raise ArticleProblem(f"{paths[code]} has in its header what no article has: {', '.join(unknown)}")
    place = read[ENGLISH][0]
    if place["group"] not in GROUPS:
        raise ArticleProblem(f"{slug} is in a group that there is not: {place['group']}")
    return Article(
        slug=slug,
        group=place["group"],
        order=int(place["order"]),
        pages=tuple(place.get("pages", "").split()),
        related=tuple(place.get("related", "").split()),
        needs=Capability(place["needs"]) if "needs" in place else None,
        words={
            code: Words(
                language=code,
                title=facts["title"],
                summary=facts["summary"],
                keywords=facts.get("keywords", ""),
                body=body,
            )
            for code, (facts, body) in read.items()
        },
    )


def contents() -> list[tuple[Promise, list[Article]]]:
    """Every group that has articles, with them."""
    articles = all_articles().values()
    groups = [(label, [one for one in articles if one.group == key]) for key, label in GROUPS.items()]
    return [(label, found) for label, found in groups if found]


def articles_about(page: str) -> list[Article]:
    """The articles that help with the page of this URL name, in the order of the contents."""
    return _by_page(settings.HELP_FOLDER).get(page, [])


@cache
def _by_page(folder: Path) -> dict[str, list[Article]]:
    found: dict[str, list[Article]] = {}
    for article in _read(folder).values():
        for page in article.pages:
            found.setdefault(page, []).append(article)
    return found


def render_article(article: Article) -> SafeString:
    """The text of an article as HTML, in the language of whoever reads."""
    return _render(settings.HELP_FOLDER, article.slug, get_language() or ENGLISH)


@cache
def _render(folder: Path, slug: str, language: str) -> SafeString:
    articles = _read(folder)

    def find(other: str) -> tuple[str, str]:
        if other not in articles:
            raise ArticleProblem(f"{slug} leads to {other}, which there is not.")
        return articles[other].url, articles[other].title

    with override(language):
        words = articles[slug].own
        return render_text(words.body, find=find, language=words.language)


def search_articles(text: str) -> list[Article]:
    """The articles that hold every word of ``text``, without regard to case and accents; the best first."""
    wanted = fold(text).split()
    found = []
    for place, article in enumerate(all_articles().values()):
        scores = [_score(word, article) for word in wanted]
        if scores and all(scores):
            found.append((-sum(scores), place, article))
    return [article for _score, _place, article in sorted(found, key=lambda one: one[:2])]


def _score(word: str, article: Article) -> int:
    parts = _folded(settings.HELP_FOLDER, article.slug, get_language() or ENGLISH)
    return sum(weight for part, weight in zip(parts, _WEIGHTS, strict=True) if word in part)


@cache
def _folded(folder: Path, slug: str, language: str) -> tuple[str, str, str]:
    with override(language):
        article = _read(folder)[slug]
        words = article.own
        text = unescape(strip_tags(_render(folder, slug, language)))
    return fold(words.title), fold(f"{words.keywords} {words.summary}"), fold(text)
