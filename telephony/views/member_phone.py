"""The phone of one member: their number, where they are found, what they had; changed in one step."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest
from members.member_frame import find_member, member_frame
from members.models import Member
from skypemgr.forms import form_errors
from telephony.decorators import voice_view
from telephony.emergency import civic_of, lines_of
from telephony.models import NumberAssignment
from telephony.phone_numbers import shown_number
from telephony.selectors.assignments import assignments_of_member, letter_about, open_assignments
from telephony.selectors.voice_users import voice_users
from telephony.services.assignments import change_number, move_to_address
from telephony.views.assign_page import assign_form, check_rows, is_search, places_form
from telephony.views.door import warn_of_areas
from telephony.views.voice_users import show_assign


@voice_view(Capability.MANAGE_VOICE)
@require_safe
def member_phone(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """What number a member has, where they are found, and what they had before."""
    member = find_member(request.organization, skype_name)
    [one] = voice_users(request.organization, [member])
    held = one.assignment
    context = {
        **member_frame(request, member, "phone"),
        "one": one,
        "held": held,
        "lines": lines_of(civic_of(held.emergency_address)) if held else [],
        "delivery": letter_about(request.organization, held) if held else None,
        "history": assignments_of_member(request.organization, member),
    }
    return render(request, "telephony/member_phone.html", context)


@voice_view(Capability.MANAGE_VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def member_number(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Give a member another number for the one they have."""
    member = find_member(request.organization, skype_name)
    held = _held(request, member)
    if held is None:
        return _without(request, member)
    form = assign_form(request, [member], has=held)
    if form.is_bound and form.is_valid():
        [pairing] = form.pairings()
        if check_rows(request.organization, form, [pairing], changing=True):
            with form_errors(form):
                given = change_number(
                    actor=request.actor,
                    organization=request.organization,
                    pairing=pairing,
                    key=form.cleaned_data["key"],
                    cooling_days=form.cleaned_data["cooling_days"],
                    notify=form.cleaned_data["notify"],
                )
                text = gettext("{name} has the number {number} now.")
                number = shown_number(given.number.number)
                messages.success(request, text.format(name=member.user.display_name, number=number))
                warn_of_areas(request, [(given.number.area, given.emergency_address)])
                return _to_phone(request, member)
    context = {
        "section": "members",
        "subsection": "list",
        "people": [member],
        "held": held,
        "title": gettext("Change the number"),
        "here_url": reverse("telephony:member_number", args=[request.organization.slug, member.user.skype_name]),
        "back_url": _phone_url(request, member),
        "trail": _trail(request, member),
    }
    return show_assign(request, form, context)


@voice_view(Capability.MANAGE_VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def member_where(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Have a member be found at another address or place."""
    member = find_member(request.organization, skype_name)
    held = _held(request, member)
    if held is None:
        return _without(request, member)
    form = places_form(request, held, held.emergency_address.country)
    if form.is_bound and form.is_valid():
        address = form.chosen_address
        if address is None:
            form.add_error("emergency_address", gettext("Choose an address."))
        form.check_place(address, form.chosen_place)
        if address is not None and not form.errors:
            with form_errors(form):
                move_to_address(
                    actor=request.actor,
                    organization=request.organization,
                    member=member,
                    address=address,
                    place=form.chosen_place,
                )
                text = gettext("{name} is found at {address} now.")
                messages.success(request, text.format(name=member.user.display_name, address=address.name))
                warn_of_areas(request, [(held.number.area, address)])
                return _to_phone(request, member)
    context = {
        "section": "members",
        "subsection": "list",
        "member": member,
        "held": held,
        "form": form,
        "back_url": _phone_url(request, member),
        "trail": _trail(request, member),
    }
    status = 422 if form.errors and not is_search(request) else 200
    return render(request, "telephony/member_where.html", context, status=status)


def _held(request: OrganizationRequest, member: Member) -> NumberAssignment | None:
    return next(iter(open_assignments(request.organization, [member])), None)


def _without(request: OrganizationRequest, member: Member) -> HttpResponse:
    messages.info(request, gettext("{name} has no number.").format(name=member.user.display_name))
    return _to_phone(request, member)


def _to_phone(request: OrganizationRequest, member: Member) -> HttpResponse:
    return redirect(_phone_url(request, member))


def _phone_url(request: OrganizationRequest, member: Member) -> str:
    return reverse("telephony:member_phone", args=[request.organization.slug, member.user.skype_name])


def _trail(request: OrganizationRequest, member: Member) -> list[tuple[str, str]]:
    return [
        (gettext("Members"), reverse("members:member_list", args=[request.organization.slug])),
        (member.user.display_name, _phone_url(request, member)),
    ]
