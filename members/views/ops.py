from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members.decorators import SignedInRequest, operator_view
from members.selectors.organizations import count_held_letters, page_of_organizations
from skypemgr.lists import read_text


@operator_view
@require_safe
def organization_list(request: SignedInRequest) -> HttpResponse:
    page, rows = page_of_organizations(request.GET)
    context = {
        "operator_page": "organizations",
        "page": page,
        "rows": rows,
        "search": read_text(request.GET),
        "held": count_held_letters(),
    }
    return render(request, "ops/organization_list.html", context)
