import pgtrigger
from django.db import models

from .organizations import Organization


class DepartmentMove(models.Model):
    """A member was in a department (None: in none) until a moment. Triggers write it; never changed, never deleted.

    So what happened earlier is told of where they were then.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey("members.Member", models.CASCADE, related_name="department_moves", db_index=False)
    # Departments that are gone stay known by their key.
    department = models.ForeignKey(
        "members.Department", models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="department_move_in_organization"),
        ]
        indexes = [models.Index(fields=["member", "until"], name="department_moves_of_member")]

    def __str__(self) -> str:
        return f"move {self.pk}"


def move_triggers() -> list[pgtrigger.Trigger]:
    """The trigger of members that keeps where they were."""
    return [
        pgtrigger.Trigger(
            name="moved",
            when=pgtrigger.After,
            operation=pgtrigger.UpdateOf("department_id"),
            condition=pgtrigger.Condition("(OLD.department_id IS DISTINCT FROM NEW.department_id)"),
            func=(
                "INSERT INTO members_departmentmove (organization_id, member_id, department_id, until)"
                " VALUES (NEW.organization_id, NEW.id, OLD.department_id, clock_timestamp()); RETURN NULL;"
            ),
        )
    ]
