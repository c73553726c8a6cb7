"""Reading the tree of departments."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from members.departments import lies_in, list_tree, names_of
from members.models import Department, Organization
from members.tallies import present, tally


@dataclass(frozen=True)
class DepartmentRow:
    """A department in its tree: how deep it stands, its own present members, and those below it as well."""

    department: Department
    own: int
    whole: int

    @property
    def depth(self) -> int:
        return len(names_of(self.department.path))


def list_departments(organization: Organization) -> list[Department]:
    """All departments of an organization as a tree reads: each followed by those under it."""
    return list_tree(organization)


def department_paths(organization: Organization) -> list[tuple[int, str]]:
    """Keys and paths of all departments, as the tree reads; there may be hundreds, and no model is made for them."""
    return list(organization.departments.order_by("sort_key", "pk").values_list("pk", "path"))


def list_department_rows(organization: Organization) -> list[DepartmentRow]:
    """All departments with how many present members they have, own and rolled up."""
    own = tally(organization, "department_id", present())
    departments = list_departments(organization)
    whole = {department.pk: own.get(department.pk, 0) for department in departments}
    # From the leaves up, so that what is added to a parent is complete.
    for department in sorted(departments, key=lambda entry: -len(names_of(entry.path))):
        if department.parent_id is not None:
            whole[department.parent_id] += whole[department.pk]
    return [DepartmentRow(department, own.get(department.pk, 0), whole[department.pk]) for department in departments]


def count_without_department(organization: Organization) -> int:
    """How many present members are in no department."""
    return tally(organization, "department_id", present() & Q(department=None)).get(None, 0)


def subtree(departments: Collection[Department], top: Department) -> list[Department]:
    """Those of ``departments`` that are ``top`` or lie under it."""
    return [department for department in departments if lies_in(department.path, top.path)]
