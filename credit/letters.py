"""The letters about credit: of an order, with each invoice, when something needs attention, and to whom uses none."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from credit.alerts import find_alerts
from credit.gateways.pdf import PdfUnavailable
from credit.idling import becomes_inactive_on, idle_credit
from credit.models import Invoice, Order
from credit.papers import paper_as_pdf, pdf_name
from credit.selectors.balances import wallet_balance
from credit.selectors.spans import zone_of
from credit.sellers import current_seller, written_iban
from members.access import Actor, Capability
from members.addresses import same_address_key
from members.letter_texts import Attachment, absolute_url, language_of, register_composer
from members.mail import personal_letter, write_letters
from members.models import Letter, Member
from skypemgr.clock import database_now


@transaction.atomic(savepoint=False)
def write_order_letter(order: Order) -> None:
    """Tell whoever placed an order what to transfer, and where to."""
    buyer = _buyer(order)
    if buyer is not None:
        letter = personal_letter(Letter.Kind.ORDER_PLACED, buyer.user, organization=order.organization, member=buyer)
        letter.facts = {"order": order.pk}
        write_letters([letter])


@transaction.atomic(savepoint=False)
def write_invoice_letters(invoice: Invoice) -> None:
    """Tell whoever bought, and the address for invoices, that an invoice or a credit note is there."""
    facts = {"invoice": invoice.pk}
    letters, told = [], set()
    buyer = _buyer(invoice.order)
    if buyer is not None:
        letter = personal_letter(Letter.Kind.INVOICE, buyer.user, organization=invoice.organization, member=buyer)
        letter.facts = facts
        letters.append(letter)
        told.add(same_address_key(letter.email))
    address = invoice.buyer["email"]
    if address and same_address_key(address) not in told:
        letters.append(Letter(organization=invoice.organization, kind=Letter.Kind.INVOICE, email=address, facts=facts))
    write_letters(letters)


def _buyer(order: Order) -> Member | None:
    """Whoever ordered, if they still have their account; what they bought is nothing to the next person."""
    buyer = order.placed_by
    if buyer is None or buyer.state != Member.State.ACTIVE:
        return None
    since = buyer.user.handed_over_at
    return buyer if since is None or since <= order.created_at else None


def _order_placed(letter: Letter) -> dict[str, Any] | None:
    order = Order.objects.filter(organization=letter.organization, pk=letter.facts.get("order")).first()
    if order is None or letter.organization is None or order.state != Order.State.WAITING:
        return None
    seller = current_seller()
    return {
        "order": order,
        "seller": seller,
        "iban": written_iban(seller.iban),
        "url": absolute_url("credit:order", letter.organization.slug, order.number),
    }


def _invoice(letter: Letter) -> dict[str, Any] | None:
    invoices = Invoice.objects.select_related("order", "corrects")
    invoice = invoices.filter(organization=letter.organization, pk=letter.facts.get("invoice")).first()
    if invoice is None or letter.organization is None:
        return None
    return {
        "invoice": invoice,
        "url": absolute_url("credit:invoice", letter.organization.slug, invoice.number),
        "attached": _paper_of(invoice),
    }


def _paper_of(invoice: Invoice) -> tuple[Attachment, ...]:
    """The invoice itself, since its page opens for few; nothing where this machine can't make PDF."""
    try:
        return (Attachment(pdf_name(invoice), paper_as_pdf(invoice), "application/pdf"),)
    except PdfUnavailable:
        return ()


def _credit_alert(letter: Letter) -> dict[str, Any] | None:
    """What still needs attention of the kinds that the letter was written for."""
    member, organization = letter.member, letter.organization
    if member is None or organization is None or not Actor.of_member(member).can(Capability.MANAGE_CREDIT):
        return None
    language = letter.language or language_of(letter.user, organization)
    with translation.override(language), timezone.override(zone_of(organization)):
        alerts = [alert for alert in find_alerts(organization) if alert.kind in letter.facts.get("kinds", [])]
        alone = len(alerts) == 1
        return (
            {
                "alerts": alerts,
                "balance": wallet_balance(organization),
                "choose_url": absolute_url("members:notices", organization.slug),
                "action": alerts[0].action if alone else gettext("Open the wallet"),
                "url": settings.BASE_URL + alerts[0].url if alone else absolute_url("credit:wallet", organization.slug),
            }
            if alerts
            else None
        )


def _credit_inactive(letter: Letter) -> dict[str, Any] | None:
    """From which day on somebody's credit is inactive; nothing once it was used, or they are not here any more."""
    member, organization = letter.member, letter.organization
    if member is None or organization is None or member.state != Member.State.ACTIVE:
        return None
    rows = idle_credit(organization).filter(letter=letter)
    row = rows.select_related("organization", "letter", "account").first()
    if row is None:
        return None
    return {
        "balance": row.account.balance,
        "used_at": row.used_at,
        "inactive_on": becomes_inactive_on(row, database_now()),
        "url": f"{absolute_url('me:home')}#credit-{member.pk}",
    }


def register() -> None:
    """Called once at start-up."""
    register_composer(Letter.Kind.ORDER_PLACED, _order_placed)
    register_composer(Letter.Kind.INVOICE, _invoice)
    register_composer(Letter.Kind.CREDIT_ALERT, _credit_alert)
    register_composer(Letter.Kind.CREDIT_INACTIVE, _credit_inactive)
