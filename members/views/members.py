from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.middleware import HtmxDetails

from members.access import Capability
from members.bulk import Reach, invitable, reach_of_block, reach_of_move, reach_of_resend
from members.choosing import Chosen
from members.decorators import OrganizationRequest, organization_view
from members.departments import AnyDepartment, DepartmentToBe
from members.forms.members import BlockForm, MoveMembersForm
from members.list_columns import COOKIE, chosen_columns, cookie_of, on_offer
from members.models import Batch
from members.registry import BulkAction, MembersColumn, registry
from members.selectors.departments import list_departments
from members.selectors.member_letters import jump_letters
from members.selectors.members import MembersQuery
from members.services.departments import add_department
from members.services.invitations import resend_invitations
from members.services.members import block_members, move_members
from members.views.answers import back_to_list
from members.views.bulk_steps import begin_run, is_as_shown
from members.views.bulk_words import BLOCK, MOVE, RESEND, Words
from members.views.member_rows import MOST_OFFERED, MemberUrls, member_rows, options_markup, rows_markup
from skypemgr.forms import form_errors
from skypemgr.lists import change_query

YEAR = 365 * 24 * 3600


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def member_list(request: OrganizationRequest) -> HttpResponse:
    asked = MembersQuery.read(request.organization, request.GET)
    tabs = asked.tabs()
    total = next(tab.total for tab in tabs if tab.current and tab.total is not None)
    page = asked.page(total)
    fragment = _wants_fragment(request)
    shown = chosen_columns(request)
    columns = [column for column in registry.all(MembersColumn) if column.key in shown]
    rows = member_rows(request.organization, request.actor, page.rows, columns)
    actions = _bulk_actions(request)
    context = {
        "section": "members",
        "subsection": "list",
        "fragment": fragment,
        "asked": asked,
        "tabs": tabs,
        "total": total,
        "page": page,
        "rows": rows,
        "markup": rows_markup(request.organization, rows, selectable=bool(actions), shown=shown),
        # Of the form, which stays, only what a large tree of departments offers changes with what is chosen.
        "filters": [
            (entry, options_markup(entry, tree=entry.key == "department"))
            for entry in asked.filters
            if not fragment or (entry.key == "department" and len(entry.choices) > MOST_OFFERED)
        ],
        "menu": [] if fragment else MemberUrls(request.organization, request.actor).of_menu(),
        "shown": shown,
        "columns": [(column, *(asked.heading(column.orders) if column.orders else ("", ""))) for column in columns],
        "name_heading": asked.name_heading(),
        "column_choices": [(key, label, key in shown) for key, label in on_offer()],
        "actions": actions,
        "kept": asked.kept(),
        "letters": jump_letters(asked, page),
        "can_manage": request.actor.can(Capability.MANAGE_MEMBERS),
        "columns_url": reverse("members:members_columns", args=[request.organization.slug]) + change_query(request.GET),
        "exports": [
            ("CSV", reverse("members:member_export", args=[request.organization.slug]) + change_query(request.GET)),
            ("XLSX", reverse("members:member_workbook", args=[request.organization.slug]) + change_query(request.GET)),
        ],
    }
    return render(request, f"members/member_list.html{'#results' if fragment else ''}", context)


@organization_view(Capability.VIEW_MEMBERS)
@require_http_methods(["POST"])
def members_columns(request: OrganizationRequest) -> HttpResponse:
    """Keep which columns this browser shows, and go back to the list as it was filtered."""
    url = reverse("members:member_list", args=[request.organization.slug])
    response = redirect(url + change_query(request.GET))
    if "standard" in request.POST:
        response.delete_cookie(COOKIE, samesite="Lax")
    else:
        kept = cookie_of(request.POST.getlist("column"))
        response.set_cookie(COOKIE, kept, max_age=YEAR, secure=settings.HTTPS, httponly=True, samesite="Lax")
    return response


def _bulk_actions(request: OrganizationRequest) -> list[tuple[BulkAction, str]]:
    return [
        (action, reverse(action.url_name, args=[request.organization.slug]))
        for action in registry.all(BulkAction)
        if request.actor.can(action.capability)
    ]


def _wants_fragment(request: OrganizationRequest) -> bool:
    htmx = HtmxDetails(request)
    return bool(htmx) and htmx.request_type == "partial"


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def members_move(request: OrganizationRequest) -> HttpResponse:
    chosen = Chosen.read(request, request.POST or request.GET)
    if not chosen.number:
        return back_to_list(request, chosen)
    bound = request.POST or (request.GET if "to" in request.GET else None)
    form = MoveMembersForm(bound, departments=list_departments(request.organization))
    reach = None
    if form.is_valid():
        department = form.cleaned_data["to"]
        path = department.path if department else ""
        if request.method == "POST" and chosen.is_many:
            with form_errors(form):
                if response := _move_many(request, chosen, department):
                    return response
        elif request.method == "POST" and is_as_shown(request, chosen):
            with form_errors(form):
                moved = move_members(
                    actor=request.actor,
                    organization=request.organization,
                    members=chosen.members,
                    department=department,
                )
                messages.success(request, MOVE.report(moved, department=path or gettext("no department")))
                return redirect(chosen.list_url)
        reach = reach_of_move(chosen.members, request.actor, department)
    return _confirm(request, "members/members_move.html", chosen, MOVE, reach, form)


def _move_many(request: OrganizationRequest, chosen: Chosen, department: AnyDepartment) -> HttpResponse | None:
    if isinstance(department, DepartmentToBe):
        # A run takes its people to a department that is there when it begins.
        department = add_department(
            actor=request.actor, organization=request.organization, name=department.name, parent=department.parent
        )
        begun = begin_run(
            request, Batch.Kind.MOVE_MEMBERS, chosen.members, {"department": department.pk, "path": department.path}
        )
        return begun or redirect(f"{request.path}?{urlencode([*chosen.fields, ('to', department.pk)])}")
    facts = {"department": department.pk if department else None, "path": department.path if department else ""}
    return begin_run(request, Batch.Kind.MOVE_MEMBERS, chosen.members, facts)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def members_resend(request: OrganizationRequest) -> HttpResponse:
    chosen = Chosen.read(request, request.POST or request.GET)
    if not chosen.number:
        return back_to_list(request, chosen)
    if request.method == "POST" and chosen.is_many:
        if response := begin_run(request, Batch.Kind.RESEND_INVITATIONS, chosen.members, {}):
            return response
    elif request.method == "POST" and is_as_shown(request, chosen):
        waiting = invitable(chosen.members).values_list("pk", flat=True)
        sent = resend_invitations(actor=request.actor, organization=request.organization, members=list(waiting))
        messages.success(request, RESEND.report(sent))
        return redirect(chosen.list_url)
    return _confirm(request, "members/members_resend.html", chosen, RESEND, reach_of_resend(chosen.members))


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def members_block(request: OrganizationRequest) -> HttpResponse:
    chosen = Chosen.read(request, request.POST or request.GET)
    if not chosen.number:
        return back_to_list(request, chosen)
    form = BlockForm(request.POST or None)
    if form.is_valid() and chosen.is_many:
        if response := begin_run(
            request, Batch.Kind.BLOCK_MEMBERS, chosen.members, {"reason": form.cleaned_data["reason"]}
        ):
            return response
    elif form.is_valid() and is_as_shown(request, chosen):
        with form_errors(form):
            blocked = block_members(
                actor=request.actor,
                organization=request.organization,
                members=chosen.members,
                reason=form.cleaned_data["reason"],
            )
            messages.success(request, BLOCK.report(blocked))
            return redirect(chosen.list_url)
    reach = reach_of_block(chosen.members, request.actor)
    return _confirm(request, "members/members_block.html", chosen, BLOCK, reach, form)


def _confirm(
    request: OrganizationRequest,
    template: str,
    chosen: Chosen,
    words: Words,
    reach: Reach | None,
    form: Form | None = None,
) -> HttpResponse:
    context = {
        "section": "members",
        "subsection": "list",
        "heading": words.heading,
        "trail": [(gettext("Members"), chosen.list_url)],
        "warns": words is BLOCK,
        "chosen": chosen,
        "form": form,
        "reach": reach,
        "forecast": words.forecast(reach) if reach else [],
        "button": words.label(reach) if reach else "",
        "key": uuid4(),
    }
    return render(request, template, context, status=422 if form is not None and form.errors else 200)
