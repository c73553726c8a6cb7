"""Files that are made or kept whole, for whoever asked for them."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def attachment(content: bytes, *, file_name: str, content_type: str) -> HttpResponse:
    """A file that no browser opens by itself and that nobody on the way keeps."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file_name)
    response["Cache-Control"] = "no-store"
    return response
