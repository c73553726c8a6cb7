import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .organizations import Organization


class Seal(models.Model):
    """What the rows of a log of an organization were when they were sealed, so that a change of them shows.

    ``hash`` is the SHA-256, in hexadecimal, of the seal before and of every row from there to ``through`` (a key),
    ``rows`` of them: whoever changes one has to change every later seal, and the copies kept elsewhere.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    through = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="%(class)s_numbered"),
            models.CheckConstraint(condition=Q(number__gte=1, rows__gte=1), name="%(class)s_of_something"),
            models.CheckConstraint(condition=Q(hash__regex="^[0-9a-f]{64}$"), name="%(class)s_hash_shape"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditSeal(Seal):
    """A seal of the audit log."""
