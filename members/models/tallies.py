import pgtrigger
from django.db import models

from .organizations import Department, Organization

_COLUMNS = "organization_id, department_id, role, state, account_kind"
# Each fact in its department, and once more over all departments.
GRAINS = f"GROUPING SETS (({_COLUMNS}), (organization_id, role, state, account_kind))"
_ADD = """
    INSERT INTO members_membertally (everywhere, {columns}, number)
    SELECT grouping(department_id) = 1, {columns}, sum(change) FROM ({changes}) AS changes
    GROUP BY {grains} HAVING sum(change) <> 0;
    RETURN NULL;
"""
_ENTERED = f"SELECT {_COLUMNS}, 1 AS change FROM entered"  # noqa: S608
_GONE = f"SELECT {_COLUMNS}, -1 AS change FROM gone"  # noqa: S608


class MemberTally(models.Model):
    """How many members are alike in department, role, state and kind: the sum of ``number`` over such rows.

    Triggers write what changed, in the statement that changes it, as rows of their own: nobody waits for a row
    that everybody counts in. They are summed up now and then (``members.tallies``).
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    # A row of all departments together, for those who ask for no particular one.
    everywhere = models.BooleanField()
    # A department that is gone leaves rows that add up to nothing.
    department = models.ForeignKey(
        Department, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    role = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    account_kind = models.CharField(max_length=10)
    number = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["organization", "everywhere", "department"], name="member_tally_by_department")]

    def __str__(self) -> str:
        return f"tally {self.pk}"


def tally_triggers() -> list[pgtrigger.Trigger]:
    """The triggers of members that keep their tallies."""
    return [
        _trigger("tally_entered", pgtrigger.Insert, pgtrigger.Referencing(new="entered"), _ENTERED),
        _trigger(
            "tally_changed",
            pgtrigger.Update,
            pgtrigger.Referencing(old="gone", new="entered"),
            f"{_ENTERED} UNION ALL {_GONE}",
        ),
        _trigger("tally_gone", pgtrigger.Delete, pgtrigger.Referencing(old="gone"), _GONE),
    ]


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, changes: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=_ADD.format(columns=_COLUMNS, changes=changes, grains=GRAINS),
    )
