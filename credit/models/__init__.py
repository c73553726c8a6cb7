from .billing import BillingProfile, VatCheck
from .invoices import Invoice, NumberSeries
from .ledger import LedgerAccount, Transfer
from .orders import Gateway, Order, Payment, Refund, Treatment
from .recharge import RechargeCall, RechargePlan
from .seals import LedgerSeal
from .sellers import Seller

__all__ = [
    "BillingProfile",
    "Gateway",
    "Invoice",
    "LedgerAccount",
    "LedgerSeal",
    "NumberSeries",
    "Order",
    "Payment",
    "RechargeCall",
    "RechargePlan",
    "Refund",
    "Seller",
    "Transfer",
    "Treatment",
    "VatCheck",
]
