"""Licenses paid from the wallet, period by period: building blocks of buying and of renewing them."""

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction

from credit.errors import InsufficientCredit
from credit.ledger import Move, account_of, post
from credit.models import LedgerAccount, Transfer
from credit.selectors.balances import wallet_balance
from members.access import Actor
from members.models import Organization
from skypemgr.clock import database_now
from skypemgr.money import money
from telephony.catalog import Catalog
from telephony.license_errors import (
    NoPrice,
    NoSuchPeriod,
    NotOffered,
    NotSold,
    QuantityOutOfRange,
    WalletTooSmall,
)
from telephony.models import License, LicensePeriod, Product, ProductPrice
from telephony.selectors.licenses import owned_seats

FEE = Transfer.Operation.FEE
MOST_SEATS = 100_000
# How long seats can be used that the wallet could not pay.
GRACE = dt.timedelta(days=3)
# Of keys of transfers: each names the license and the day on which a period of it begins.
OF_PERIODS = UUID("6f2b8a52-8d1c-4c39-9d56-0f6f0f4f8d11")


@dataclass(frozen=True)
class Offer:
    """What seats cost: a seat a month, all of them for the period, and what the wallet holds before that."""

    product: Product
    quantity: int
    months: int
    monthly_price: Decimal
    wallet: Decimal

    @property
    def amount(self) -> Decimal:
        return self.monthly_price * self.quantity * self.months

    @property
    def wallet_after(self) -> Decimal:
        return self.wallet - self.amount

    @property
    def lacking(self) -> Decimal:
        """What the wallet has too little for it."""
        return max(-self.wallet_after, Decimal())


def today_of(organization: Organization) -> dt.date:
    """The day it is in the time zone of an organization, by the database's clock."""
    return database_now().astimezone(ZoneInfo(organization.time_zone)).date()


def end_of_period(anchor: dt.date, begins_on: dt.date, months: int) -> dt.date:
    """The first day after the period of some months that begins on a day.

    Counted from ``anchor``: what began on the 31st goes by the last day of shorter months, and comes back to the 31st.
    """
    passed = 12 * (begins_on.year - anchor.year) + begins_on.month - anchor.month + months
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + passed, 12)
    return dt.date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def monthly_price(organization: Organization, product: Product) -> Decimal:
    """What a seat costs a month now. Raises NoPrice where there is none in the organization's currency."""
    prices = ProductPrice.objects.filter(product=product, currency=organization.currency)
    price = prices.values_list("monthly", flat=True).first()
    if price is None:
        raise NoPrice(product=product.name, currency=organization.currency)
    return price


def renewal_price(bought: License) -> Decimal:
    """What a seat of a license costs a month from its next period on."""
    try:
        return monthly_price(bought.organization, bought.product)
    except NoPrice:
        # Whoever took the price away meant those who buy from now on.
        return bought.monthly_price


def renewal_cost(bought: License) -> Decimal:
    """What the next period of a license costs, at the price of today."""
    return renewal_price(bought) * bought.renewed_quantity * bought.months


def offer(organization: Organization, product: Product, quantity: int, months: int) -> Offer:
    """What seats would cost. Raises NotSold, NotOffered, NoPrice, QuantityOutOfRange, NoSuchPeriod."""
    catalog = Catalog.load()
    require_offered(catalog, product, owned_seats(organization))
    if not 1 <= quantity <= MOST_SEATS:
        raise QuantityOutOfRange(most=MOST_SEATS)
    if months not in License.Months.values:
        raise NoSuchPeriod
    price = monthly_price(organization, product)
    return Offer(product, quantity, months, price, wallet_balance(organization))


def require_offered(catalog: Catalog, product: Product, owned: dict[str, int]) -> None:
    """Raise NotSold or NotOffered (004-04) of a product that can't be bought with what is ``owned``."""
    if not product.on_sale:
        raise NotSold(product=product.name)
    if not catalog.meets(product.code, owned):
        required = (code for code in catalog.products if code in catalog.requires[product.code])
        raise NotOffered(product=product.name, required=catalog.names(required))


@transaction.atomic(savepoint=False)
def pay_period(
    *, bought: License, organization: Organization, actor: Actor, begins_on: dt.date, ends_before: dt.date
) -> LicensePeriod:
    """Pay all seats of a license, at its price and for its months, from a day on; the wallet is locked by this.

    Once for each day, whatever is repeated: the transfer has the key of that day. Raises WalletTooSmall.
    """
    amount = bought.monthly_price * bought.quantity * bought.months
    transfer = None
    if amount:
        key = uuid5(OF_PERIODS, f"{bought.pk} {begins_on}")
        wallet = account_of(organization, LedgerAccount.Kind.WALLET)
        fees = account_of(organization, LedgerAccount.Kind.FEES)
        try:
            post(organization=organization, operation=FEE, moves=[Move(wallet, fees, amount, key)], actor=actor)
        except InsufficientCredit as error:
            raise too_small(organization, error.balance, amount) from error
        transfer = Transfer.objects.get(organization=organization, operation=FEE, key=key, target=fees)
    return LicensePeriod.objects.create(
        organization=organization,
        license=bought,
        begins_on=begins_on,
        ends_before=ends_before,
        quantity=bought.quantity,
        amount=amount,
        transfer=transfer,
    )


def too_small(organization: Organization, held: Decimal, needed: Decimal) -> WalletTooSmall:
    """What is said when the wallet holds too little."""
    currency = organization.currency
    return WalletTooSmall(held=money(held, currency), needed=money(needed, currency), balance=held, wanted=needed)
