"""What the pages of this app put where pages meet: the sidebar, the member page, the members list, /me/."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from credit.causes import CauseFinder, batches_of, orders_of
from credit.selectors.balances import list_balances
from credit.views.statements import render_own_credit
from members.access import Capability
from members.models import Organization
from members.registry import (
    BulkAction,
    DepartmentAction,
    MemberFact,
    MembersColumn,
    MemberTab,
    NavigationEntry,
    PersonalPanel,
    registry,
)
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
            children=[
                ("wallet", _("Wallet"), "credit:wallet", Capability.MANAGE_CREDIT),
                ("allocate", _("Allocate credit"), "credit:allocate", Capability.MANAGE_CREDIT),
                ("statement", _("Statement"), "credit:wallet_statement", Capability.MANAGE_CREDIT),
                ("purchases", _("Purchases"), "credit:purchase_list", Capability.MANAGE_CREDIT),
                ("billing", _("Billing data"), "credit:billing", Capability.MANAGE_CREDIT),
            ],
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
        PersonalPanel(key="credit", order=10, render=render_own_credit),
        CauseFinder(key="batches", find=batches_of),
        CauseFinder(key="orders", find=orders_of),
        MemberFact(key="balance", values=list_balances),
        BulkAction(
            key="allocate",
            label=_("Allocate credit"),
            url_name="credit:members_allocate",
            capability=Capability.MANAGE_CREDIT,
            order=10,
        ),
        DepartmentAction(
            key="allocate",
            label=_("Allocate credit"),
            icon="credit",
            url_name="credit:members_allocate",
            capability=Capability.MANAGE_CREDIT,
            order=10,
        ),
    )


def _in_currency(organization: Organization, balance: Decimal) -> str:
    return money(balance, organization.currency)
