"""The help: contents, search, one page for each job, and what people say of it. It is open to everybody."""

from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.middleware import HtmxDetails

from members.access import Actor
from members.decorators import client_address, public_view
from members.forms.help import YES, HelpFeedbackForm
from members.help_articles import Article, all_articles, contents, render_article, search_articles
from members.services.help_feedback import give_help_feedback
from members.views.answers import page_with_form
from skypemgr.forms import form_errors
from skypemgr.lists import read_text


@public_view
@require_safe
def help_contents(request: HttpRequest) -> HttpResponse:
    """Every article by its group, or those that a search finds."""
    search = read_text(request.GET)
    found = search_articles(search) if search else []
    htmx = HtmxDetails(request)
    fragment = bool(htmx) and htmx.request_type == "partial"
    context = {"search": search, "found": found, "groups": contents(), "fragment": fragment, "notice": notice()}
    return render(request, f"help/contents.html{'#results' if fragment else ''}", context)


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    """One article, and the question whether it was useful."""
    article = all_articles().get(slug)
    if article is None:
        raise Http404
    form = HelpFeedbackForm(request.POST if request.method == "POST" else None, initial={"key": uuid4()})
    if form.is_valid():
        with form_errors(form):
            give_help_feedback(
                actor=Actor.visitor(address=client_address(request)),
                article=article.slug,
                language=article.own.language,
                useful=form.cleaned_data["useful"] == YES,
                comment=form.cleaned_data["comment"],
                key=form.cleaned_data["key"],
            )
            messages.success(request, gettext("Thank you. What you said helps to make this page better."))
            return redirect("help_article", slug)
    return page_with_form(request, "help/article.html", _context_of(article, form), form)


def _context_of(article: Article, form: HelpFeedbackForm) -> dict[str, object]:
    articles = all_articles()
    return {
        "article": article,
        "text": render_article(article),
        "related": [articles[slug] for slug in article.related],
        "form": form,
        "notice": notice(),
    }


def notice() -> dict[str, str]:
    """What those who run the installation say on the pages of the help (000-22); {} for nothing."""
    language = get_language() or settings.LANGUAGE_CODE
    texts = {code: text for code, text in settings.HELP_NOTICE.items() if text}
    shown = language if language in texts else settings.LANGUAGE_CODE
    if shown not in texts:
        return {}
    return {"text": texts[shown], "language": shown, "url": settings.HELP_NOTICE_URL}
