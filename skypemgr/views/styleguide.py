"""Every component of the look on one page, through the partials and forms the product uses (local mode only)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from skypemgr.forms import AffixInput, Explained


class SampleForm(forms.Form):
    """One field of each kind."""

    company = forms.CharField(label="Company name", help_text="As on your invoices.")
    department = forms.ChoiceField(label="Department", choices=[("", "Studio Lyon")], required=False)
    amount = forms.DecimalField(
        label="Amount",
        min_value=1,
        error_messages={"min_value": "Enter an amount of at least €1.00"},
        widget=AffixInput(before="€", input_class="input-money", attrs={"class": "width-14"}),
    )
    limit = forms.DecimalField(
        label="Monthly limit",
        widget=AffixInput(before="€", after="per month", input_class="input-money", attrs={"class": "width-20"}),
    )
    skype_name = forms.CharField(
        label="Skype Name", widget=forms.TextInput(attrs={"class": "skype-name", "readonly": True})
    )


class SampleChoicesForm(forms.Form):
    """One choice of each kind."""

    addresses = forms.CharField(
        label="E-mail addresses",
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "One per line, or separated by commas"}),
    )
    letter = forms.BooleanField(label="Send a letter", help_text="In the language of the member.", required=False)
    plan = forms.BooleanField(label="Not available on this plan", disabled=True, required=False)
    alert = forms.BooleanField(
        label="Low-wallet alert",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "switch", "role": "switch"}),
    )
    kind = forms.ChoiceField(
        label="What to add",
        widget=forms.RadioSelect,
        choices=[
            ("business", Explained("Business accounts", "Yours, also when the person leaves")),
            ("personal", Explained("Personal accounts", "Theirs; they may leave any time")),
        ],
    )
    studios = forms.MultipleChoiceField(
        label="Studios", widget=forms.CheckboxSelectMultiple, choices=[("lyon", "Lyon"), ("paris", "Paris")]
    )
    directory = forms.FileField(label="Choose a CSV file")


@dataclass(frozen=True)
class SamplePerson:
    """What the partials ask of a member and of their user."""

    pk: int
    display_name: str
    skype_name: str
    kind: str = "success"
    state: str = "Active"
    balance: str = ""

    @property
    def user(self) -> "SamplePerson":
        return self


PEOPLE = [
    SamplePerson(2, "Agnès Lindqvist", "agnes.lindqvist", balance="€42.75"),
    SamplePerson(3, "Björn Åkesson", "bjorn.akesson", balance="€18.40"),
    SamplePerson(5, "Camille Rousseau", "camille.rousseau", "waiting", "Invited", "€6.85"),
    SamplePerson(6, "Émile Fontaine", "emile.fontaine", "danger", "Blocked", "−€0.40"),
]


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    if not settings.LOCAL:
        raise Http404
    here = reverse("styleguide")
    # Its texts are for developers and stay English.
    with translation.override("en"):
        return render(request, "styleguide.html", {**_samples(here), "navigation": _navigation(here)})


def _samples(here: str) -> dict[str, Any]:
    values = {"company": "Architectes", "limit": "60.00", "skype_name": "theo.lacombe", "amount": "0.50"}
    now = timezone.now()
    return {
        "section": "settings",
        "subsection": "",
        "colors": _names("css/page-work.css", r"\.swatch-([\w-]+)"),
        "icons": _names("img/icons.svg", r'symbol id="([\w-]+)"'),
        "form": SampleForm(values, auto_id="sample_%s"),
        "choices": SampleChoicesForm(initial={"letter": True, "alert": True, "kind": "business"}),
        "people": PEOPLE,
        "trail": [("Overview", here)],
        "page": {"text": "4 of 48 members, by name", "previous_url": "", "next_url": here},
        "steps": [("Addresses", here), ("Review", ""), ("Done", "")],
        "next_steps": [
            {"label": "Add members", "note": "48 people", "done": True},
            {
                "label": "Buy credit",
                "note": "The wallet is empty",
                "is_next": True,
                "url": here,
                "action_label": "Buy",
            },
            {"label": "Allocate credit", "note": "After buying some", "url": here, "action_label": "Start"},
        ],
        "banners": [
            ("", "2 columns were ignored."),
            ("success", "We corrected the city: Redmnd became Redmond."),
            ("warning", "Credit can’t be taken back once it is added."),
            ("danger", "The card was refused. Nothing was charged."),
            ("plain", "The next recharge is possible on 1 December."),
        ],
        "now": now,
        "long_ago": now - timedelta(days=600),
        "number": 12_840,
    }


def _names(file: str, pattern: str) -> list[str]:
    path = finders.find(file)
    assert path is not None, file
    return re.findall(pattern, Path(path).read_text())


def _navigation(here: str) -> list[dict[str, Any]]:
    labels = ("overview", "members", "credit", "voice", "licenses", "reports", "audit", "settings")
    return [
        {
            "key": key,
            "label": key.capitalize(),
            "icon": key,
            "url": here,
            "count": 48 if key == "members" else None,
            "children": [],
        }
        for key in labels
    ]
