"""The tokens of programs: their list, a new one, and the end of one."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, fresh_proof, organization_view
from members.forms.api_tokens import ApiTokenForm
from members.registry import ApiScope, registry
from members.selectors.api_tokens import list_api_tokens
from members.services.api_tokens import make_api_token, revoke_api_token
from members.tenures import know_predecessors
from members.views.answers import page_with_form
from skypemgr.forms import form_errors
from skypemgr.lists import Ordering, keyset_page

NEWEST = Ordering("newest", ("-id",))


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_safe
def token_list(request: OrganizationRequest) -> HttpResponse:
    """Every token there is or was, newest first."""
    page = keyset_page(list_api_tokens(request.organization), order=NEWEST, query=request.GET)
    know_predecessors(token.made_by for token in page.rows)
    labels = {scope.key: scope.label for scope in registry.all(ApiScope)}
    rows = [(token, [labels.get(key, key) for key in token.scopes]) for token in page.rows]
    return render(request, "members/api_token_list.html", {"section": "settings", "page": page, "rows": rows})


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def token_add(request: OrganizationRequest) -> HttpResponse:
    """Make a token. The answer to the button shows it, once."""
    scopes = [scope for scope in registry.all(ApiScope) if request.actor.can(scope.capability)]
    initial = {"key": uuid4(), "scopes": [scopes[0].key] if len(scopes) == 1 else []}
    form = ApiTokenForm(request.POST if request.method == "POST" else None, initial=initial, scopes=scopes)
    if form.is_valid():
        with form_errors(form):
            made = make_api_token(actor=request.actor, organization=request.organization, **form.cleaned_data)
            if not made.token:
                messages.info(request, gettext("That token was made before, and is not shown again."))
                return redirect("members:api_token_list", request.organization.slug)
            context = {"section": "settings", "made": made, "address": request.build_absolute_uri("/api/v1/token/")}
            return render(request, "members/api_token_made.html", context)
    return page_with_form(request, "members/api_token_add.html", {"section": "settings", "form": form}, form)


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_http_methods(["GET", "HEAD", "POST"])
def token_revoke(request: OrganizationRequest, pk: int) -> HttpResponse:
    """End a token, with what that means before the button does it."""
    token = get_object_or_404(list_api_tokens(request.organization), pk=pk)
    if request.method == "POST":
        revoke_api_token(actor=request.actor, organization=request.organization, token=token)
        messages.success(request, gettext("“{name}” opens nothing any more.").format(name=token.name))
        return redirect("members:api_token_list", request.organization.slug)
    return render(request, "members/api_token_revoke.html", {"section": "settings", "token": token})
