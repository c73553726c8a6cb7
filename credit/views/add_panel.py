"""The panel *Add credit* on the page of a member's credit."""

from dataclasses import dataclass
from decimal import Decimal

from credit.forms.allocation import AllocationForm
from credit.selectors.balances import balance_of, wallet_balance
from credit.ways import buy_url
from members.decorators import OrganizationRequest
from members.models import Member


@dataclass(frozen=True, kw_only=True)
class AddPanel:
    """The form, what the wallet holds, and what a typed amount would make of both balances."""

    form: AllocationForm
    wallet: Decimal
    left: bool
    buy_url: str
    after: Decimal | None = None
    wallet_after: Decimal | None = None
    lacking: Decimal | None = None


def add_panel(request: OrganizationRequest, member: Member, form: AllocationForm | None = None) -> AddPanel:
    """What ``credit/member_add.html`` shows; ``form`` is one that was sent, or asked about."""
    organization = request.organization
    wallet = wallet_balance(organization)
    form = form or AllocationForm(currency=organization.currency)
    # What was only asked about has no key, and no error but of its amount is of interest.
    amount = form.cleaned_data.get("amount") if form.is_bound and "amount" not in form.errors else None
    after = wallet_after = lacking = None
    if amount is not None and amount > wallet:
        lacking = amount - wallet
    elif amount is not None:
        after, wallet_after = balance_of(organization, member) + amount, wallet - amount
    return AddPanel(
        form=form,
        wallet=wallet,
        left=member.state == Member.State.LEFT,
        buy_url=buy_url(organization),
        after=after,
        wallet_after=wallet_after,
        lacking=lacking,
    )
