"""The panel *Auto-recharge* on the page of a member's credit."""

from dataclasses import dataclass
from decimal import Decimal

from credit.forms.recharge import RechargeForm
from credit.recharge_texts import recharging_text, state_text
from credit.selectors.balances import wallet_balance
from credit.selectors.recharges import Recharging, State, recharging_of
from credit.ways import buy_url
from members.decorators import OrganizationRequest
from members.models import Member

LAMPS = {State.OFF: "off", State.ACTIVE: "success", State.SUSPENDED: "warning"}


@dataclass(frozen=True, kw_only=True)
class RechargePanel:
    """How recharging stands, in a word and in a sentence, and the form that changes it."""

    form: RechargeForm
    recharging: Recharging
    lamp: str
    state: str
    text: str
    wallet: Decimal
    left: bool
    buy_url: str


def recharge_panel(request: OrganizationRequest, member: Member, form: RechargeForm | None = None) -> RechargePanel:
    """What ``credit/member_recharge.html`` shows; ``form`` is one that was sent."""
    organization = request.organization
    recharging = recharging_of(organization, member)
    wallet = wallet_balance(organization)
    plan = recharging.plan
    initial = {"amount": plan.amount, "below": plan.below, "monthly_limit": plan.monthly_limit} if plan else {}
    return RechargePanel(
        form=form or RechargeForm(currency=organization.currency, initial=initial),
        recharging=recharging,
        lamp="warning" if recharging.waiting_for else LAMPS[recharging.state],
        state=state_text(recharging),
        text=recharging_text(recharging, organization, wallet),
        wallet=wallet,
        left=member.state == Member.State.LEFT,
        buy_url=buy_url(organization),
    )
