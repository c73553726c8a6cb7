"""How a help article is written: a header, three hyphens, and text in a small part of Markdown.

A paragraph, ``## `` a heading, ``1. `` steps, ``- `` a list, ``> `` what can't be undone, four spaces lines of a file.
In a line ``{Add credit}`` is a word of the product as it stands on its pages, in the language of the reader
(``{order|Paid}`` with the context of its translation), ``[words](slug)`` leads to another article (``[](slug)`` by its
title), and backticks hold what is typed. Anything else is text.
"""

import re
from collections.abc import Callable, Iterator

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, pgettext

from skypemgr.templatetags.look import icon

# What leads to an article: its address and its title.
type Find = Callable[[str], tuple[str, str]]

_INLINE = re.compile(r"\{([^{}]+)\}|\[([^\[\]]*)\]\(([a-z0-9-]+)\)|`([^`]+)`")
_MARKS = re.compile(r"[{}\[\]`]|\*\*")
_KINDS = {"ol": re.compile(r"\d+\. "), "ul": re.compile(r"- "), "pre": re.compile(r" {4}")}


class ArticleProblem(ValueError):
    """An article that isn't written as articles are."""


def read_header(source: str) -> tuple[dict[str, str], str]:
    """What stands above the three hyphens, by name, and the text below them. Raises ArticleProblem."""
    header, hyphens, body = source.partition("\n---\n")
    facts = dict(line.partition(": ")[::2] for line in header.splitlines())
    if not hyphens or not body.strip() or not all(facts.values()):
        raise ArticleProblem("An article has a header of lines such as “title: …”, then ---, then its text.")
    return facts, body.strip()


def words_of_product(body: str) -> list[tuple[str, str]]:
    """Every word of the product that a text names: the context of its translation, or "", and the word."""
    return [_named(match[1]) for match in _INLINE.finditer(body) if match[1]]


def articles_named(body: str) -> list[str]:
    """The slugs of the articles that a text leads to."""
    return [match[3] for match in _INLINE.finditer(body) if match[3]]


def shape_of(body: str) -> list[tuple[str, int]]:
    """What a text is made of, block by block, with the number of lines where they count."""
    blocks = [(kind, lines) for kind, lines in _blocks(body)]
    return [(kind, len(lines) if kind in _KINDS else 1) for kind, lines in blocks]


def render_text(body: str, *, find: Find, language: str) -> SafeString:
    """A text in ``language`` as HTML for whoever reads in the present one. Raises ArticleProblem."""
    return mark_safe("\n".join(_render(kind, lines, find, language) for kind, lines in _blocks(body)))  # noqa: S308 (each is escaped below)


def _blocks(body: str) -> Iterator[tuple[str, list[str]]]:
    for block in re.split(r"\n\s*\n", body.strip("\n")):
        lines = block.split("\n")
        for kind, mark in _KINDS.items():
            if mark.match(lines[0]):
                if not all(mark.match(line) for line in lines):
                    raise ArticleProblem(f"A list or a file has a line that is something else: {block!r}")
                yield kind, [mark.sub("", line, count=1) for line in lines]
                break
        else:
            if lines[0].startswith("## "):
                yield "h2", [block.removeprefix("## ")]
            elif lines[0].startswith("> "):
                yield "warning", [" ".join(line.removeprefix("> ") for line in lines)]
            else:
                yield "p", [" ".join(lines)]


def _render(kind: str, lines: list[str], find: Find, language: str) -> SafeString:
    if kind == "pre":
        return format_html('<pre class="code" tabindex="0">{}</pre>', "\n".join(lines))
    if kind == "warning":
        text = _inline(lines[0], find, language)
        return format_html('<div class="banner banner-warning">{}<p>{}</p></div>', icon("warning"), text)
    if kind in _KINDS:
        items = format_html_join("", "<li>{}</li>", ((_inline(line, find, language),) for line in lines))
        return format_html("<{0}>{1}</{0}>", kind, items)
    return format_html("<{0}>{1}</{0}>", kind, _inline(lines[0], find, language))


def _inline(line: str, find: Find, language: str) -> SafeString:
    made, place = [], 0
    for match in _INLINE.finditer(line):
        made += [_plain(line[place : match.start()]), _marked(match, find, language)]
        place = match.end()
    return mark_safe("".join([*made, _plain(line[place:])]))  # noqa: S308 (each is escaped)


def _plain(text: str) -> SafeString:
    if found := _MARKS.search(text):
        raise ArticleProblem(f"“{found[0]}” marks nothing in “{text}”.")
    return escape(text)


def _marked(match: re.Match[str], find: Find, language: str) -> SafeString:
    word, words, slug, typed = match.groups()
    if slug:
        address, title = find(slug)
        return format_html('<a href="{}">{}</a>', address, words or title)
    if typed:
        return format_html('<code class="code">{}</code>', typed)
    context, name = _named(word)
    shown = pgettext(context, name) if context else gettext(name)
    present = get_language() or language
    # An article that is shown in English names the pages of whoever reads it.
    attribute = format_html(' lang="{}"', present) if present != language else ""
    return format_html('<b class="ui-name"{}>{}</b>', attribute, shown)


def _named(word: str) -> tuple[str, str]:
    context, bar, name = word.rpartition("|")
    return (context, name) if bar else ("", word)
