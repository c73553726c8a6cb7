"""The price of so many seconds at a rate."""

from dataclasses import dataclass
from decimal import Decimal

# Rates have six decimals at most, what is charged has four, as the ledger.
RATE_DECIMALS = 6
MOST_DECIMALS = 4
MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What calls cost: a fee for the connection, and so much a minute, both in the currency of the deck.

    The first ``first_increment`` seconds are billed as a whole, then each ``next_increment`` that has begun. A call of
    ``grace_seconds`` or less is free; any other costs ``minimum_charge`` at least. Raises ValueError for what no rate
    can be: less than nothing, more than six decimals, increments of no seconds.
    """

    per_minute: Decimal
    connection_fee: Decimal = Decimal(0)
    first_increment: int = MINUTE
    next_increment: int = MINUTE
    grace_seconds: int = 0
    minimum_charge: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if min(_millionths(amount) for amount in (self.per_minute, self.connection_fee, self.minimum_charge)) < 0:
            raise ValueError("A rate is not below zero.")
        if min(self.first_increment, self.next_increment) < 1 or self.grace_seconds < 0:
            raise ValueError("An increment has at least a second.")


def billed_seconds(rate: Rate, seconds: int) -> int:
    """How many seconds a call of so many is billed for. Raises ValueError for less than none."""
    if seconds < 0:
        raise ValueError("A call does not last less than no time.")
    if seconds <= rate.grace_seconds:
        return 0
    beyond = max(seconds - rate.first_increment, 0)
    return rate.first_increment + -(-beyond // rate.next_increment) * rate.next_increment


def charge(rate: Rate, seconds: int, *, decimals: int = MOST_DECIMALS) -> Decimal:
    """What a call of so many seconds costs: calculated exactly, then rounded up, once, to ``decimals``."""
    billed = billed_seconds(rate, seconds)
    if not billed:
        return _rounded(0, decimals)
    fee, minute = _millionths(rate.connection_fee), _millionths(rate.per_minute)
    return _rounded(max(_millionths(rate.minimum_charge) * MINUTE, fee * MINUTE + minute * billed), decimals)


def explain(rate: Rate, seconds: int, *, decimals: int = MOST_DECIMALS) -> str:
    """How a price comes about, in numbers alone: 0.049 + 0.023 × 120 ÷ 60 → 0.0950."""
    billed = billed_seconds(rate, seconds)
    cost = charge(rate, seconds, decimals=decimals)
    if not billed:
        return f"{seconds} ≤ {rate.grace_seconds} → {cost}"
    sum_ = f"{rate.connection_fee:f} + {rate.per_minute:f} × {billed} ÷ {MINUTE}"
    return f"max({rate.minimum_charge:f}, {sum_}) → {cost}" if rate.minimum_charge else f"{sum_} → {cost}"


def _millionths(amount: Decimal) -> int:
    scaled = amount.scaleb(RATE_DECIMALS)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError("A rate has at most six decimals.")
    return whole


def _rounded(sixtieths: int, decimals: int) -> Decimal:
    """Sixtieths of a millionth as an amount of so many decimals, rounded up."""
    unit = MINUTE * 10 ** (RATE_DECIMALS - decimals)
    return Decimal(-(-sixtieths // unit)).scaleb(-decimals)
