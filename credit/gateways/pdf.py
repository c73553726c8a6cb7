"""HTML of ours as PDF. WeasyPrint needs Pango of the operating system; where it lacks, pages remain pages."""

from typing import Any, NoReturn


class PdfUnavailable(Exception):
    """This machine can't make PDF."""


def make_pdf(html: str, *, css: str) -> bytes:
    """``html`` with a stylesheet, tagged for readers of the screen (PDF/UA-1).

    Nothing is fetched, from here or elsewhere. Raises PdfUnavailable.
    """
    try:
        # It takes seconds, and most processes never make one.
        from weasyprint import CSS, HTML  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise PdfUnavailable from error
    styles = [CSS(string=css, url_fetcher=_refuse)]
    return bytes(HTML(string=html, url_fetcher=_refuse).write_pdf(stylesheets=styles, pdf_variant="pdf/ua-1"))


def _refuse(url: str, *args: Any, **kwargs: Any) -> NoReturn:
    raise ValueError(f"Nothing is fetched for a PDF: {url}")
