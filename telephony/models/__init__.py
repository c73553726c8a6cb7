from .acknowledgments import EmergencyAcknowledgment
from .assignments import NumberAssignment
from .calls import (
    AccountCode,
    Call,
    CallImport,
    CallKey,
    CallUpload,
    DayUsage,
    DestinationUsage,
    MemberUsage,
    MonthUsage,
    PlanCoverage,
)
from .countries import CountryRule, Disclaimer, DisclaimerAcceptance, Postcode
from .emergency import EmergencyAddress, EmergencyAddressVersion, Place
from .licenses import License, LicenseAssignment, LicensePeriod
from .numbers import (
    NumberAcquisition,
    NumberArea,
    NumberOwnership,
    NumberQuota,
    NumberTag,
    PhoneNumber,
    Reservation,
)
from .porting import PortLetter, PortNumber, PortOrder, PortStep
from .products import PriceChange, Product, ProductPrice
from .rates import PrefixRate, RateDeck, RateDeckVersion, RateRange, RateUpload
from .settings import FeatureSetting

__all__ = [
    "AccountCode",
    "Call",
    "CallImport",
    "CallKey",
    "CallUpload",
    "CountryRule",
    "DayUsage",
    "DestinationUsage",
    "Disclaimer",
    "DisclaimerAcceptance",
    "EmergencyAcknowledgment",
    "EmergencyAddress",
    "EmergencyAddressVersion",
    "FeatureSetting",
    "License",
    "LicenseAssignment",
    "LicensePeriod",
    "MemberUsage",
    "MonthUsage",
    "NumberAcquisition",
    "NumberArea",
    "NumberAssignment",
    "NumberOwnership",
    "NumberQuota",
    "NumberTag",
    "PhoneNumber",
    "Place",
    "PlanCoverage",
    "PortLetter",
    "PortNumber",
    "PortOrder",
    "PortStep",
    "Postcode",
    "PrefixRate",
    "PriceChange",
    "Product",
    "ProductPrice",
    "RateDeck",
    "RateDeckVersion",
    "RateRange",
    "RateUpload",
    "Reservation",
]
