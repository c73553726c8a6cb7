"""What stands on an invoice or a credit note: one text for the page and the PDF, in the invoice's own language."""

from decimal import Decimal

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from credit.models import Invoice
from credit.sellers import written_iban


def paper(invoice: Invoice, template: str = "credit/paper.html") -> SafeString:
    """The HTML of an invoice or a credit note, in its language, of nothing but what it keeps."""
    with translation.override(invoice.language):
        return render_to_string(
            template,
            {
                "invoice": invoice,
                "seller": invoice.seller,
                "buyer": invoice.buyer,
                "lines": [{"text": line["text"], "net": Decimal(line["net"])} for line in invoice.lines],
                "iban": written_iban(invoice.seller["iban"]),
            },
        )
