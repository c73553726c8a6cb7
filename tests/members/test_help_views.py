"""The pages of /help/, and what people say of them."""

import csv
import io
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from members import throttle
from members.downloads import AccessEnded
from members.help_articles import all_articles
from members.models import HelpFeedback, User
from members.personal_hints import names_somebody
from members.throttle import Limit
from members.views.ops_help import HEADER
from tests.factories import HelpFeedbackFactory, MemberFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = "/help/allocate-credit/"


def say(client: Client, page: str = PAGE, **said: str):
    return client.post(page, {"useful": "yes", "comment": "", "key": str(uuid4()), **said})


# Reading


def test_the_help_is_open_to_everybody_and_holds_every_article(client):
    page = client.get("/help/")

    assert page.status_code == 200
    assert all(f'href="{article.url}"' in page.text for article in all_articles().values())


def test_a_page_comes_in_the_language_of_its_reader(client):
    client.cookies["language"] = "fr"

    page = client.get(PAGE).text

    assert "<h1>Attribuer du crédit aux membres</h1>" in page
    assert '<b class="ui-name">Attribuer du crédit</b>' in page
    assert "n’est pas encore" not in page


def test_a_page_that_is_missing_in_a_language_comes_in_english_and_says_it_is_sorry(client, tmp_path: Path, settings):
    settings.HELP_FOLDER = tmp_path
    for language, place in {"en": "group: start\norder: 1\n", "sv": ""}.items():
        (tmp_path / language).mkdir()
        header = f"title: One in {language}\nsummary: First.\n{place}"
        (tmp_path / language / "one.md").write_text(f"{header}---\nX.\n")

    english, french, swedish = (
        client.get("/help/one/", headers={"Accept-Language": language}).text for language in ("en", "fr", "sv")
    )

    assert '<article class="help-text" lang="en">' in french
    assert '<div class="banner" role="note">' in french
    assert "One in en" in french
    assert "One in sv" in swedish
    assert not any('class="banner" role="note"' in page for page in (english, swedish))
    assert not any('<article class="help-text" lang' in page for page in (english, swedish))


def test_a_search_finds_pages_and_says_how_many(client):
    page = client.get("/help/", {"q": "forgotten PASSWORD"}).text

    assert 'href="/help/password/"' in page
    assert 'href="/help/departments/"' not in page
    assert "is about that" in page or "are about that" in page


def test_a_search_that_finds_nothing_says_what_to_do_next(client):
    page = client.get("/help/", {"q": "<xyzzy>"}).text

    assert "No page is about that" in page
    assert 'value="&lt;xyzzy&gt;"' in page
    assert "<xyzzy>" not in page


def test_what_is_found_while_typing_is_a_part_of_the_page(client):
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}

    part = client.get("/help/", {"q": "passkey"}, headers=headers).text

    assert part.strip().startswith('<div class="stack" id="results">')
    assert "<html" not in part
    assert 'href="/help/second-factor/"' in part


def test_a_page_that_there_is_not_is_not_found(client):
    assert client.get("/help/nothing/").status_code == 404
    assert say(client, "/help/nothing/").status_code == 404


# From where the job is done


def test_each_page_of_the_console_leads_to_its_help(client):
    boss = MemberFactory(admin=True)
    client.force_login(boss.user)

    page = client.get(reverse("credit:alerts", args=[boss.organization.slug])).text

    assert 'href="/help/alerts/"' in re.search(r'<nav class="page-help".*?</nav>', page, re.DOTALL)[0]
    assert re.search(r'<a class="topbar-button topbar-help" href="/help/alerts/"', page)


@pytest.mark.parametrize(("path", "article"), [("/accounts/sign-in/", "sign-in"), ("/accounts/reset/", "password")])
def test_front_pages_lead_to_their_help(client, path, article):
    UserFactory()

    page = client.get(path).text

    assert f'<a href="/help/{article}/">Help</a>' in page


def test_one_s_own_page_leads_to_its_help(client):
    client.force_login(MemberFactory().user)

    assert 'href="/help/my-page/"' in client.get("/me/").text


def test_a_page_that_is_not_found_leads_to_all_of_the_help(client):
    assert 'href="/help/"' in client.get("/nothing/here/").text


# A line of those who run the installation


def test_a_notice_stands_on_every_page_in_the_language_of_its_reader(client, settings):
    settings.HELP_NOTICE = {"en": "Ask <us>.", "fr": "Demandez-nous.", "sv": ""}
    settings.HELP_NOTICE_URL = "https://forum.example/"

    for path in ("/help/", PAGE):
        english, french, swedish = (
            client.get(path, headers={"Accept-Language": language}).text for language in ("en", "fr", "sv")
        )
        assert '<span lang="en">Ask &lt;us&gt;.</span> <a href="https://forum.example/">' in english
        assert '<span lang="fr">Demandez-nous.</span>' in french
        assert '<span lang="en">Ask &lt;us&gt;.</span>' in swedish


def test_without_a_notice_there_is_none(client):
    assert "banner-plain" not in client.get("/help/").text


# Whether it was useful


def test_what_somebody_says_is_kept_and_nothing_of_who_says_it(client):
    client.force_login(MemberFactory(user__language="sv").user)

    response = say(client, useful="no", comment="  Was ist\r\n\r\nein\u202e Member\x07?  ")

    kept = HelpFeedback.objects.get()
    assert (response.status_code, response.url) == (302, PAGE)
    assert (kept.article, kept.language, kept.useful) == ("allocate-credit", "sv", False)
    assert kept.comment == "Was ist\n\nein Member ?"
    fields = {field.name for field in HelpFeedback._meta.get_fields()}
    assert fields == {"id", "article", "language", "useful", "comment", "key", "created_at"}


def test_the_warning_and_who_reads_it_stand_beside_the_field(client):
    page = client.get(PAGE).text

    assert page.index("Don’t type personal data below") < page.index('name="comment"')
    assert "The people who run this installation read it." in page


def test_the_same_form_sent_again_counts_once(client):
    key = str(uuid4())

    answers = [say(client, key=key, comment="Good."), say(client, key=key, comment="Good.")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert HelpFeedback.objects.count() == 1


def test_the_same_form_sent_again_with_other_values_changes_nothing(client):
    key = str(uuid4())
    say(client, key=key, comment="Good.")

    response = say(client, key=key, comment="Bad.")

    assert response.status_code == 422
    assert HelpFeedback.objects.get().comment == "Good."


@pytest.mark.parametrize(
    "comment",
    [
        "Write to nadia@architectes.example",
        "nadia＠architectes.example",
        "Call +33 4 65 71 12 40",
        "0465711240",
        "04.65.71.12.40",
        "my card 4111-1111-1111-1111",
        "٠٤٦٥٧١١٢",
    ],
)
def test_a_comment_that_names_somebody_is_refused_beside_its_field_and_not_kept(client, comment):
    response = say(client, comment=comment)

    assert response.status_code == 422
    assert not HelpFeedback.objects.exists()
    form = response.context["form"]
    assert next(iter(form.errors["comment"])).startswith("This looks like an e-mail address")
    assert escape(comment) in response.text


@pytest.mark.parametrize(
    "comment", ["Step 3 of 5", "On 2026-11-22 it was €1 284,50.", "At 12:50 @ work", "100,000 rows"]
)
def test_other_numbers_and_signs_are_no_names(comment):
    assert not names_somebody(comment)


@pytest.mark.parametrize("said", [{"useful": ""}, {"useful": "perhaps"}, {"comment": "x" * 1001}, {"key": "x"}])
def test_what_is_no_answer_is_refused(client, said):
    assert say(client, **said).status_code == 422
    assert not HelpFeedback.objects.exists()


def test_a_long_comment_with_lines_is_counted_as_it_is_kept(client):
    assert say(client, comment="\r\n".join(["x" * 99] * 10)).status_code == 302
    assert len(HelpFeedback.objects.get().comment) == 999


def test_a_place_that_says_too_much_has_to_wait(client, monkeypatch):
    monkeypatch.setattr("members.services.help_feedback.HELP_FEEDBACK_PLACE", Limit("help_feedback", 2, 60))

    answers = [say(client) for _number in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert answers[2].headers["Retry-After"] == "3600"
    assert HelpFeedback.objects.count() == 2
    assert throttle.HELP_FEEDBACK_PLACE.most == 60


def test_a_form_without_its_token_is_refused():
    assert say(Client(enforce_csrf_checks=True)).status_code == 403


@pytest.mark.parametrize("said", [{"article": "Two words"}, {"language": "xx"}, {"comment": "x" * 1001}])
def test_the_database_keeps_nothing_else(said):
    with pytest.raises(IntegrityError), transaction.atomic():
        HelpFeedbackFactory(**said)


# Those who run the installation


def test_operators_see_how_useful_each_page_was_and_the_comments(client, operator):
    HelpFeedbackFactory.create_batch(2)
    HelpFeedbackFactory(article="csv-file", useful=False, comment="Which <b>columns</b>?")
    HelpFeedbackFactory(article="gone", comment="An old page.")

    page = client.get("/ops/help-feedback/")
    one = client.get("/ops/help-feedback/?article=csv-file")

    assert [(row.slug, row.yes, row.no) for row in page.context["rows"]] == [
        ("csv-file", 0, 1),
        ("allocate-credit", 2, 0),
        ("gone", 1, 0),
    ]
    assert "Which &lt;b&gt;columns&lt;/b&gt;?" in page.text
    assert [comment.comment for _title, comment in page.context["comments"]] == [
        "An old page.",
        "Which <b>columns</b>?",
    ]
    assert [comment.comment for _title, comment in one.context["comments"]] == ["Which <b>columns</b>?"]


def test_comments_are_shown_a_page_at_a_time(client, operator):
    for number in range(60):
        HelpFeedbackFactory(comment=f"Comment {number}.")

    first = client.get("/ops/help-feedback/")
    second = client.get(f"/ops/help-feedback/{first.context['page'].next_url}")

    assert [comment.comment for _title, comment in first.context["comments"]][:1] == ["Comment 59."]
    assert len(first.context["comments"]) == 50
    assert [comment.comment for _title, comment in second.context["comments"]][-1] == "Comment 0."


def test_operators_take_everything_home_as_a_file(client, operator):
    HelpFeedbackFactory(article="csv-file", useful=False, comment="=1+1")
    HelpFeedbackFactory()

    file = client.get("/ops/help-feedback/export.csv").getvalue().decode("utf-8-sig")
    one = client.get("/ops/help-feedback/export.csv?article=csv-file").getvalue().decode("utf-8-sig")

    header, newest, oldest = list(csv.reader(io.StringIO(file)))
    assert header == HEADER
    assert newest[:4] == ["allocate-credit", "en", "yes", ""]
    assert oldest[:4] == ["csv-file", "en", "no", "'=1+1"]
    assert len(list(csv.reader(io.StringIO(one)))) == 2


def test_a_file_breaks_off_when_its_reader_runs_the_installation_no_longer(client, operator):
    HelpFeedback.objects.bulk_create(HelpFeedbackFactory.build_batch(1_100, comment="x" * 200))
    pieces = iter(client.get("/ops/help-feedback/export.csv"))
    next(pieces)
    User.objects.filter(pk=operator.pk).update(is_operator=False)

    with pytest.raises(AccessEnded):
        list(pieces)


def test_nobody_else_sees_what_people_said(client):
    HelpFeedbackFactory(comment="Nobody's business.")
    client.force_login(MemberFactory(admin=True).user)

    assert client.get("/ops/help-feedback/").status_code == 404
    assert client.get("/ops/help-feedback/export.csv").status_code == 404
