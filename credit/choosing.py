"""Whom credit is meant for: people chosen on the members list, a department, everybody."""

from dataclasses import dataclass
from functools import cached_property

from members.choosing import SHOWN_NAMES, Chosen
from members.models import Member
from members.models.people import MemberQuerySet
from members.selectors.members import for_list

ALONE = ("only", "1")


@dataclass(frozen=True)
class Recipients(Chosen):
    """People chosen as on the members list; by ``only=1``, those of its department without those under it."""

    @property
    def department(self) -> int | None:
        """The department that is meant alone."""
        asked = self.asked.query.get("department", "")
        alone = self.selection.everything and self.asked.query.get(ALONE[0]) == ALONE[1]
        return next((key for key, _path in self.asked.departments if alone and str(key) == asked), None)

    @property
    def members(self) -> MemberQuerySet:
        members = super().members
        return members if self.department is None else members.filter(department=self.department)

    @cached_property
    def number(self) -> int:
        return super().number if self.department is None else self.members.order_by().count()

    @property
    def fields(self) -> list[tuple[str, str]]:
        return super().fields + ([] if self.department is None else [ALONE])

    def names(self) -> list[Member]:
        if self.department is None:
            return super().names()
        return list(for_list(self.members).order_by("sort_key", "pk")[:SHOWN_NAMES])
