from .alerts import AlertSettings, AlertTold
from .billing import BillingProfile, VatCheck
from .cards import CardCheckout, CardDispute, CardMessage, SavedCard, WalletCharge, WalletRecharge
from .idle import IdleCredit
from .invoices import Invoice, NumberSeries
from .ledger import LedgerAccount, Transfer
from .orders import Gateway, Order, Payment, Refund, Treatment
from .recharge import RechargeCall, RechargePlan
from .seals import LedgerSeal
from .sellers import Seller

__all__ = [
    "AlertSettings",
    "AlertTold",
    "BillingProfile",
    "CardCheckout",
    "CardDispute",
    "CardMessage",
    "Gateway",
    "IdleCredit",
    "Invoice",
    "LedgerAccount",
    "LedgerSeal",
    "NumberSeries",
    "Order",
    "Payment",
    "RechargeCall",
    "RechargePlan",
    "Refund",
    "SavedCard",
    "Seller",
    "Transfer",
    "Treatment",
    "VatCheck",
    "WalletCharge",
    "WalletRecharge",
]
