from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from members.models import Letter, Organization

from .ledger import LedgerAccount

# So long before somebody's credit becomes inactive a letter has told them; the same in its check below.
WARNING = timedelta(days=7)


class IdleCredit(models.Model):
    """Credit of a member that nobody has used since ``used_at``, when their account had this ``version``.

    ``letter`` is the warning, ``warned_at`` when it had left, ``inactive_at`` since when the credit is inactive.
    Without a letter the row says only that it was reactivated then. Once the account has another version, the row
    counts for nothing: credit that moves is active again without a word here.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    # Constrained together with the organization.
    account = models.OneToOneField(LedgerAccount, models.PROTECT, related_name="idle", db_constraint=False)
    version = models.BigIntegerField()
    used_at = models.DateTimeField()
    letter = models.ForeignKey(Letter, models.PROTECT, null=True, related_name="+")
    warned_at = models.DateTimeField(null=True)
    inactive_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="idle_credit_in_organization"),
            models.CheckConstraint(condition=Q(version__gt=0), name="idle_credit_moved_once"),
            models.CheckConstraint(
                condition=Q(warned_at=None) | Q(letter__isnull=False), name="idle_credit_warned_by_letter"
            ),
            models.CheckConstraint(
                condition=Q(inactive_at=None)
                | Q(warned_at__isnull=False, inactive_at__gte=F("warned_at") + timedelta(days=7)),
                name="idle_credit_warned_in_time",
            ),
        ]
        indexes = [
            models.Index(fields=["organization"], condition=Q(inactive_at__isnull=False), name="idle_credit_inactive")
        ]

    def __str__(self) -> str:
        return f"idle credit {self.pk}"
