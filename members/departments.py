"""The tree of departments: how a path is read, and the departments of an import found or made.

A path is the names from the top, joined by " / "; it and the sort key are kept in each row, so that lists filter,
sort and show departments without climbing the tree.
"""

from collections.abc import Collection, Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.errors import DepartmentGone, DepartmentTooDeep
from members.locks import lock_organization
from members.models import Department, Organization
from members.names import check_department_name, path_sort_key
from skypemgr.characters import trim

SEPARATOR = " / "


def split_path(path: str) -> list[str]:
    """The names in "Sales / Berlin", "Sales/Berlin" or "/Sales/Berlin", as they were written; [] when there is none."""
    return [name for part in path.split("/") if (name := trim(part))]


def check_path(path: str) -> list[str]:
    """The names of a path as they are stored. Raises NameProblem for one that can't be kept, and DepartmentTooDeep."""
    names = [name for part in split_path(path) if (name := check_department_name(part))]
    if len(names) > Department.MAX_DEPTH:
        raise DepartmentTooDeep(depth=Department.MAX_DEPTH)
    return names


def join_path(names: Sequence[str]) -> str:
    return SEPARATOR.join(names)


def names_of(path: str) -> list[str]:
    """The names of a stored path; none of them holds a slash."""
    return path.split(SEPARATOR)


def lies_in(path: str, top: str) -> bool:
    """Whether ``path`` names the department ``top`` or one under it."""
    return path == top or path.startswith(top + SEPARATOR)


def same_path(path: str) -> str:
    """What two paths have in common that name one department: they differ by case alone."""
    # Never finer than what the database's own lower() makes of it, which its unique constraint compares.
    return path.replace("İ", "i").casefold()


def check_department(organization: Organization, department: Department | None) -> None:
    """See that somebody can be put into ``department`` (None: into none) of ``organization``, which is locked.

    Raises DepartmentGone when it was deleted, PermissionDenied when it is another organization's.
    """
    if department is None:
        return
    if department.organization_id != organization.pk:
        raise PermissionDenied
    # Whoever deletes it holds the organization too, so what is there now stays until we are done.
    if not Department.objects.filter(pk=department.pk).exists():
        raise DepartmentGone


@transaction.atomic(savepoint=False)
def find_or_add_departments(
    *, organization: Organization, actor: Actor, paths: Collection[str]
) -> dict[str, Department]:
    """The department of each path, by the path as it was given; what is missing is made, parents included.

    A path without a name is left out. Call it before locking members: it locks the organization when something
    is missing. Raises NameProblem and DepartmentTooDeep; ask ``check_path`` before to tell which path it was.
    """
    asked = {path: names for path in paths if (names := check_path(path))}
    wanted = {same_path(join_path(names)): names for names in asked.values()}
    known = _by_path(organization)
    if not wanted.keys() <= known.keys():
        lock_organization(organization)
        known = _by_path(organization)
        _add_missing(organization, actor, wanted.values(), known)
    return {path: known[same_path(join_path(names))] for path, names in asked.items()}


def _by_path(organization: Organization) -> dict[str, Department]:
    return {same_path(department.path): department for department in organization.departments.all()}


def _add_missing(
    organization: Organization, actor: Actor, wanted: Collection[Sequence[str]], known: dict[str, Department]
) -> None:
    added: list[Department] = []
    # Level by level, since a department needs the key of the one above it.
    for depth in range(1, Department.MAX_DEPTH + 1):
        level: dict[str, Department] = {}
        for names in wanted:
            key = same_path(join_path(names[:depth]))
            if len(names) < depth or key in known or key in level:
                continue
            parent = known[same_path(join_path(names[: depth - 1]))] if depth > 1 else None
            level[key] = new_department(organization, parent, names[depth - 1])
        Department.objects.bulk_create(level.values())
        known.update(level)
        added += level.values()
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(action=Action.DEPARTMENT_ADDED, subject=department, after={"department": department.path})
            for department in added
        ],
    )


def new_department(organization: Organization, parent: Department | None, name: str) -> Department:
    """A department in memory, with path and sort key; ``name`` is checked already."""
    # Named as its parent is named, in whatever case the parent's name was written this time.
    names = [*names_of(parent.path), name] if parent else [name]
    return Department(
        organization=organization,
        parent=parent,
        name=name,
        path=join_path(names),
        sort_key=path_sort_key(names, organization.language),
    )
