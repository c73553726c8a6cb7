import pgtrigger
from django.db import models
from django.db.models import Case, F, Q, When

from members.models import Member, Organization

from .emergency import EmergencyAddress, Place
from .numbers import PhoneNumber


class NumberAssignment(models.Model):
    """A member has a number from ``since`` on, up to ``until``; None: they have it. Never deleted.

    They are found at ``emergency_address``, and there at ``place`` if one is given. ``owner`` is the organization for
    as long as they have it: so the number is owned by it, and can't be given back meanwhile.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    number = models.ForeignKey(
        PhoneNumber, models.PROTECT, related_name="assignments", db_index=False, db_constraint=False
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="number_assignments", db_index=False, db_constraint=False
    )
    emergency_address = models.ForeignKey(
        EmergencyAddress, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    place = models.ForeignKey(Place, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    owner = models.GeneratedField(
        expression=Case(When(until=None, then=F("organization"))),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    # None: the system, or whoever runs the installation.
    assigned_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    ended_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="number_assignment_in_organization"),
            models.UniqueConstraint(fields=["number"], condition=Q(until=None), name="number_of_one_member"),
            models.UniqueConstraint(fields=["member"], condition=Q(until=None), name="member_with_one_number"),
            models.CheckConstraint(
                condition=Q(until=None, ended_by=None) | Q(until__gte=F("since")), name="number_assignment_ends_later"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "number", "-since", "-id"], name="number_assignment_of_number"),
            models.Index(fields=["organization", "member", "-since", "-id"], name="number_assignment_of_member"),
            models.Index(
                fields=["emergency_address", "place"], condition=Q(until=None), name="number_assignment_at_address"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_in_history",
                operation=pgtrigger.UpdateOf("organization_id", "number_id", "member_id", "since") | pgtrigger.Delete,
            ),
            pgtrigger.Protect(
                name="stays_ended",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.until IS NOT NULL"),
            ),
        ]

    def __str__(self) -> str:
        return f"number assignment {self.pk}"
