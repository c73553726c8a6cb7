import pgtrigger
from django.db import models

from members.models import Member, Organization, Tenure

from .assignments import NumberAssignment
from .countries import Disclaimer
from .emergency import EmergencyAddressVersion


class EmergencyAcknowledgment(models.Model):
    """Somebody with a number has read how emergency calls work with it. Never changed, never deleted.

    It counts for as long as all of what they have read is so: the address in that ``version``, ``place`` as it is
    told, the ``disclaimer`` of the country, None where there was none; and for the person of that ``tenure``, not for
    whoever has the account after them.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    tenure = models.ForeignKey(Tenure, models.PROTECT, related_name="+")
    assignment = models.ForeignKey(
        NumberAssignment, models.PROTECT, related_name="acknowledgments", db_index=False, db_constraint=False
    )
    version = models.ForeignKey(
        EmergencyAddressVersion, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    # Its name, building, floor and room, each of up to four parts a character.
    place = models.CharField(max_length=800, blank=True)
    disclaimer = models.ForeignKey(Disclaimer, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="acknowledgment_in_organization"),
        ]
        indexes = [
            models.Index(fields=["assignment", "tenure", "-id"], name="acknowledgment_of_assignment"),
            models.Index(fields=["organization", "member", "-id"], name="acknowledgment_of_member"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"acknowledgment {self.pk}"
