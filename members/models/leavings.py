import pgtrigger
from django.db import models

from .organizations import Organization
from .people import Member


class Leaving(models.Model):
    """Somebody left their business account, and what was done about it, line by line. Never changed, never deleted.

    ``lines`` are what the parts of it did (``members.registry.LeavingPart``), in their order: codes, amounts and
    numbers, nobody's name.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="leavings", db_index=False, db_constraint=False)
    lines = models.JSONField()
    reason = models.CharField(max_length=300, blank=True)
    # None: the system, or whoever runs the installation.
    made_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "id"], name="leaving_in_organization")]
        indexes = [models.Index(fields=["organization", "member", "-id"], name="leaving_of_member")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"leaving {self.pk}"
