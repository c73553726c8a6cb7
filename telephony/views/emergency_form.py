"""The form of an emergency address: validated first, and saved when it is exactly what was validated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from members.access import Capability
from members.decorators import OrganizationRequest
from members.places import country_name
from skypemgr.forms import form_errors
from telephony.emergency import civic_of, lines_of, may_be_overruled
from telephony.forms.emergency_addresses import AddressForm, initial_of
from telephony.gateways.address_validators import address_validator
from telephony.models import EmergencyAddress
from telephony.services.emergency_addresses import add_emergency_address, change_emergency_address
from telephony.validated import seal, unseal
from telephony.validation import FIELDS, Level, Result, tell_message
from telephony.views.door import address_view, find_address

# Where what was typed may be wanted, and not a correction.
KEPT = ("city", "street")


@dataclass(frozen=True)
class FieldResult:
    """What stands below a field: its state, and what there is to say, with what can be used instead."""

    state: str
    texts: list[str]
    suggestions: list[str]
    keepable: bool = False


@address_view
@require_http_methods(["GET", "HEAD", "POST"])
def address_add(request: OrganizationRequest) -> HttpResponse:
    """The form of a new address; sent, it is validated and shown again with what came of it."""
    if request.method == "POST":
        return _validate(request, None)
    initial = {"country": request.organization.country}
    return _show(request, None, AddressForm(initial=initial))


@address_view
@require_POST
def address_save(request: OrganizationRequest) -> HttpResponse:
    """Save exactly what was validated."""
    return _save(request, None)


@address_view
@require_http_methods(["GET", "HEAD", "POST"])
def address_change(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The same form for a new version of an address."""
    address = find_address(request, pk)
    if request.method == "POST":
        return _validate(request, address)
    assert address.current is not None
    initial = initial_of(address.name, civic_of(address), {"version": address.current.number})
    return _show(request, address, AddressForm(initial=initial, country=address.country))


@address_view
@require_POST
def address_change_save(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Save exactly what was validated as the next version."""
    return _save(request, find_address(request, pk))


def _validate(request: OrganizationRequest, address: EmergencyAddress | None) -> HttpResponse:
    form = AddressForm(request.POST, country=address.country if address else "")
    if not form.is_valid():
        return _show(request, address, form, status=422)
    keep = set()
    civic = form.civic
    if (name := request.POST.get("keep", "")) in KEPT:
        # What was typed before it was corrected comes back.
        with form_errors(form):
            before = unseal(request.organization, form.cleaned_data["token"], civic)
            civic = replace(civic, **{name: getattr(before.typed, name)})
            keep = {name}
    used, _colon, value = request.POST.get("use", "").partition(":")
    if used in KEPT:
        civic = replace(civic, **{used: value})
    result = address_validator().validate(civic, keep=keep)
    if not result.accepted:
        form.tell(result)
        return _show(request, address, form, result=result, status=422)
    more = {"version": form.cleaned_data["version"], "token": seal(request.organization, result)}
    shown = AddressForm(
        initial=initial_of(form.cleaned_data["name"], result.normalized, more),
        country=address.country if address else "",
    )
    return _show(request, address, shown, result=result)


def _save(request: OrganizationRequest, address: EmergencyAddress | None) -> HttpResponse:
    form = AddressForm(request.POST, country=address.country if address else "")
    if form.is_valid():
        with form_errors(form):
            saved = _saved(request, address, form, form.cleaned_data)
            messages.success(request, gettext("The emergency address {name} is saved.").format(name=saved.name))
            return redirect("emergency:address_detail", request.organization.slug, saved.pk)
    return _show(request, address, form, status=422)


def _saved(
    request: OrganizationRequest, address: EmergencyAddress | None, form: AddressForm, data: Mapping[str, Any]
) -> EmergencyAddress:
    result = unseal(request.organization, data["token"], form.civic)
    given = {"name": data["name"], "result": result, "reason": data["reason"]}
    if address is None:
        return add_emergency_address(actor=request.actor, organization=request.organization, **given)
    return change_emergency_address(
        actor=request.actor,
        organization=request.organization,
        address=address,
        version=data["version"] or 0,
        **given,
    )


def _show(
    request: OrganizationRequest,
    address: EmergencyAddress | None,
    form: AddressForm,
    *,
    result: Result | None = None,
    status: int = 200,
) -> HttpResponse:
    slug = request.organization.slug
    trail = [(gettext("Emergency addresses"), reverse("emergency:address_list", args=[slug]))]
    args = [slug, address.pk] if address else [slug]
    if address:
        trail.append((address.name, reverse("emergency:address_detail", args=args)))
    may_overrule = result is not None and may_be_overruled(result) and request.actor.can(Capability.MANAGE_ORGANIZATION)
    if may_overrule:
        assert result is not None
        form.data = {**request.POST.dict(), "token": seal(request.organization, result)}
    for name, told in _told(result).items():
        form.fields[name].told = told  # type: ignore[attr-defined]
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "address": address,
        "form": form,
        "result": result,
        "accepted": result is not None and result.accepted,
        "may_overrule": may_overrule,
        "changes": _changes(form, result),
        "lines": lines_of(result.normalized) if result and result.accepted else [],
        "country": country_name(result.normalized.country) if result else "",
        "validate_url": reverse("emergency:address_change" if address else "emergency:address_add", args=args),
        "save_url": reverse("emergency:address_change_save" if address else "emergency:address_save", args=args),
        "trail": trail,
        "changed_title": ngettext("We corrected %(count)s field", "We corrected %(count)s fields", _number(result))
        % {"count": _number(result)},
    }
    return render(request, "telephony/address_form.html", context, status=status)


def _number(result: Result | None) -> int:
    return len(result.changes) if result else 0


def _changes(form: AddressForm, result: Result | None) -> list[tuple[Any, str, str]]:
    return (
        [(form.fields[entry["field"]].label, entry["old"], entry["new"]) for entry in result.changes] if result else []
    )


def _told(result: Result | None) -> dict[str, FieldResult]:
    """What stands below each field that something is known of."""
    if result is None or not result.accepted:
        return {}
    changed = {entry["field"] for entry in result.changes}
    found = {}
    for name in FIELDS:
        about = [message for message in result.messages if message.field == name]
        if name not in result.fields:
            continue
        state = result.fields[name]
        if name in changed:
            state = "corrected"
        if any(message.level == Level.WARNING for message in about):
            state = "warning"
        suggestions = [text for message in about for text in message.suggestions] if name in KEPT else []
        keepable = name in changed and name in KEPT and bool(getattr(result.typed, name))
        found[name] = FieldResult(state, [tell_message(message) for message in about], suggestions, keepable)
    return found
