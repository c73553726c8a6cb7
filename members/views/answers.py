from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from members.errors import TooManyTries


def page_with_form(request: HttpRequest, template: str, context: dict[str, Any], form: BaseForm | None) -> HttpResponse:
    """A page around ``form``: 200, 422 when it was refused, or 429 with Retry-After when that was tried too often."""
    if form is None or not form.is_bound:
        return render(request, template, context)
    refusal = getattr(form, "refusal", None)
    if isinstance(refusal, TooManyTries):
        response = render(request, template, context, status=429)
        response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return render(request, template, context, status=422)
