from collections.abc import Collection
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db.models import Q
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from members.access import Capability
from members.batches import takes_long
from members.decorators import OrganizationRequest, organization_view
from members.departments import lies_in, names_of
from members.errors import DepartmentGone
from members.forms.departments import DeleteDepartmentForm, DepartmentForm, MergeDepartmentForm
from members.models import Batch, Department, Member
from members.registry import DepartmentAction, DepartmentFigure, registry
from members.selectors.departments import count_without_department, list_department_rows, list_departments, subtree
from members.services.departments import (
    add_department,
    change_department,
    delete_department,
    merge_departments,
)
from members.services.runs import start_run
from members.tallies import tally
from skypemgr.forms import form_errors
from skypemgr.lists import read_key, read_number
from skypemgr.templatetags.look import count


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def department_list(request: OrganizationRequest) -> HttpResponse:
    context = {
        "rows": list_department_rows(request.organization),
        "without": count_without_department(request.organization),
        "can_manage": request.actor.can(Capability.MANAGE_MEMBERS),
        "actions": _actions(request),
    }
    return _render(request, "members/department_list.html", context)


def _actions(request: OrganizationRequest) -> list[tuple[DepartmentAction, str]]:
    return [
        (entry, reverse(entry.url_name, args=[request.organization.slug]))
        for entry in registry.all(DepartmentAction)
        if request.actor.can(entry.capability)
    ]


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def department_detail(request: OrganizationRequest, pk: int) -> HttpResponse:
    """A department: its people, what they hold, and the departments under it."""
    organization = request.organization
    rows = list_department_rows(organization)
    departments = [row.department for row in rows]
    department = _find(departments, pk)
    below = subtree(departments, department)
    context = {
        "department": department,
        "row": next(row for row in rows if row.department == department),
        "people_url": reverse("members:member_list", args=[organization.slug]) + f"?department={pk}",
        "under": [row for row in rows if row.department.parent_id == department.pk],
        "figures": [
            (figure, value)
            for figure in registry.all(DepartmentFigure)
            if request.actor.can(figure.capability) and (value := figure.show(organization, below))
        ],
        "can_manage": request.actor.can(Capability.MANAGE_MEMBERS),
        "may_deepen": len(names_of(department.path)) < Department.MAX_DEPTH,
        "actions": _actions(request),
        "trail": [
            (gettext("Departments"), reverse("members:department_list", args=[organization.slug])),
            *(
                (entry.name, reverse("members:department_detail", args=[organization.slug, entry.pk]))
                for entry in departments
                if entry != department and lies_in(department.path, entry.path)
            ),
        ],
    }
    return _render(request, "members/department_detail.html", context)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def department_add(request: OrganizationRequest) -> HttpResponse:
    departments = list_departments(request.organization)
    above = next((entry for entry in departments if str(entry.pk) == request.GET.get("parent")), None)
    form = DepartmentForm(request.POST or None, departments=departments, initial={"parent": above})
    if form.is_valid():
        with form_errors(form):
            department = add_department(actor=request.actor, organization=request.organization, **form.cleaned_data)
            messages.success(request, gettext("{department} is added.").format(department=department.path))
            return redirect("members:department_list", request.organization.slug)
    context = {"heading": gettext("Add a department"), "button": gettext("Add department")}
    return _render(request, "members/department_form.html", context, form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def department_change(request: OrganizationRequest, pk: int) -> HttpResponse:
    departments = list_departments(request.organization)
    department = _find(departments, pk)
    below = subtree(departments, department)
    form = DepartmentForm(
        request.POST or None,
        departments=[entry for entry in departments if entry not in below],
        initial={"name": department.name, "parent": _parent(departments, department)},
    )
    if form.is_valid():
        with form_errors(form):
            changed = change_department(
                actor=request.actor, organization=request.organization, department=department, **form.cleaned_data
            )
            messages.success(request, gettext("{department} is saved.").format(department=changed.path))
            return redirect("members:department_detail", request.organization.slug, changed.pk)
    context = {
        "heading": department.path,
        "button": gettext("Save department"),
        "department": department,
        "deletable": len(below) == 1,
    }
    return _render(request, "members/department_form.html", context, form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def department_merge(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Make two departments one."""
    departments = list_departments(request.organization)
    department = _find(departments, pk)
    below = subtree(departments, department)
    form = MergeDepartmentForm(
        request.POST if request.method == "POST" else None,
        departments=[entry for entry in departments if entry not in below],
    )
    people = sum(tally(request.organization, "state", Q(department__in=below)).values())
    if form.is_valid():
        with form_errors(form):
            into = form.cleaned_data["into"]
            if takes_long(people):
                return _merge_behind_the_pages(request, department, below, into)
            moved = merge_departments(
                actor=request.actor, organization=request.organization, department=department, into=into
            )
            text = ngettext(
                "{department} is part of {into} now. {number} person was moved.",
                "{department} is part of {into} now. {number} people were moved.",
                moved,
            )
            messages.success(request, text.format(department=department.path, into=into.path, number=count(moved)))
            return redirect("members:department_detail", request.organization.slug, into.pk)
    context = {
        "department": department,
        "people": people,
        "mergeable": len(below) < len(departments),
        "has_under": len(below) > 1,
        "takes_long": takes_long(people),
        "key": uuid4(),
    }
    return _render(request, "members/department_merge.html", context, form)


def _merge_behind_the_pages(
    request: OrganizationRequest, department: Department, below: Collection[Department], into: Department
) -> HttpResponse:
    batch = start_run(
        actor=request.actor,
        organization=request.organization,
        kind=Batch.Kind.MERGE_DEPARTMENT,
        members=Member.objects.of(request.organization).filter(department__in=[entry.pk for entry in below]),
        expected=read_number(request.POST, "count"),
        key=read_key(request.POST, "key"),
        facts={"department": department.pk, "path": department.path, "into": into.pk, "to": into.path},
    )
    return redirect("members:run_detail", request.organization.slug, batch.pk)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def department_delete(request: OrganizationRequest, pk: int) -> HttpResponse:
    departments = list_departments(request.organization)
    department = _find(departments, pk)
    form = DeleteDepartmentForm(
        request.POST if request.method == "POST" else None,
        departments=[entry for entry in departments if entry != department],
        initial={"successor": _parent(departments, department)},
    )
    people = sum(tally(request.organization, "state", Q(department=department)).values())
    deletable = len(subtree(departments, department)) == 1
    if form.is_valid():
        with form_errors(form):
            if deletable and takes_long(people):
                return _empty_behind_the_pages(request, department, form.cleaned_data["successor"])
            moved = delete_department(
                actor=request.actor, organization=request.organization, department=department, **form.cleaned_data
            )
            text = ngettext(
                "{department} is deleted. {number} person was moved.",
                "{department} is deleted. {number} people were moved.",
                moved,
            )
            messages.success(request, text.format(department=department.path, number=count(moved)))
            return redirect("members:department_list", request.organization.slug)
    row = next((row for row in list_department_rows(request.organization) if row.department == department), None)
    if row is None:
        messages.info(request, str(DepartmentGone()))
        return redirect("members:department_list", request.organization.slug)
    context = {
        "department": department,
        "row": row,
        "deletable": deletable,
        "people": people,
        "takes_long": takes_long(people),
        "key": uuid4(),
    }
    return _render(request, "members/department_delete.html", context, form)


def _empty_behind_the_pages(
    request: OrganizationRequest, department: Department, successor: Department | None
) -> HttpResponse:
    """Begin to move everybody out of a department, which is deleted when nobody is left."""
    batch = start_run(
        actor=request.actor,
        organization=request.organization,
        kind=Batch.Kind.DELETE_DEPARTMENT,
        members=Member.objects.of(request.organization).filter(department=department),
        expected=read_number(request.POST, "count"),
        key=read_key(request.POST, "key"),
        facts={
            "department": department.pk,
            "path": department.path,
            "successor": successor.pk if successor else None,
            "to": successor.path if successor else "",
        },
    )
    return redirect("members:run_detail", request.organization.slug, batch.pk)


def _find(departments: list[Department], pk: int) -> Department:
    for department in departments:
        if department.pk == pk:
            return department
    raise Http404


def _parent(departments: list[Department], department: Department) -> Department | None:
    return next((entry for entry in departments if entry.pk == department.parent_id), None)


def _render(
    request: OrganizationRequest, template: str, context: dict[str, Any], form: Form | None = None
) -> HttpResponse:
    url = reverse("members:department_list", args=[request.organization.slug])
    frame = {
        "section": "members",
        "subsection": "departments",
        "form": form,
        "trail": [(gettext("Departments"), url)],
        "list_url": url,
    }
    return render(request, template, frame | context, status=422 if form is not None and form.errors else 200)
