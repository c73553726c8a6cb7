"""Who sells credit here, and what is still missing before anybody can buy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import iban

from credit.models import BillingProfile, Gateway, Seller, VatCheck
from credit.vat import EU, Price, Vat, price_of, vat_for
from members.models import Organization
from members.places import time_zone_of

ADDRESS = ("name", "street", "extra", "postal_code", "city", "region", "country", "vat_id", "email")
ON_INVOICES = (*ADDRESS, "bank", "iban", "bic", "text")


@dataclass(frozen=True)
class Missing:
    """A field of the seller that has to be filled in first."""

    field: str
    label: str | Promise


def current_seller() -> Seller:
    """The seller as it stands now: an invented one on a machine of local mode where nobody has entered any."""
    seller = Seller.objects.order_by("-pk").first()
    if seller is not None:
        return seller
    return _demo_seller() if settings.LOCAL else Seller()


def _demo_seller() -> Seller:
    # Numbers that check out and belong to nobody.
    return Seller(
        name="Skype Manager Demo S.à r.l.",
        street="1, rue de l’Exemple",
        postal_code="L-1234",
        city="Luxembourg",
        country="LU",
        vat_id="LU12345613",
        email="billing@seller.example",
        vat_rates={"LU": "17", "FR": "20", "DE": "19", "SE": "25", "BE": "21", "NL": "21", "ES": "21", "IT": "22"},
        bank="Banque de l’Exemple",
        iban="LU280019400644750000",
        bic="EXMPLULL",
        text="An invented seller, for this machine only. Nothing is owed by this invoice.",
    )


def rates_of(seller: Seller) -> dict[str, Decimal]:
    """The percentages of VAT that a seller adds, by country."""
    return {country: Decimal(rate) for country, rate in seller.vat_rates.items()}


def missing_of(seller: Seller, gateway: str = Gateway.BANK_TRANSFER) -> list[Missing]:
    """What has to be known of the seller before anybody can buy, and isn't; for a card no bank account."""
    wanted = [
        Missing("name", _("Name")),
        Missing("street", _("Street and number")),
        Missing("city", _("City")),
        Missing("country", _("Country")),
    ]
    if seller.country and seller.country not in seller.vat_rates:
        wanted.append(Missing("vat_rates", _("VAT rates")))
    # Whoever adds VAT says under which id.
    if seller.country in EU and any(rates_of(seller).values()):
        wanted.append(Missing("vat_id", _("VAT id")))
    if gateway == Gateway.BANK_TRANSFER:
        wanted.append(Missing("iban", _("IBAN")))
    return [entry for entry in wanted if entry.field == "vat_rates" or not getattr(seller, entry.field)]


def today_of(seller: Seller) -> date:
    """The day it is at the seller's, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return day_of(seller, cursor.fetchone()[0])


def day_of(seller: Seller, instant: datetime) -> date:
    """The day it was at the seller's, which is the one that invoices and checks bear."""
    return instant.astimezone(ZoneInfo(time_zone_of(seller.country))).date()


def profile_of(organization: Organization) -> BillingProfile | None:
    """To whom invoices of an organization are made out, if anybody has said so."""
    return BillingProfile.objects.filter(organization=organization).first()


def evidence_for(organization: Organization, vat_id: str) -> VatCheck | None:
    """What came of it when an operator last looked up a VAT id of an organization."""
    checks = VatCheck.objects.filter(organization=organization, vat_id=vat_id)
    return checks.order_by("-pk").first() if vat_id else None


def vat_of(organization: Organization, seller: Seller) -> Vat:
    """The VAT of what an organization buys now. Without billing data its own country counts."""
    profile = profile_of(organization)
    vat_id = profile.vat_id if profile else ""
    evidence = evidence_for(organization, vat_id)
    return vat_for(
        seller_country=seller.country,
        rates=rates_of(seller),
        buyer_country=profile.country if profile else organization.country,
        buyer_vat_id=vat_id,
        evidence=evidence is not None and evidence.valid,
    )


def price_for(organization: Organization, net: Decimal) -> Price:
    """What it costs an organization to buy ``net`` of credit now."""
    return price_of(net, vat_of(organization, current_seller()), organization.currency)


def written_iban(number: str) -> str:
    """An IBAN in groups of four, as people compare it."""
    return str(iban.format(number))


def copy_of(source: Seller | BillingProfile, fields: Sequence[str]) -> dict[str, str]:
    """Who somebody is now, for an invoice that keeps it."""
    return {field: getattr(source, field) for field in fields}
