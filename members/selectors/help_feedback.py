"""What people said of the help, for those who run the installation."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.translation import ngettext_lazy

from members.help_articles import all_articles
from members.models import HelpFeedback
from skypemgr.lists import Ordering, Page, count_up_to, keyset_chunks, keyset_page

NEWEST = Ordering("newest", ("-id",))


@dataclass(frozen=True)
class Usefulness:
    """How many said that an article was useful to them, and how many that it was not."""

    slug: str
    title: str
    yes: int
    no: int


def title_of(slug: str) -> str:
    """The title of an article; its slug when it is gone."""
    article = all_articles().get(slug)
    return article.title if article else slug


def list_usefulness() -> list[Usefulness]:
    """Every article of which somebody said something, those first that helped the fewest."""
    counted = (
        HelpFeedback.objects.order_by()
        .values_list("article")
        .annotate(yes=Count("pk", filter=Q(useful=True)), no=Count("pk", filter=Q(useful=False)))
    )
    rows = [Usefulness(slug, title_of(slug), yes, no) for slug, yes, no in counted]
    return sorted(rows, key=lambda row: (-row.no, -row.yes, row.slug))


def page_of_comments(query: QueryDict, *, article: str) -> Page[HelpFeedback]:
    """A page of comments, newest first; of one article if it is named."""
    comments = HelpFeedback.objects.exclude(comment="")
    if article:
        comments = comments.filter(article=article)
    total = count_up_to(comments)
    text = ngettext_lazy("{shown} of {total} comment, newest first", "{shown} of {total} comments, newest first")
    return keyset_page(comments, order=NEWEST, query=query, text=text % total.number, total=total)


def chunks_of_feedback(*, article: str) -> Iterator[list[HelpFeedback]]:
    """Everything that was said, newest first; of one article if it is named."""
    said = HelpFeedback.objects.all()
    return keyset_chunks(said.filter(article=article) if article else said, order=NEWEST)
