"""The numbers of an organization: their list and its file, the page of each, tags, and giving them back."""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest
from members.downloads import download
from skypemgr.clock import database_now
from skypemgr.forms import form_errors
from skypemgr.lists import Selection, change_query
from skypemgr.templatetags.look import count
from telephony.decorators import voice_view
from telephony.forms.numbers import ReleaseForm, TagForm
from telephony.models import PhoneNumber
from telephony.models.numbers import PhoneNumberQuerySet
from telephony.phone_numbers import shown_number
from telephony.quotas import quota_of
from telephony.selectors.acknowledgments import acknowledged, standings_of
from telephony.selectors.numbers import (
    COOLING_OFF,
    FILTER_KEYS,
    LAMPS,
    STATES,
    NumbersQuery,
    address_of,
    assignments_of,
    holding_of,
    ownerships_of,
    state_of,
    tags_by_number,
    troubles_of,
    with_holders,
)
from telephony.services.numbers import MOST_RELEASED, release_numbers, tag_numbers, untag_numbers

VOICE = Capability.MANAGE_VOICE
HERE = {"section": "voice", "subsection": "numbers"}
SHOWN = 5


@voice_view(VOICE)
@require_safe
def number_list(request: OrganizationRequest) -> HttpResponse:
    """The numbers of the organization, and how many it may have."""
    organization = request.organization
    asked = NumbersQuery.read(organization, request.GET)
    page = asked.page()
    now, tags = database_now(), tags_by_number(organization, page.rows)
    troubles = troubles_of(organization, page.rows)
    context = {
        **HERE,
        "asked": asked,
        "page": page,
        "rows": [
            (
                number,
                [_state(number, now), *troubles.get(number.pk, [])],
                holding_of(number),
                address_of(number),
                tags.get(number.pk, []),
            )
            for number in page.rows
        ],
        "quota": quota_of(organization),
        "cooling": PhoneNumber.objects.of(organization).cooling_off().count(),
        "export_url": reverse("telephony:number_export", args=[organization.slug]) + change_query(request.GET),
    }
    return render(request, "telephony/number_list.html", context)


def _state(number: PhoneNumber, now: Any) -> tuple[str, Any]:
    state = state_of(number, now)
    return LAMPS[state], STATES[state]


@voice_view(VOICE)
@require_safe
def number_export(request: OrganizationRequest) -> HttpResponseBase:
    header = [
        gettext("Number"),
        gettext("Country"),
        gettext("Region"),
        gettext("City"),
        gettext("Type"),
        gettext("State"),
        gettext("Assigned to"),
        gettext("Emergency address"),
        gettext("Has read about emergency calls"),
        gettext("Tags"),
        gettext("A month"),
        gettext("Currency"),
        pgettext("phone number", "Acquired"),
    ]
    asked = NumbersQuery.read(request.organization, request.GET)

    def rows(numbers: Sequence[PhoneNumber]) -> list[Sequence[Any]]:
        now, tags = database_now(), tags_by_number(request.organization, numbers)
        holders = [holding.member_id for number in numbers if (holding := holding_of(number))]
        read = acknowledged(request.organization, holders)
        return [
            _file_row(number, str(STATES[state_of(number, now)]), tags.get(number.pk, []), read) for number in numbers
        ]

    return download(request, VOICE, name="numbers", header=header, chunks=asked.chunks(), make=rows)


def _file_row(number: PhoneNumber, state: str, tags: Sequence[str], read: Collection[int]) -> Sequence[Any]:
    assert number.acquired_at is not None
    holding = holding_of(number)
    return [
        # A spreadsheet would take one with its plus for a sum.
        number.digits,
        number.area.country,
        number.area.region,
        number.area.city,
        number.area.get_type_display(),
        state,
        holding.member.user.display_name if holding else "",
        address.name if (address := address_of(number)) else "",
        (gettext("Yes") if holding.member_id in read else gettext("No")) if holding else "",
        ", ".join(tags),
        number.monthly_price,
        number.currency,
        timezone.localtime(number.acquired_at).isoformat(sep=" ", timespec="seconds"),
    ]


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def number_detail(request: OrganizationRequest, digits: str) -> HttpResponse:
    """A number: what it is, since when, and its tags; POST adds one."""
    number = _find(request, digits)
    form = TagForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form_errors(form):
            tag_numbers(
                actor=request.actor, organization=request.organization, numbers=[number], tag=form.cleaned_data["tag"]
            )
            return redirect("telephony:number_detail", request.organization.slug, digits)
    now = database_now()
    holding = holding_of(number)
    standings = standings_of(request.organization, [holding.member_id]) if holding else []
    context = {
        **HERE,
        "number": number,
        "lamps": [_state(number, now), *troubles_of(request.organization, [number]).get(number.pk, [])],
        "cools_until": number.assignable_from if state_of(number, now) == COOLING_OFF else None,
        "tags": tags_by_number(request.organization, [number]).get(number.pk, []),
        "form": form,
        "holding": holding,
        "standing": standings[0] if standings else None,
        "address": address_of(number),
        "holders": [
            (assignment, assignment.member.name_at(assignment.since))
            for assignment in assignments_of(request.organization, number)
        ],
        "ownerships": ownerships_of(request.organization, number),
    }
    return render(request, "telephony/number.html", context, status=422 if form.errors else 200)


@voice_view(VOICE)
@require_POST
def number_untag(request: OrganizationRequest, digits: str) -> HttpResponse:
    number = _find(request, digits)
    untag_numbers(
        actor=request.actor, organization=request.organization, numbers=[number], tag=request.POST.get("tag", "")
    )
    return redirect("telephony:number_detail", request.organization.slug, digits)


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def numbers_release(request: OrganizationRequest) -> HttpResponse:
    """Give numbers that were ticked, or all that match, back to the stock."""
    query = request.POST or request.GET
    numbers = chosen_numbers(request, query)
    number = numbers.count()
    list_url = reverse("telephony:number_list", args=[request.organization.slug])
    if not number or number > MOST_RELEASED:
        text = gettext("Tick the numbers first.")
        if number:
            text = gettext("At most {most} numbers are given back at once. Tick fewer.").format(
                most=count(MOST_RELEASED)
            )
        messages.info(request, text)
        return redirect(list_url)
    form = ReleaseForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and query.get("count") == str(number):
        with form_errors(form):
            released = release_numbers(
                actor=request.actor,
                organization=request.organization,
                numbers=list(numbers),
                reason=form.cleaned_data["reason"],
            )
            text = ngettext(
                "{number} number is back in the stock.", "{number} numbers are back in the stock.", released
            )
            messages.success(request, text.format(number=count(released)))
            return redirect(list_url)
    elif request.method == "POST":
        form.add_error(
            None, gettext("The list has changed in the meantime. Look at what will happen now, then confirm it again.")
        )
    context = {
        **HERE,
        "number": number,
        "names": [shown_number(one) for one in numbers.order_by("number").values_list("number", flat=True)[:SHOWN]],
        "others": max(0, number - SHOWN),
        "fields": Selection.read(query, name="number").fields(FILTER_KEYS),
        "form": form,
        "list_url": list_url,
    }
    return render(request, "telephony/numbers_release.html", context, status=422 if form.errors else 200)


def chosen_numbers(request: OrganizationRequest, query: Any) -> PhoneNumberQuerySet:
    """The numbers that were ticked on the list, or all that match its filters."""
    selection = Selection.read(query, name="number")
    asked = NumbersQuery.read(request.organization, query)
    found = selection.of(PhoneNumber.objects.of(request.organization), asked.matching())
    assert isinstance(found, PhoneNumberQuerySet)
    return found


def _find(request: OrganizationRequest, digits: str) -> PhoneNumber:
    """The number of an organization by its digits. Raises Http404."""
    numbers = with_holders(PhoneNumber.objects.of(request.organization)).select_related("organization")
    found = numbers.filter(number=f"+{digits}").first()
    if found is None:
        raise Http404
    return found
