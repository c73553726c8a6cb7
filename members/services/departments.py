"""Departments: added, named, moved within their tree, and deleted."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members import acts
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.departments import join_path, names_of, new_department, same_path
from members.errors import (
    DepartmentExists,
    DepartmentGone,
    DepartmentInsideItself,
    DepartmentTooDeep,
)
from members.locks import lock_organization
from members.models import Department, Organization
from members.names import path_sort_key
from members.selectors.departments import list_departments, subtree


@transaction.atomic(durable=True)
def add_department(
    *, actor: Actor, organization: Organization, name: str, parent: Department | None = None
) -> Department:
    """Add a department, at the top or under ``parent``.

    Raises DepartmentExists, DepartmentTooDeep, DepartmentGone when ``parent`` was deleted.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    departments = _lock_tree(organization)
    parent = _find(departments, parent) if parent else None
    department = new_department(organization, parent, name)
    _check_place(departments, department.path, height=1)
    department.save()
    record(
        organization=organization,
        actor=actor,
        action=Action.DEPARTMENT_ADDED,
        subject=department,
        after={"department": department.path},
    )
    return department


@transaction.atomic(durable=True)
def change_department(
    *, actor: Actor, organization: Organization, department: Department, name: str, parent: Department | None
) -> Department:
    """Rename a department, or put it with all that lies under it elsewhere (``parent`` None: at the top).

    Raises DepartmentExists, DepartmentTooDeep, DepartmentInsideItself, DepartmentGone.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    departments = _lock_tree(organization)
    department = _find(departments, department)
    moved = subtree(departments, department)
    parent = _find(departments, parent) if parent else None
    if parent in moved:
        raise DepartmentInsideItself
    before = department.path
    level = len(names_of(before)) - 1
    names = [*(names_of(parent.path) if parent else []), name]
    height = max(len(names_of(entry.path)) for entry in moved) - level
    _check_place([entry for entry in departments if entry not in moved], join_path(names), height)

    department.name, department.parent = name, parent
    for entry in moved:
        below = names_of(entry.path)[level + 1 :]
        entry.path = join_path([*names, *below])
        entry.sort_key = path_sort_key([*names, *below], organization.language)
    department.save(update_fields=["name", "parent"])
    Department.objects.bulk_update(moved, ["path", "sort_key"], batch_size=1_000)
    if department.path != before:
        record(
            organization=organization,
            actor=actor,
            action=Action.DEPARTMENT_CHANGED,
            subject=department,
            before={"department": before},
            after={"department": department.path},
        )
    return department


@transaction.atomic(durable=True)
def delete_department(
    *, actor: Actor, organization: Organization, department: Department, successor: Department | None = None
) -> int:
    """Delete a department; its people go to ``successor``, or to none. Gives how many went.

    Raises DepartmentNotEmpty while others lie under it, DepartmentGone.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    departments = _lock_tree(organization)
    department = _find(departments, department)
    successor = _find(departments, successor) if successor else None
    if successor == department:
        raise PermissionDenied
    return acts.dissolve(organization=organization, actor=actor, department=department, successor=successor)


def _lock_tree(organization: Organization) -> list[Department]:
    lock_organization(organization)
    return list_departments(organization)


def _find(departments: list[Department], department: Department) -> Department:
    """The department as it is now; one of another organization is nobody's to name. Raises DepartmentGone."""
    for entry in departments:
        if entry.pk == department.pk:
            return entry
    if Department.objects.filter(pk=department.pk).exists():
        raise PermissionDenied
    raise DepartmentGone


def _check_place(others: list[Department], path: str, height: int) -> None:
    """Refuse a path that another department has, or under which ``height`` levels don't fit."""
    if len(names_of(path)) - 1 + height > Department.MAX_DEPTH:
        raise DepartmentTooDeep(depth=Department.MAX_DEPTH)
    if same_path(path) in {same_path(entry.path) for entry in others}:
        raise DepartmentExists(path=path)
