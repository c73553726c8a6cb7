"""What the pages of this app put where pages meet: the sidebar, the member page, the members list, /me/."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from credit.selectors.balances import list_balances
from members.access import Capability
from members.models import Organization
from members.registry import MemberFact, MembersColumn, MemberTab, NavigationEntry, registry
from skypemgr.money import money


def register() -> None:
    """Called once at start-up."""
    registry.add(
        NavigationEntry(
            key="credit",
            label=_("Credit"),
            icon="credit",
            url_name="credit:wallet",
            capability=Capability.MANAGE_CREDIT,
            order=30,
            children=[("wallet", _("Wallet"), "credit:wallet", Capability.MANAGE_CREDIT)],
        ),
        MemberTab(
            key="credit",
            label=_("Credit"),
            url_name="credit:member_credit",
            capability=Capability.MANAGE_CREDIT,
            order=20,
        ),
        MembersColumn(
            key="balance", label=_("Balance"), order=40, values=list_balances, show=_in_currency, numeric=True
        ),
        MemberFact(key="balance", values=list_balances),
    )


def _in_currency(organization: Organization, balance: Decimal) -> str:
    return money(balance, organization.currency)
