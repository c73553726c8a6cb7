from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from members.models import Organization

from .ledger import AmountField


class AlertSettings(models.Model):
    """When an organization wants to be told that its wallet holds little: below ``low_wallet``, or never.

    ``low_since`` is when the watch saw it fall below, until it sees it filled again.
    """

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="alert_settings")
    low_wallet = AmountField(null=True)
    low_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(low_wallet=None) | Q(low_wallet__gt=0), name="alert_settings_low_wallet_positive"
            ),
            models.CheckConstraint(
                condition=Q(low_since=None) | Q(low_wallet__isnull=False), name="alert_settings_low_below_something"
            ),
        ]

    def __str__(self) -> str:
        return f"alert settings {self.organization_id}"


class AlertTold(models.Model):
    """What was told by letter, each thing once: ``key`` names an alert, or a day and a member."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=120)
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="alert_told_once")]

    def __str__(self) -> str:
        return f"told {self.key}"
