"""Adding credit to one member."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from credit.forms.allocation import AllocationForm
from credit.selectors.balances import balance_of
from credit.services.allocation import allocate_credit
from credit.views.add_panel import add_panel
from credit.views.member_credit import show_member_credit
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.member_frame import find_member
from skypemgr.forms import form_errors
from skypemgr.money import money


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def member_add(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Add credit to a member; asked by GET, what both balances will be after an ``amount``."""
    member = find_member(request.organization, skype_name)
    currency = request.organization.currency
    if request.method != "POST":
        if HtmxDetails(request):
            form = AllocationForm(request.GET, currency=currency)
            context = {"member": member, "add": add_panel(request, member, form)}
            return render(request, "credit/member_add.html#forecast", context)
        return redirect("credit:member_credit", request.organization.slug, member.user.skype_name)
    form = AllocationForm(request.POST, currency=currency)
    if form.is_valid():
        with form_errors(form):
            allocate_credit(
                actor=request.actor, organization=request.organization, members=[member], **form.cleaned_data
            )
            text = gettext("{amount} added. {name} now has {balance}.")
            balance = money(balance_of(request.organization, member), currency)
            added = money(form.cleaned_data["amount"], currency)
            messages.success(request, text.format(amount=added, name=member.user.display_name, balance=balance))
            return redirect("credit:member_credit", request.organization.slug, member.user.skype_name)
    return show_member_credit(request, member, add_form=form)
