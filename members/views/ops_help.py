"""What people said of the help, for those who run the installation."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members.decorators import SignedInRequest, operator_view
from members.downloads import download_of_installation
from members.help_articles import all_articles
from members.models import HelpFeedback
from members.selectors.help_feedback import chunks_of_feedback, list_usefulness, page_of_comments, title_of
from skypemgr.lists import read_choice

HEADER = ["article", "language", "useful", "comment", "said_at"]


@operator_view
@require_safe
def feedback_list(request: SignedInRequest) -> HttpResponseBase:
    """How useful each article was, and the comments, newest first."""
    article = read_choice(request.GET, "article", list(all_articles()))
    page = page_of_comments(request.GET, article=article)
    context = {
        "operator_page": "help_feedback",
        "rows": list_usefulness(),
        "page": page,
        "comments": [(title_of(row.article), row) for row in page.rows],
        "article": all_articles().get(article),
    }
    return render(request, "ops/help_feedback.html", context)


@operator_view
@require_safe
def feedback_export(request: SignedInRequest) -> HttpResponseBase:
    """Everything that was said, as a file."""
    article = read_choice(request.GET, "article", list(all_articles()))
    chunks = chunks_of_feedback(article=article)
    return download_of_installation(request, name="help-feedback", header=HEADER, chunks=chunks, make=_rows)


def _rows(chunk: Sequence[HelpFeedback]) -> Iterable[list[str]]:
    for row in chunk:
        useful = "yes" if row.useful else "no"
        yield [row.article, row.language, useful, row.comment, row.created_at.isoformat(timespec="seconds")]
