"""The products that come with an installation, and what they cost there until its operators say otherwise."""

from decimal import Decimal
from typing import Any

OF_PHONE = ("voicemail", "caller-id", "call-forwarding")
PLAN = {"requires": ("phone-system",), "carries_calling_plan": True}
OF_BUSINESS = {"business_only": True}
# In the order in which they are offered.
PRODUCTS: dict[str, dict[str, Any]] = {
    "e5": {"includes": ("phone-system", "audio-conferencing", *OF_PHONE), "opens_voice": True, **OF_BUSINESS},
    "phone-system": {"includes": OF_PHONE, "opens_voice": True, **OF_BUSINESS},
    "audio-conferencing": {"opens_voice": True},
    "calling-plan-domestic": {**PLAN, **OF_BUSINESS},
    "calling-plan-international": {"includes": ("calling-plan-domestic",), **PLAN, **OF_BUSINESS},
    "premium": {},
    "subscription-unlimited-world": {"includes": ("subscription-unlimited-europe", "voicemail")},
    "subscription-unlimited-europe": {"includes": ("voicemail",)},
    "voicemail": {},
    "caller-id": {"settings": "caller_id", **OF_BUSINESS},
    "call-forwarding": {"settings": "forwarding", **OF_BUSINESS},
    "skype-connect": {"settings": "connect", **OF_BUSINESS},
}
CURRENCIES = ("EUR", "USD", "GBP", "SEK")
PRICES = {
    "e5": ("57.00", "57.00", "48.10", "599.00"),
    "phone-system": ("8.40", "8.00", "6.80", "85.00"),
    "audio-conferencing": ("4.20", "4.00", "3.40", "42.00"),
    "calling-plan-domestic": ("12.60", "12.00", "10.10", "127.00"),
    "calling-plan-international": ("25.30", "24.00", "20.20", "255.00"),
    "premium": ("4.99", "4.99", "4.20", "52.00"),
    "subscription-unlimited-world": ("11.99", "13.99", "10.99", "129.00"),
    "subscription-unlimited-europe": ("5.99", "6.99", "5.49", "65.00"),
    "voicemail": ("1.70", "2.00", "1.50", "18.00"),
    "caller-id": ("1.00", "1.00", "0.90", "11.00"),
    "call-forwarding": ("1.00", "1.00", "0.90", "11.00"),
    "skype-connect": ("4.95", "6.95", "4.15", "52.00"),
}

EUROPE = (
    *("AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS"),
    *("IT", "LI", "LT", "LU", "LV", "MC", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)
BEYOND = (
    *("AR", "AU", "BN", "BR", "CA", "CL", "CN", "CO", "CR", "HK", "IL", "IN", "JP", "KR", "MX", "MY", "NZ", "PA"),
    *("PE", "PR", "SG", "TH", "TR", "TW", "US", "ZA"),
)
# The calls that cost nothing to whoever has a seat: minutes a month, None for as many as they like.
COVERAGE: dict[str, dict[str, Any]] = {
    "calling-plan-domestic": {"domestic": True, "minutes": 3_000},
    "calling-plan-international": {"countries": [*EUROPE, *BEYOND], "minutes": 600},
    "subscription-unlimited-world": {"countries": [*EUROPE, *BEYOND], "minutes": None},
    "subscription-unlimited-europe": {"countries": list(EUROPE), "minutes": None},
}


def plant_coverage(product_model: Any, coverage_model: Any) -> None:
    """Write what plans and subscriptions cover, by the models of a migration."""
    products = {product.code: product for product in product_model.objects.filter(code__in=COVERAGE)}
    coverage_model.objects.bulk_create(
        coverage_model(product=products[code], **facts) for code, facts in COVERAGE.items()
    )


def plant(product_model: Any, price_model: Any) -> None:
    """Write them, by the models of a migration."""
    links = ("includes", "requires")
    made = {}
    for order, (code, facts) in enumerate(PRODUCTS.items()):
        plain = {name: value for name, value in facts.items() if name not in links}
        made[code] = product_model.objects.create(code=code, order=10 * (order + 1), **plain)
        price_model.objects.bulk_create(
            price_model(product=made[code], currency=currency, monthly=Decimal(price))
            for currency, price in zip(CURRENCIES, PRICES[code], strict=True)
        )
    for code, facts in PRODUCTS.items():
        for link in links:
            getattr(made[code], link).set(made[other] for other in facts.get(link, ()))
