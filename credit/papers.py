"""What stands on an invoice or a credit note: one text for the page and the PDF, in the invoice's own language."""

from decimal import Decimal

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from credit.gateways.pdf import make_pdf
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


def paper_as_pdf(invoice: Invoice) -> bytes:
    """The same as a file. Raises PdfUnavailable where this machine can't make one."""
    return make_pdf(paper(invoice, "credit/paper_pdf.html"), css=render_to_string("credit/paper_pdf.css"))


def pdf_name(invoice: Invoice) -> str:
    """What the file of an invoice is called."""
    return f"{invoice.number}.pdf"
