"""Invoices and credit notes: numbers without gaps, and a copy of everything on them."""

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext

from credit.models import Invoice, NumberSeries, Order, Payment, Refund
from credit.sellers import ADDRESS, ON_INVOICES, copy_of, current_seller, profile_of, today_of
from members.models import Organization

LETTERS = {NumberSeries.Kind.INVOICE: "I", NumberSeries.Kind.CREDIT_NOTE: "C"}


@transaction.atomic(savepoint=False)
def next_number(kind: NumberSeries.Kind, year: int) -> int:
    """The next number of a series, from 1. Others wait for it until this transaction ends; rolled back, it is free.

    Everybody who sells needs this row, so it is locked last of all.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO credit_numberseries AS series (kind, year, last) VALUES (%s, %s, 1)"
            " ON CONFLICT (kind, year) DO UPDATE SET last = series.last + 1 RETURNING last",
            [kind, year],
        )
        return int(cursor.fetchone()[0])


@transaction.atomic(savepoint=False)
def issue_invoice(order: Order, payment: Payment) -> Invoice:
    """The invoice of a payment, in the transaction that records it; seller and buyer as they are now."""
    seller = current_seller()
    organization = order.organization
    buyer = buyer_of(organization)
    # A correction since it was ordered is welcome, but not one by which other VAT would be due.
    if any(buyer[field] != order.buyer[field] for field in ("country", "vat_id")):
        buyer = order.buyer
    with translation.override(organization.language):
        lines = [{"text": gettext("Skype Credit, order {number}").format(number=order.number), "net": str(order.net)}]
    return _issue(
        Invoice(
            kind=Invoice.Kind.INVOICE,
            order=order,
            payment=payment,
            seller=copy_of(seller, ON_INVOICES),
            buyer=buyer,
            lines=lines,
            net=order.net,
            vat=order.vat,
            gross=order.gross,
        ),
        order,
    )


@transaction.atomic(savepoint=False)
def issue_credit_note(order: Order, refund: Refund) -> Invoice:
    """The credit note of a refund, to the buyer and from the seller of the invoice that it takes back, in its words."""
    invoice = Invoice.objects.get(organization=order.organization_id, order=order, kind=Invoice.Kind.INVOICE)
    with translation.override(invoice.language):
        text = gettext("Refund of Skype Credit, invoice {number}").format(number=invoice.number)
    return _issue(
        Invoice(
            kind=Invoice.Kind.CREDIT_NOTE,
            order=order,
            refund=refund,
            corrects=invoice,
            seller=invoice.seller,
            buyer=invoice.buyer,
            lines=[{"text": text, "net": str(refund.net)}],
            net=refund.net,
            vat=refund.vat,
            gross=refund.gross,
        ),
        order,
        language=invoice.language,
    )


def buyer_of(organization: Organization) -> dict[str, str]:
    """To whom an invoice is made out now: by the billing data, or what is known of an organization from its set-up."""
    if profile := profile_of(organization):
        return copy_of(profile, ADDRESS)
    return {**dict.fromkeys(ADDRESS, ""), "name": organization.name, "country": organization.country}


def _issue(invoice: Invoice, order: Order, language: str = "") -> Invoice:
    organization = order.organization
    invoice.organization = organization
    invoice.currency = organization.currency
    invoice.language = language or organization.language
    invoice.treatment, invoice.vat_rate = order.treatment, order.vat_rate
    invoice.issued_on = today_of(current_seller())
    invoice.year = invoice.issued_on.year
    kind = NumberSeries.Kind(invoice.kind)
    invoice.sequence = next_number(kind, invoice.year)
    invoice.number = f"{LETTERS[kind]}-{invoice.year}-{invoice.sequence:06}"
    invoice.save(force_insert=True)
    return invoice
