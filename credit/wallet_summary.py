"""The wallet in a few words, for the pages that show it."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import ngettext

from credit.forecast_texts import forecast_text
from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount
from credit.selectors.statements import account_of_wallet
from credit.selectors.wallet import HeldByMembers, forecast
from members.models import Organization
from skypemgr.clock import database_now


@dataclass(frozen=True)
class WalletSummary:
    """The wallet of an organization: None before credit was ever bought, what it holds, and how long that lasts."""

    account: LedgerAccount | None
    balance: Decimal
    forecast: str


def wallet_summary(organization: Organization) -> WalletSummary:
    account = account_of_wallet(organization)
    if account is None or not account.version:
        return WalletSummary(None, NO_CREDIT, "")
    told = forecast_text(forecast(organization, account, database_now()), organization.currency)
    return WalletSummary(account, account.balance or NO_CREDIT, told)


def holders_text(held: HeldByMembers) -> str:
    """ "In 43 accounts, 1 overdrawn, 2 inactive"."""
    text = ngettext("in %(count)d account", "in %(count)d accounts", held.holders) % {"count": held.holders}
    if held.overdrawn:
        text += ", " + ngettext("%(count)d overdrawn", "%(count)d overdrawn", held.overdrawn) % {
            "count": held.overdrawn
        }
    if held.inactive:
        text += ", " + ngettext("%(count)d inactive", "%(count)d inactive", held.inactive) % {"count": held.inactive}
    return text
