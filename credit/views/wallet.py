from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credit.selectors.balances import wallet_balance
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def wallet(request: OrganizationRequest) -> HttpResponse:
    """What the wallet of the organization holds, and what can be done with it."""
    context = {"section": "credit", "subsection": "wallet", "balance": wallet_balance(request.organization)}
    return render(request, "credit/wallet.html", context)
