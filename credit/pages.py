"""What the pages of this app put where pages meet: the sidebar, the member page, the members list, /me/."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from credit import low_balances
from credit.causes import CauseFinder, batches_of, orders_of
from credit.idling import allowed
from credit.personal_data import credit_of
from credit.recharge_texts import terms_text
from credit.selectors.balances import balance_of, held_in, list_balances
from credit.selectors.inactivity import only_inactive
from credit.selectors.recharges import list_recharging
from credit.views.statements import render_own_credit
from members.access import Capability
from members.models import Department, Member, Organization
from members.models.people import MemberQuerySet
from members.registry import (
    BulkAction,
    DepartmentAction,
    DepartmentFigure,
    HandOverPart,
    MemberFact,
    MembersColumn,
    MembersFilter,
    MemberTab,
    NavigationEntry,
    OperatorPage,
    PersonalDataPart,
    PersonalPanel,
    Text,
    VisibleFact,
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
                ("alerts", _("Alerts"), "credit:alerts", Capability.MANAGE_CREDIT),
                ("purchases", _("Purchases"), "credit:purchase_list", Capability.MANAGE_CREDIT),
                ("card", _("Card and auto-recharge"), "credit:card", Capability.MANAGE_CREDIT),
                ("billing", _("Billing data"), "credit:billing", Capability.MANAGE_CREDIT),
            ],
        ),
        OperatorPage(key="orders", label=_("Orders"), url_name="credit_ops:order_list", order=20),
        OperatorPage(key="vat_ids", label=_("VAT ids"), url_name="credit_ops:vat_id_list", order=30),
        OperatorPage(key="seller", label=_("Seller"), url_name="credit_ops:seller", order=40),
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
        PersonalPanel(key="credit", order=10, render=render_own_credit, after_leaving=True),
        CauseFinder(key="batches", find=batches_of),
        CauseFinder(key="orders", find=orders_of),
        DepartmentFigure(
            key="credit", label=_("Credit held"), capability=Capability.VIEW_MEMBERS, order=10, show=_held_in
        ),
        MemberFact(key="balance", values=list_balances),
        PersonalDataPart(key="credit", order=10, collect=credit_of),
        HandOverPart(key="credit", order=10, list=_handed_over),
        VisibleFact(
            key="balance",
            text=_("The credit you hold."),
            capability=Capability.VIEW_MEMBERS,
            order=30,
        ),
        VisibleFact(
            key="statement",
            text=_("The credit it gives you, and how much you use."),
            capability=Capability.MANAGE_CREDIT,
            order=40,
        ),
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
        MembersFilter(
            key="credit",
            label=_("Credit"),
            every=_("Any credit"),
            order=40,
            choices=low_balances.choices,
            apply=low_balances.below,
            parts=low_balances.below_in_parts,
        ),
        MembersColumn(
            key="auto_recharge", label=_("Auto-recharge"), order=50, values=_recharge_terms, css_class="wide-only"
        ),
        MembersFilter(
            key="auto_recharge",
            label=_("Auto-recharge"),
            order=50,
            choices=lambda organization: RECHARGE_CHOICES,
            apply=_only_recharged,
        ),
        MembersFilter(
            key="idle",
            label=_("Inactive credit"),
            every=_("Inactive or not"),
            order=60,
            choices=lambda organization: INACTIVE_CHOICES if allowed() else [],
            apply=lambda members, choice: only_inactive(members),
        ),
        BulkAction(
            key="recharge",
            label=_("Set auto-recharge"),
            url_name="credit:members_recharge",
            capability=Capability.MANAGE_CREDIT,
            order=20,
        ),
    )


def _held_in(organization: Organization, departments: Sequence[Department]) -> str:
    return money(held_in(organization, departments), organization.currency)


def _handed_over(member: Member) -> list[tuple[Text, str]]:
    terms = _recharge_terms(member.organization, [member]).get(member.pk)
    return [
        (_("Credit"), money(balance_of(member.organization, member), member.organization.currency)),
        (_("Auto-recharge"), terms or pgettext("auto-recharge", "Off")),
    ]


def _in_currency(organization: Organization, balance: Decimal) -> str:
    return money(balance, organization.currency)


RECHARGE_CHOICES = [
    ("on", _("Auto-recharge on")),
    ("limit", _("Limit reached")),
    ("wallet", _("Waiting for credit")),
    ("off", _("Auto-recharge off")),
]
INACTIVE_CHOICES = [("inactive", _("Inactive credit"))]


def _recharge_terms(organization: Organization, members: Sequence[Member]) -> Mapping[int, str]:
    found = list_recharging(organization, members)
    return {member: terms_text(recharging, organization) for member, recharging in found.items()}


def _only_recharged(members: MemberQuerySet, choice: str) -> MemberQuerySet:
    """Those whose auto-recharge is on or off; by "limit" and "wallet", those who were refused one and are below."""
    match choice:
        case "off":
            return members.exclude(recharge_plan__active=True)
        case "on":
            return members.filter(recharge_plan__active=True)
        case _:
            return members.filter(recharge_plan__refusal=choice, ledger_account__balance__lt=F("recharge_plan__below"))
