"""One product: its licenses, what they cost, and who has a seat of it."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.models import Member
from members.selectors.members import MembersQuery
from skypemgr.lists import change_query
from telephony.members_list import ASLEEP
from telephony.models import LicenseAssignment
from telephony.selectors.features import Feature, licenses_of, list_features, seats_by_member

VOICE = Capability.MANAGE_VOICE
# What a query may hold beside the product.
ASKED = ("q", "state", "sort", "cursor")


@organization_view(VOICE)
@require_safe
def product_page(request: OrganizationRequest, code: str) -> HttpResponse:
    """A product with its licenses, and everybody who has a seat of it, asleep ones by themselves."""
    organization = request.organization
    feature = _find(request, code)
    asked = _people(request, feature)
    tabs = asked.tabs()
    total = next(tab.total for tab in tabs if tab.current and tab.total is not None)
    page = asked.page(total)
    seats = seats_by_member(organization, feature.product, page.rows)
    licenses = licenses_of(feature, organization)
    here = reverse("telephony:product", args=[organization.slug, code])
    context = {
        "section": "features",
        "subsection": "features",
        "trail": [(gettext("Features"), reverse("telephony:features", args=[organization.slug]))],
        "feature": feature,
        "licenses": licenses,
        "asked": asked,
        "tabs": [tab for tab in tabs if tab.current or (tab.total and tab.total.number)],
        "kinds": _kinds(asked, here, licenses),
        "total": total,
        "page": page,
        "rows": [(member, seats[member.pk]) for member in page.rows if member.pk in seats],
        "here": here,
        "export_url": reverse("telephony:product_export", args=[organization.slug, code]) + change_query(asked.query),
    }
    return render(request, "telephony/product.html", context)


@organization_view(VOICE)
@require_safe
def product_export(request: OrganizationRequest, code: str) -> HttpResponseBase:
    """Everybody who has a seat of a product, as the page was narrowed."""
    feature = _find(request, code)
    asked = _people(request, feature)
    header = [
        gettext("Skype Name"),
        gettext("First name"),
        gettext("Last name"),
        gettext("E-mail"),
        gettext("Department"),
        gettext("License"),
        gettext("State"),
        pgettext("seat", "Assigned"),
        gettext("Paid until before"),
    ]

    def rows(members: Sequence[Member]) -> list[Sequence[Any]]:
        seats = seats_by_member(request.organization, feature.product, members)
        return [_file_row(feature, member, seats[member.pk]) for member in members if member.pk in seats]

    return download(
        request, VOICE, name=feature.product.code, header=header, chunks=asked.chunks(asked.matching()), make=rows
    )


def _file_row(feature: Feature, member: Member, seat: LicenseAssignment) -> Sequence[Any]:
    return [
        member.user.skype_name,
        member.user.first_name,
        member.user.last_name,
        member.email,
        member.department.path if member.department else "",
        feature.product.name,
        str(seat.license.state.label),
        timezone.localtime(seat.assigned_at).date(),
        seat.license.renews_on,
    ]


def _find(request: OrganizationRequest, code: str) -> Feature:
    found = {feature.product.code: feature for feature in list_features(request.organization)}
    if code not in found:
        raise Http404
    return found[code]


def _people(request: OrganizationRequest, feature: Feature) -> MembersQuery:
    """The members list, narrowed to those who have the product."""
    code = feature.product.code
    query = QueryDict(mutable=True)
    query.update({key: request.GET[key] for key in ASKED if key in request.GET})
    query["license"] = f"{code}.{ASLEEP}" if request.GET.get("license", "") == f"{code}.{ASLEEP}" else code
    return MembersQuery.read(request.organization, query)


def _kinds(asked: MembersQuery, here: str, licenses: Sequence[tuple[Any, ...]]) -> list[tuple[str, str, bool]]:
    """The way to those whose seats can be used, and to those whose seats sleep; nothing where none sleep."""
    if not any(one.asleep_since for one, *_rest in licenses):
        return []
    code, _dot, asleep = str(asked.query["license"]).partition(".")
    return [
        (gettext("Can use it"), here, not asleep),
        (pgettext("seats", "Asleep"), f"{here}?license={code}.{ASLEEP}", bool(asleep)),
    ]
