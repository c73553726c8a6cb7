"""The people who can have a number: their list, its file and the list to print; numbers given and taken back."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.middleware import HtmxDetails

from members.access import Capability
from members.decorators import OrganizationRequest
from members.downloads import download
from members.models import Member, User
from skypemgr.forms import form_errors
from skypemgr.lists import PAGE_SIZE, Selection, change_query
from skypemgr.templatetags.look import count
from telephony.assigning import WHO_MAY
from telephony.assignment_errors import HasNumber, NoPhoneSystem, PersonalAccount, WrongState
from telephony.decorators import voice_view
from telephony.emergency import civic_of, line_of
from telephony.forms.assignments import AssignForm, TakeBackForm
from telephony.phone_numbers import shown_number
from telephony.selectors.assignments import open_assignments
from telephony.selectors.voice_users import VoiceUser, VoiceUsersQuery, unaccepted_countries, voice_users
from telephony.services.assignments import assign_numbers, unassign_numbers
from telephony.views.assign_page import assign_form, check_rows, is_search, missing_disclaimers
from telephony.views.door import warn_of_areas

VOICE = Capability.MANAGE_VOICE
HERE = {"section": "voice", "subsection": "users"}
# On a page of the form, and of the list to print.
MOST_AT_ONCE, MOST_PRINTED = PAGE_SIZE, 500


@voice_view(VOICE)
@require_safe
def voice_user_list(request: OrganizationRequest) -> HttpResponse:
    """Who can have a number, who has one, and what is missing."""
    asked = VoiceUsersQuery.read(request.organization, request.GET)
    page = asked.page()
    slug = request.organization.slug
    context = {
        **HERE,
        "asked": asked,
        "page": page,
        "rows": voice_users(request.organization, page.rows),
        "export_url": reverse("telephony:voice_user_export", args=[slug]) + change_query(request.GET),
        "print_url": reverse("telephony:voice_user_print", args=[slug]) + change_query(request.GET, state="", q=""),
    }
    return render(request, "telephony/voice_user_list.html", context)


@voice_view(VOICE)
@require_safe
def voice_user_print(request: OrganizationRequest) -> HttpResponse:
    """Who has which number, on paper: for those who are told in another way than by letter."""
    query = request.GET.copy()
    query["state"] = "assigned"
    asked = VoiceUsersQuery.read(request.organization, query)
    page = asked.page(size=MOST_PRINTED)
    context = {
        **HERE,
        "asked": asked,
        "page": page,
        "rows": voice_users(request.organization, page.rows, ()),
        "trail": _trail(request),
    }
    return render(request, "telephony/voice_user_print.html", context)


@voice_view(VOICE)
@require_safe
def voice_user_export(request: OrganizationRequest) -> HttpResponseBase:
    header = [
        gettext("Name"),
        gettext("Skype Name"),
        gettext("E-mail"),
        gettext("Department"),
        gettext("Licenses"),
        gettext("Number"),
        gettext("Since"),
        gettext("Emergency address"),
        gettext("Place"),
        gettext("What is missing"),
    ]
    asked = VoiceUsersQuery.read(request.organization, request.GET)
    countries = unaccepted_countries(request.organization)

    def rows(members: Sequence[Member]) -> list[Sequence[Any]]:
        return [_file_row(one) for one in voice_users(request.organization, members, countries)]

    return download(request, VOICE, name="voice-users", header=header, chunks=asked.chunks(), make=rows)


def _file_row(one: VoiceUser) -> Sequence[Any]:
    member, held = one.member, one.assignment
    return [
        member.user.display_name,
        member.user.skype_name,
        member.email,
        member.department.path if member.department else "",
        ", ".join(one.licenses),
        # A spreadsheet would take one with its plus for a sum.
        held.number.digits if held else "",
        timezone.localtime(held.since).isoformat(sep=" ", timespec="seconds") if held else "",
        f"{held.emergency_address.name}, {line_of(civic_of(held.emergency_address))}" if held else "",
        held.place.name if held and held.place else "",
        ", ".join(lack.text for lack in one.lacks),
    ]


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: OrganizationRequest) -> HttpResponse:
    """Give a number to each of those who were ticked."""
    ticked = _ticked(request)
    if not ticked or len(ticked) > MOST_AT_ONCE:
        return _tick_again(request, len(ticked))
    people, refused = _who_may(request, ticked)
    form = assign_form(request, people)
    # Whoever was refused since the form was shown: all of them, or nobody.
    if people and not refused and form.is_bound and form.is_valid():
        pairings = form.pairings()
        if check_rows(request.organization, form, pairings):
            with form_errors(form):
                given = assign_numbers(
                    actor=request.actor,
                    organization=request.organization,
                    pairings=pairings,
                    key=form.cleaned_data["key"],
                    notify=form.cleaned_data["notify"],
                )
                messages.success(request, _told(people, given, notified=form.cleaned_data["notify"]))
                warn_of_areas(request, ((one.number.area, one.emergency_address) for one in given))
                return redirect(_list_url(request))
    context = {
        **HERE,
        "people": people,
        "refused": refused,
        "title": gettext("Assign a number"),
        "here_url": reverse("telephony:assign", args=[request.organization.slug]),
        "back_url": _list_url(request),
        "trail": _trail(request),
    }
    return show_assign(request, form, context)


def show_assign(request: OrganizationRequest, form: AssignForm, context: dict[str, Any]) -> HttpResponse:
    """The page with the form, or the form alone when it was sent by htmx to search."""
    htmx = getattr(request, "htmx", None)
    part = isinstance(htmx, HtmxDetails) and bool(htmx) and is_search(request)
    template = "telephony/assign.html#assign" if part else "telephony/assign.html"
    context = {**context, "form": form, "waiting": missing_disclaimers(request.organization, form)}
    return render(request, template, context, status=422 if form.errors else 200)


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: OrganizationRequest) -> HttpResponse:
    """Take back the numbers of those who were ticked."""
    ticked = _ticked(request)
    if not ticked or len(ticked) > MOST_AT_ONCE:
        return _tick_again(request, len(ticked))
    held = open_assignments(request.organization, ticked)
    if not held:
        messages.info(request, gettext("None of them has a number."))
        return redirect(_list_url(request))
    form = TakeBackForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form_errors(form):
            numbers = unassign_numbers(
                actor=request.actor, organization=request.organization, members=ticked, **form.cleaned_data
            )
            text = ngettext("{number} number was taken back.", "{number} numbers were taken back.", len(numbers))
            messages.success(request, text.format(number=count(len(numbers))))
            return redirect(_list_url(request))
    context = {
        **HERE,
        "held": held,
        "ticked": ticked,
        "form": form,
        "back_url": _list_url(request),
        "trail": _trail(request),
    }
    return render(request, "telephony/take_back.html", context, status=422 if form.errors else 200)


def _ticked(request: OrganizationRequest) -> list[Member]:
    selection = Selection.read(request.POST or request.GET, name="member")
    own = Member.objects.of(request.organization).with_people().filter(pk__in=selection.ids)
    return list(own.order_by("sort_key", "pk")[: MOST_AT_ONCE + 1])


def _tick_again(request: OrganizationRequest, number: int) -> HttpResponse:
    text = gettext("Tick the people first.")
    if number:
        text = gettext("At most {most} people at once. Tick fewer, or assign from a file.").format(
            most=count(MOST_AT_ONCE)
        )
    messages.info(request, text)
    return redirect(_list_url(request))


def _who_may(request: OrganizationRequest, ticked: Sequence[Member]) -> tuple[list[Member], list[str]]:
    """Those who can be given a number, and why the others can't."""
    people, refused = [], []
    for one in voice_users(request.organization, ticked, ()):
        name = one.member.user.display_name
        if one.member.state not in WHO_MAY:
            refused.append(str(WrongState(name=name, state=one.member.get_state_display())))
        elif one.member.user.kind != User.Kind.BUSINESS:
            refused.append(str(PersonalAccount(name=name)))
        elif one.assignment is not None:
            refused.append(str(HasNumber(name=name, number=shown_number(one.assignment.number.number))))
        elif one.lacks:
            people.append(one.member)
        else:
            refused.append(str(NoPhoneSystem(name=name)))
    return people, refused


def _told(people: Sequence[Member], given: Sequence[Any], *, notified: bool) -> str:
    if len(given) == 1:
        text = gettext("{name} has the number {number} now.").format(
            name=people[0].user.display_name, number=shown_number(given[0].number.number)
        )
    else:
        text = gettext("{number} people have a number now.").format(number=count(len(given)))
    if not notified or len(given) > 1:
        return text
    on_its_way = gettext("The letter is on its way.")
    return f"{text} {on_its_way}"


def _list_url(request: OrganizationRequest) -> str:
    return reverse("telephony:voice_user_list", args=[request.organization.slug])


def _trail(request: OrganizationRequest) -> list[tuple[str, str]]:
    return [(gettext("Voice users"), _list_url(request))]
