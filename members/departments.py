"""The tree of departments: how a path is read, and the departments of an import found or made.

A path is the names from the top, joined by " / "; it and the sort key are kept in each row, so that lists filter,
sort and show departments without climbing the tree.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.errors import DepartmentExists, DepartmentGone, DepartmentInsideItself, DepartmentTooDeep
from members.locks import lock_organization
from members.models import Department, Organization
from members.names import check_department_name, path_sort_key
from skypemgr.characters import trim

SEPARATOR = " / "


@dataclass(frozen=True)
class DepartmentToBe:
    """A department that is made together with what puts people into it; ``name`` is checked already."""

    name: str
    parent: Department | None = None

    @property
    def path(self) -> str:
        return join_path([*(names_of(self.parent.path) if self.parent else []), self.name])


type AnyDepartment = Department | DepartmentToBe | None


@dataclass(frozen=True)
class Merger:
    """What becomes of a department and those under it when it is merged into another.

    Of ``joined`` each (those above first) goes and its people come to the one beside it; ``kept`` are under another
    parent now, in memory, with the paths they ``had``.
    """

    joined: Sequence[tuple[Department, Department]]
    kept: Sequence[Department]
    had: Sequence[str]


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


def list_tree(organization: Organization) -> list[Department]:
    """All departments of an organization as a tree reads: each followed by those under it."""
    return list(organization.departments.order_by("sort_key", "pk"))


def find_department(tree: Sequence[Department], department: Department) -> Department:
    """The department as it is now; one of another organization is nobody's to name. Raises DepartmentGone."""
    for entry in tree:
        if entry.pk == department.pk:
            return entry
    if Department.objects.filter(pk=department.pk).exists():
        raise PermissionDenied
    raise DepartmentGone


def check_place(others: Collection[Department], path: str, height: int) -> None:
    """Refuse a path that another department has, or under which ``height`` levels don't fit."""
    if len(names_of(path)) - 1 + height > Department.MAX_DEPTH:
        raise DepartmentTooDeep(depth=Department.MAX_DEPTH)
    if same_path(path) in {same_path(entry.path) for entry in others}:
        raise DepartmentExists(path=path)


@transaction.atomic(savepoint=False)
def make_department(
    *, organization: Organization, actor: Actor, name: str, parent: Department | None = None
) -> Department:
    """Add a department to an organization that is locked, at the top or under ``parent``.

    Raises DepartmentExists, DepartmentTooDeep, DepartmentGone when ``parent`` was deleted.
    """
    tree = list_tree(organization)
    parent = find_department(tree, parent) if parent else None
    department = new_department(organization, parent, name)
    check_place(tree, department.path, height=1)
    department.save()
    fact = Fact(action=Action.DEPARTMENT_ADDED, subject=department, after={"department": department.path})
    record_many(organization=organization, actor=actor, facts=[fact])
    return department


@transaction.atomic(savepoint=False)
def settle_department(*, organization: Organization, actor: Actor, department: AnyDepartment) -> Department | None:
    """Where somebody of an organization that is locked is put; made now if it isn't there yet.

    Raises DepartmentGone, DepartmentExists, DepartmentTooDeep; PermissionDenied when it is another organization's.
    """
    if isinstance(department, DepartmentToBe):
        return make_department(organization=organization, actor=actor, name=department.name, parent=department.parent)
    check_department(organization, department)
    return department


def merger(tree: Sequence[Department], department: Department, into: Department, language: str) -> Merger:
    """What merging ``department`` into ``into`` does to the tree: departments of one name become one, at every level.

    Raises DepartmentInsideItself when ``into`` lies under it, and DepartmentTooDeep.
    """
    if lies_in(into.path, department.path):
        raise DepartmentInsideItself
    moved = [entry for entry in tree if lies_in(entry.path, department.path)]
    # Those above come first, whose place that of the others follows from.
    moved.sort(key=lambda entry: len(names_of(entry.path)))
    there = {same_path(entry.path): entry for entry in tree if not lies_in(entry.path, department.path)}
    place, joined, kept, had = {department.pk: into}, [(department, into)], [], []
    for entry in moved:
        if entry == department:
            continue
        assert entry.parent_id is not None
        parent = place[entry.parent_id]
        names = [*names_of(parent.path), entry.name]
        if same := there.get(same_path(join_path(names))):
            joined.append((entry, same))
            place[entry.pk] = same
            continue
        if len(names) > Department.MAX_DEPTH:
            raise DepartmentTooDeep(depth=Department.MAX_DEPTH)
        had.append(entry.path)
        entry.parent, entry.path, entry.sort_key = parent, join_path(names), path_sort_key(names, language)
        kept.append(entry)
        place[entry.pk] = entry
    return Merger(joined, kept, had)


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
def hold_departments(departments: Collection[Department]) -> None:
    """Keep departments from being deleted until the transaction ends; those that are gone stay gone.

    By their keys, in the order in which a merger takes those that go: what is put into them asks in its own.
    """
    with connection.cursor() as cursor:
        keys = [department.pk for department in departments]
        cursor.execute("SELECT id FROM members_department WHERE id = ANY (%s) ORDER BY id FOR KEY SHARE", [keys])


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
