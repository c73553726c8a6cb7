from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credit.alerts import find_alerts
from credit.funding import owed_by
from credit.models import LedgerAccount
from credit.selectors.purchases import list_waiting
from credit.selectors.spans import first_day
from credit.selectors.statements import Statement
from credit.selectors.wallet import allocated_between, held_by_members
from credit.statement_texts import show_lines
from credit.wallet_summary import holders_text, wallet_summary
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.months import present_month

# The newest lines, where the whole statement is a link away.
FEW = 10


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def wallet(request: OrganizationRequest) -> HttpResponse:
    """What the wallet of the organization holds, how long that lasts, and what can be done with it."""
    summary = wallet_summary(request.organization)
    context: dict[str, Any] = {
        "section": "credit",
        "subsection": "wallet",
        "wallet": summary,
        "owed": owed_by(request.organization),
        "waiting": list_waiting(request.organization),
        "alerts": find_alerts(request.organization),
    }
    if summary.account is not None:
        context |= _figures(request, summary.account)
    return render(request, "credit/wallet.html", context)


def _figures(request: OrganizationRequest, account: LedgerAccount) -> dict[str, Any]:
    organization = request.organization
    month = present_month(organization)
    statement = Statement.read(organization, account, QueryDict(), kind=LedgerAccount.Kind.WALLET, by=False)
    held = held_by_members(organization)
    return {
        "month": first_day(month),
        "allocated": allocated_between(account, month.start),
        "held": held.total,
        "holders": holders_text(held),
        "lines": show_lines(organization, statement.page(FEW).lines, request.actor),
    }
