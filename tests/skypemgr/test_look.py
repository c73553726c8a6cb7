import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django import forms
from django.http import Http404
from django.template import engines
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from pytest_django import Settings

from skypemgr.context import frame
from skypemgr.errors import DomainError
from skypemgr.forms import AffixInput, Explained, form_errors
from skypemgr.templatetags.look import avatar, clock, count, day, each_once, icon, initials, moment
from skypemgr.views.styleguide import styleguide

EVENING = datetime(2026, 11, 18, 23, 20, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False), timezone.override("UTC"):
        yield


def render(source: str, **context: object) -> str:
    return engines["django"].from_string(source).render(context, request=RequestFactory().get("/"))


@pytest.mark.parametrize(
    ("language", "this_year", "another"),
    [
        ("en", "21 November", "3 March 2025"),
        ("fr", "21 novembre", "3 mars 2025"),
        ("sv", "21 november", "3 mars 2025"),
    ],
)
def test_a_day_has_its_year_only_when_it_is_another(language: str, this_year: str, another: str) -> None:
    with translation.override(language):
        assert day(date(2026, 11, 21)) == this_year
        assert day(date(2025, 3, 3)) == another


@pytest.mark.parametrize(
    ("language", "text"), [("en", "18 Nov, 23:20"), ("fr", "18 nov., 23:20"), ("sv", "18 nov. 23:20")]
)
def test_a_moment_is_readable_by_people_and_machines(language: str, text: str) -> None:
    with translation.override(language):
        assert moment(EVENING) == f'<time datetime="2026-11-18T23:20:05+00:00">{text}</time>'


def test_instants_are_told_in_the_current_time_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Paris")):
        assert day(EVENING) == "19 November"
        assert clock(EVENING) == "00:20"
        assert "19 Nov, 00:20" in moment(EVENING)


def test_the_year_that_counts_is_the_one_of_the_current_time_zone() -> None:
    with time_machine.travel(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), tick=False):
        assert day(date(2027, 1, 1)) == "1 January 2027"
        with timezone.override(ZoneInfo("Europe/Paris")):
            assert day(date(2027, 1, 1)) == "1 January"


def test_a_moment_of_another_year_says_which() -> None:
    assert "18 Nov 2024, 23:20" in moment(EVENING.replace(year=2024))


def test_nothing_known_is_an_empty_cell() -> None:
    assert [day(None), moment(None), clock(None), count(None)] == ["", "", "", ""]


def test_midnight_and_zero_are_not_nothing() -> None:
    assert clock(time(0, 0)) == "00:00"
    assert count(0) == "0"


@pytest.mark.parametrize(("language", "text"), [("en", "12,840"), ("fr", "12\u202f840"), ("sv", "12\xa0840")])
def test_counts_are_grouped_as_the_language_does(language: str, text: str) -> None:
    with translation.override(language):
        assert count(12840) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Camille Rousseau", "CR"),
        ("Jean-Baptiste Moreau", "JM"),
        ("Yann Le Goff", "YG"),
        ("Ana de la Torre", "AT"),
        ("Émile", "ÉM"),
        ("theo.lacombe", "TH"),
        ("李小龍", "李小"),
        ("", ""),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_name(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_an_avatar_keeps_its_color_by_the_key_of_the_member() -> None:
    user = SimpleNamespace(pk=99, display_name="Björn Åkesson")
    member = SimpleNamespace(pk=7, user=user)

    assert avatar(member) == '<span class="avatar avatar-3" aria-hidden="true">BÅ</span>'
    assert avatar(member, "avatar-large", hue=1) == '<span class="avatar avatar-large" aria-hidden="true">BÅ</span>'


def test_an_avatar_escapes_what_people_are_called() -> None:
    assert "&lt;" in avatar("<b> <I")


def test_what_is_told_twice_is_shown_once() -> None:
    assert each_once(iter(["Saved.", "Sent.", "Saved."])) == ["Saved.", "Sent."]
    assert each_once(None) == []


def test_an_icon_is_drawn_from_the_sprite_and_silent() -> None:
    assert icon("plus", "icon-small") == (
        '<svg class="icon icon-small" aria-hidden=true><use href=/static/img/icons.svg#plus /></svg>'
    )


class SampleForm(forms.Form):
    company = forms.CharField(label="Company", help_text="As on your invoices.")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)
    country = forms.ChoiceField(label="Country", choices=[("FR", "France")])
    amount = forms.CharField(label="Amount", widget=AffixInput(before="€", attrs={"class": "width-14"}))
    kind = forms.ChoiceField(
        label="Kind",
        widget=forms.RadioSelect,
        choices=[("business", Explained("Business", "Yours")), ("other", "Other")],
    )
    letter = forms.BooleanField(label="Send a letter", help_text="Soon.", required=False)
    file = forms.FileField(label="File")
    key = forms.CharField(widget=forms.HiddenInput)


def test_a_field_has_its_label_its_hint_and_its_mark() -> None:
    form = SampleForm()

    company = form["company"].as_field_group()
    assert '<label for="id_company">Company</label>' in company
    assert '<p class="field-hint" id="id_company_helptext">As on your invoices.</p>' in company
    assert 'aria-describedby="id_company_helptext"' in company
    assert "(optional)" not in company
    assert "(optional)" in form["note"].as_field_group()


def test_a_refused_field_is_described_by_its_error() -> None:
    form = SampleForm({})

    company = form["company"].as_field_group()
    assert 'class="field field-invalid"' in company
    assert 'aria-invalid="true"' in company
    assert 'aria-describedby="id_company_helptext id_company_error"' in company
    assert re.search(
        r'<div id="id_company_error"><p class="field-error"><svg .*</svg>This field is required.</p></div>', company
    )


def test_a_group_of_choices_is_a_fieldset_described_by_its_error() -> None:
    kind = SampleForm({})["kind"].as_field_group()

    assert '<fieldset class="field field-invalid" aria-describedby="id_kind_error">' in kind
    assert "<legend>Kind</legend>" in kind


def test_a_choice_is_one_label_with_its_explanation() -> None:
    kind = SampleForm(initial={"kind": "business"})["kind"].as_field_group()

    assert (
        '<label class="choice" for="id_kind_0"><input type="radio" name="kind" class="radio" value="business"' in kind
    )
    assert '<span class="choice-title">Business</span><span class="choice-text">Yours</span>' in kind
    assert kind.count("checked") == 1
    assert kind.count("choice-text") == 1


def test_a_checkbox_stands_before_its_label() -> None:
    letter = SampleForm()["letter"].as_field_group()

    assert letter.index('type="checkbox"') < letter.index('<label for="id_letter">Send a letter</label>')
    assert 'class="checkbox"' in letter
    assert 'aria-describedby="id_letter_helptext"' in letter
    assert '<p class="field-hint" id="id_letter_helptext">Soon.</p>' in letter
    assert "(optional)" not in letter


@pytest.mark.parametrize("name", ["company", "note", "country"])
def test_each_control_has_the_class_of_the_look_once(name: str) -> None:
    control = str(SampleForm()[name])

    assert control.count("class=") == 1
    assert 'class="input"' in control


def test_a_class_of_the_form_is_added_to_that_of_the_look() -> None:
    form = SampleForm()
    form.fields["company"].widget.attrs["class"] = "skype-name"

    assert re.findall('class="[^"]*"', str(form["company"])) == ['class="input skype-name"']


def test_an_affix_shares_the_border_of_its_input() -> None:
    amount = str(SampleForm()["amount"])

    assert amount.startswith('<div class="affix width-14"><span class="affix-text">€</span><input type="text"')


def test_a_file_is_chosen_in_a_field_of_its_own() -> None:
    assert '<div class="drop">' in str(SampleForm()["file"])


def test_a_hidden_field_has_no_class() -> None:
    assert str(SampleForm()["key"]) == '<input type="hidden" name="key" id="id_key">'


def test_what_people_typed_is_escaped() -> None:
    form = SampleForm({"company": '"><script>'})

    assert 'value="&quot;&gt;&lt;script&gt;"' in str(form["company"])


def test_the_summary_links_each_error_to_its_field() -> None:
    form = SampleForm({"country": "FR"})
    form.add_error(None, "The company is taken.")

    page = render('{% include "components/error_summary.html" %}', form=form)

    assert 'role="alert" tabindex="-1" autofocus' in page
    assert "<li>The company is taken.</li>" in page
    assert '<a href="#id_company">Company: This field is required.</a>' in page
    assert '<a href="#id_kind_0">Kind: This field is required.</a>' in page
    assert "<li>This field is required.</li>" in page
    assert "#id_key" not in page


def test_the_styleguide_shows_every_component_and_every_icon(settings: Settings) -> None:
    page = Client().get("/styleguide/").text

    sprite = (settings.BASE_DIR / "static/img/icons.svg").read_text()
    assert set(re.findall(r'symbol id="([\w-]+)"', sprite)) <= set(re.findall(r'icons.svg#([\w-]+)[ "]', page))
    assert re.search(r'action="/theme/"><input type="hidden" name="csrfmiddlewaretoken" value="\w+"', page)


def test_the_styleguide_is_for_developers_alone(settings: Settings) -> None:
    settings.LOCAL = False

    with pytest.raises(Http404):
        styleguide(RequestFactory().get("/styleguide/"))


def test_there_is_no_summary_without_an_error() -> None:
    assert render('{% include "components/error_summary.html" %}', form=SampleForm()).strip() == ""


class NameTaken(DomainError):
    field = "company"


def take_the_name() -> None:
    raise NameTaken("This name is taken.")


def test_a_broken_rule_stands_at_its_field() -> None:
    form = SampleForm({"company": "Architectes"})

    with form_errors(form):
        take_the_name()

    assert form.errors["company"] == ["This name is taken."]


@pytest.mark.urls("tests.skypemgr.test_errors")
def test_a_page_outside_an_organization_has_a_frame_too() -> None:
    page = render(
        '{% extends "base.html" %}{% block title %}Help{% endblock %}{% block main %}<h1>Help</h1>{% endblock %}'
    )

    assert "<title>Help · Skype Manager</title>" in page
    assert "sidebar" not in page
    assert page.count('id="main"') == 1


@pytest.mark.urls("tests.skypemgr.test_errors")
def test_the_frame_marks_the_section_and_its_part() -> None:
    children = [{"key": "list", "label": "All members", "url": "/a/members/"}]
    navigation = [
        {"key": "overview", "label": "Overview", "icon": "overview", "url": "/a/", "children": []},
        {"key": "members", "label": "Members", "icon": "members", "url": "/a/members/", "children": children},
    ]

    page = render('{% extends "base.html" %}', navigation=navigation, section="members", subsection="list")

    assert '<a class="nav-link is-section" href="/a/members/">' in page
    assert '<a class="nav-link" href="/a/members/" aria-current="page"><span>All members</span></a>' in page
    assert '<a class="tabbar-link" href="/a/members/" aria-current="page">' in page
    assert '<a class="nav-link" href="/a/">' in page


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("neon", ""), ("", "")])
def test_only_a_known_theme_is_put_on(cookie: str, theme: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES["theme"] = cookie

    assert frame(request)["theme"] == theme
