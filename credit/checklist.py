"""The next steps of a new organization that this app knows (000-15)."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credit.models import LedgerAccount
from credit.selectors.purchases import list_waiting
from credit.selectors.statements import account_of_wallet
from credit.ways import allocate_url, buy_url
from members.access import Capability
from members.models import Organization
from members.registry import ChecklistItem, registry
from skypemgr.money import money


def _bought(organization: Organization) -> tuple[bool, str]:
    wallet = account_of_wallet(organization)
    if wallet is None or wallet.balance is None or not wallet.version:
        if waiting := list_waiting(organization):
            return False, gettext("Order {number} waits for your transfer").format(number=waiting[0].number)
        return False, gettext("Calls and features are paid from it")
    balance = money(wallet.balance, organization.currency)
    return True, gettext("{amount} in the wallet").format(amount=balance)


def _allocated(organization: Organization) -> tuple[bool, str]:
    accounts = LedgerAccount.objects.filter(organization=organization, kind=LedgerAccount.Kind.MEMBER)
    if accounts.filter(version__gt=0).exists():
        return True, ""
    return False, gettext("New accounts hold no credit")


def register() -> None:
    """Called once at start-up."""
    registry.add(
        ChecklistItem(
            key="buy_credit",
            label=_("Buy credit"),
            action_label=_("Buy credit"),
            url=buy_url,
            capability=Capability.MANAGE_CREDIT,
            order=30,
            state=_bought,
        ),
        ChecklistItem(
            key="allocate_credit",
            label=_("Allocate credit"),
            action_label=_("Allocate credit"),
            url=allocate_url,
            capability=Capability.MANAGE_CREDIT,
            order=40,
            state=_allocated,
        ),
    )
