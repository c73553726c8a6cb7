"""Departments: added, named, moved within their tree, merged, and deleted."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members import acts
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.departments import check_place, find_department, join_path, make_department, names_of
from members.errors import DepartmentInsideItself
from members.locks import lock_organization, take_time
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
    lock_organization(organization)
    return make_department(organization=organization, actor=actor, name=name, parent=parent)


@transaction.atomic(durable=True)
def change_department(
    *, actor: Actor, organization: Organization, department: Department, name: str, parent: Department | None
) -> Department:
    """Rename a department, or put it with all that lies under it elsewhere (``parent`` None: at the top).

    Raises DepartmentExists, DepartmentTooDeep, DepartmentInsideItself, DepartmentGone.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    departments = _lock_tree(organization)
    department = find_department(departments, department)
    moved = subtree(departments, department)
    parent = find_department(departments, parent) if parent else None
    if parent in moved:
        raise DepartmentInsideItself
    before = department.path
    level = len(names_of(before)) - 1
    names = [*(names_of(parent.path) if parent else []), name]
    height = max(len(names_of(entry.path)) for entry in moved) - level
    check_place([entry for entry in departments if entry not in moved], join_path(names), height)

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
    department = find_department(departments, department)
    successor = find_department(departments, successor) if successor else None
    if successor == department:
        raise PermissionDenied
    return acts.dissolve(organization=organization, actor=actor, department=department, successor=successor)


@transaction.atomic(durable=True)
def merge_departments(*, actor: Actor, organization: Organization, department: Department, into: Department) -> int:
    """Make ``department`` and ``into`` one: its people and the departments under it go along. Gives how many went.

    Raises DepartmentInsideItself, DepartmentTooDeep, DepartmentGone.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    lock_organization(organization)
    return acts.merge(organization=organization, actor=actor, department=department, into=into)


def _lock_tree(organization: Organization) -> list[Department]:
    lock_organization(organization)
    return list_departments(organization)
