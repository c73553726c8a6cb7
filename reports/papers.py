"""Reports as files to print."""

from django.template.loader import render_to_string

from credit.gateways.pdf import make_pdf
from reports.tables import ReportTable


def report_as_pdf(title: str, table: ReportTable) -> bytes:
    """A report as a file. Raises PdfUnavailable where this machine can't make one."""
    rows = [[row[name] for name in table.columns] for row in table.rows]
    _first, *rest = table.columns
    total = [table.total.get(name, "") for name in rest]
    context = {"title": title, "columns": table.columns, "rows": rows, "total": total}
    css = render_to_string("reports/report_pdf.css")
    return make_pdf(render_to_string("reports/report_pdf.html", context), css=css)
