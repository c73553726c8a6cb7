"""What calls cost, for those who run the installation: decks, files that are looked at first, versions side by side."""

from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.decorators import SignedInRequest, operator_view
from skypemgr.clock import database_now
from skypemgr.csv_files import UnreadableFile
from skypemgr.lists import read_choice, read_number, read_text
from skypemgr.row_files import file_response
from skypemgr.templatetags.look import count
from telephony.forms.rates import AskForm, RateFileForm
from telephony.models import RateDeck, RateDeckVersion, RateUpload
from telephony.rating import AnsweredCall, Called, CallRating, Kind, rate_call
from telephony.selectors.rates import (
    AT_ONCE,
    DIFFERENCES,
    Difference,
    compare_versions,
    deck_for,
    list_decks,
    page_of_rates,
    uncovered_by,
    version_at,
)
from telephony.services.rate_uploads import drop_upload, load_upload, look_at_upload, upload_rates

HERE = {"operator_page": "rates"}
# So many wrong rows of a file are told.
MOST_TOLD = 100
MOST_VERSIONS = 100


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def rate_deck_list(request: SignedInRequest) -> HttpResponse:
    """Every deck; POST takes a file and goes on to what would come of it."""
    form = RateFileForm(*(request.POST, request.FILES) if request.method == "POST" else ())
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = upload_rates(
                actor=request.actor,
                file=file,
                file_name=file.name,
                owner=form.cleaned_data["organization"],
                decimals=form.cleaned_data["decimals"],
            )
        except UnreadableFile as problem:
            form.add_error("file", str(problem))
        else:
            return redirect("telephony_ops:rate_upload", upload.pk)
    context = {**HERE, "decks": list_decks(), "form": form}
    return render(request, "telephony/ops_rate_deck_list.html", context, status=422 if form.errors else 200)


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def rate_upload(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what would come of a file; POST loads it."""
    upload = get_object_or_404(RateUpload.objects.select_related("organization"), pk=pk)
    if request.method == "POST":
        loaded = load_upload(actor=request.actor, upload=upload)
        if not loaded.errors:
            rates = sum(deck.rates for deck in loaded.decks if deck.new)
            text = ngettext("{number} rate is loaded.", "{number} rates are loaded.", rates)
            messages.success(request, text.format(number=count(rates)))
            return redirect("telephony_ops:rate_deck_list")
    look = look_at_upload(actor=request.actor, upload=upload)
    context = {
        **HERE,
        "upload": upload,
        "decks": look.decks,
        "new": any(one.deck.new for one in look.decks),
        "errors": look.loaded.errors[:MOST_TOLD],
        "more": max(0, len(look.loaded.errors) - MOST_TOLD),
    }
    return render(request, "telephony/ops_rate_upload.html", context)


@operator_view
@require_POST
def rate_upload_drop(request: SignedInRequest, pk: int) -> HttpResponse:
    """Forget a file."""
    drop_upload(actor=request.actor, upload=get_object_or_404(RateUpload, pk=pk))
    return redirect("telephony_ops:rate_deck_list")


@operator_view
@require_safe
def rate_deck(request: SignedInRequest, pk: int) -> HttpResponse:
    """The rates of a version, what a call would cost, and which countries have no rate."""
    deck = get_object_or_404(RateDeck.objects.select_related("organization"), pk=pk)
    versions = list(deck.versions.select_related("loaded_by").order_by("-number")[:MOST_VERSIONS])
    wanted = read_number(request.GET, "version")
    version = next((one for one in versions if one.number == wanted), versions[0])
    form = AskForm(request.GET) if "number" in request.GET else AskForm()
    context = {
        **HERE,
        "deck": deck,
        "versions": versions,
        "version": version,
        "before": next((one for one in versions if one.number < version.number), None),
        "page": page_of_rates(version, request.GET),
        "search": read_text(request.GET),
        "uncovered": uncovered_by(version),
        "form": form,
        "rating": _ask(deck, form) if form.is_bound and form.is_valid() else None,
    }
    return render(request, "telephony/ops_rate_deck.html", context, status=422 if form.errors else 200)


def _ask(deck: RateDeck, form: AskForm) -> CallRating:
    """What a call costs by a deck alone."""
    day = form.cleaned_data["day"]
    moment = datetime.combine(day, time.min, UTC) if day else database_now()
    version = version_at(deck, moment)
    number = Called(Kind.NUMBER, form.cleaned_data["number"])
    call = AnsweredCall(called=number, answered_at=moment, seconds=form.cleaned_data["seconds"])
    return rate_call(call, [deck_for(version, number.digits)] if version else [])


@operator_view
@require_safe
def rate_comparison(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """What differs between two versions, of one deck or of two in one currency; also as a file."""
    new = get_object_or_404(_versions(), pk=pk)
    others = _versions().filter(deck__currency=new.deck.currency).exclude(pk=new.pk).order_by("-pk")[:MOST_VERSIONS]
    choices = list(others)
    wanted = read_number(request.GET, "with")
    before = next((one for one in choices if one.deck_id == new.deck_id and one.number < new.number), None)
    old = next((one for one in choices if one.pk == wanted), before)
    chosen = read_choice(request.GET, "kind", list(Difference))
    kind = Difference(chosen) if chosen else None
    if request.GET.get("file"):
        return _comparison_file(old, new, kind)
    after = request.GET.get("after", "")[:15]
    found = compare_versions(old, new, kind=kind, after=after, limit=AT_ONCE + 1)
    rows = list(found.rows[:AT_ONCE])
    kept = f"?with={old.pk if old else ''}&kind={kind or ''}"
    context = {
        **HERE,
        "new": new,
        "old": old,
        "choices": choices,
        "counts": [(one, DIFFERENCES[one], number, one == kind) for one, number in found.counts.items()],
        "total": found.total,
        "kind": kind or "",
        "rows": rows,
        "first_url": f"{request.path}{kept}" if after else "",
        "next_url": f"{request.path}{kept}&after={rows[-1].prefix}" if len(found.rows) > AT_ONCE else "",
        "export_url": f"{request.path}{kept}&file=csv",
        "deck_url": reverse("telephony_ops:rate_deck", args=[new.deck_id]),
    }
    return render(request, "telephony/ops_rate_comparison.html", context)


def _versions() -> Any:
    return RateDeckVersion.objects.select_related("deck__organization")


def _comparison_file(old: RateDeckVersion | None, new: RateDeckVersion, kind: Difference | None) -> HttpResponseBase:
    found = compare_versions(old, new, kind=kind, limit=None)
    header = [
        gettext("Prefix"),
        gettext("Destination"),
        gettext("What differs"),
        gettext("A minute before"),
        gettext("A minute now"),
        gettext("Connection before"),
        gettext("Connection now"),
    ]
    rows = (
        [one.prefix, one.destination, str(one.label), one.old_minute, one.new_minute, one.old_fee, one.new_fee]
        for one in found.rows
    )
    return file_response(f"rates-{new.deck.currency.lower()}-{new.number}", header, rows)
