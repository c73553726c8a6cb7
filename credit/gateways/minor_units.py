"""Amounts as a card processor wants them: whole numbers of the smallest unit it knows of a currency.

The table is that of Stripe's documentation on currencies, which is not ISO 4217 throughout: the Icelandic króna and
the Ugandan shilling are counted in hundredths that must be none, and dinars in thousandths that end in zero.
"""

from decimal import Decimal

WITHOUT_PARTS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
WHOLE_ONLY = frozenset({"ISK", "UGX"})


class NotPayable(ValueError):
    """No card can be charged exactly this amount in its currency."""


def to_minor_units(amount: Decimal, currency: str) -> int:
    """The number that stands for ``amount``: 1250 for 12.50 EUR, 12 for 12 JPY, 12500 for 12.5 TND.

    Raises NotPayable for what can't be paid exactly: more decimals than the currency has, or zero and less.
    """
    step = 10 if currency in THOUSANDTHS else 100 if currency in WHOLE_ONLY else 1
    units = amount.scaleb(_exponent(currency))
    if units != units.to_integral_value() or units <= 0 or units % step:
        raise NotPayable(f"{amount} {currency}")
    return int(units)


def from_minor_units(units: int, currency: str) -> Decimal:
    """The amount that a whole number of smallest units stands for."""
    return Decimal(units).scaleb(-_exponent(currency))


def _exponent(currency: str) -> int:
    return 0 if currency in WITHOUT_PARTS else 3 if currency in THOUSANDTHS else 2
