from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from members.choosing import Chosen, nobody_chosen
from members.errors import TooManyTries
from skypemgr.plain_json import as_json


def data_file(facts: Mapping[str, object], *, skype_name: str) -> HttpResponse:
    """What is kept about somebody, as a file that programs and people can read."""
    response = HttpResponse(as_json(facts, indent=2), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="skype-manager-{skype_name}.json"'
    return response


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


def back_to_list(request: HttpRequest, chosen: Chosen) -> HttpResponse:
    """To the list of members, since nobody on it was chosen."""
    messages.info(request, nobody_chosen())
    return redirect(chosen.list_url)
