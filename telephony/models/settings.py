import pgtrigger
from django.db import models
from django.db.models import Q

from members.models import Organization
from telephony.models.licenses import LicenseAssignment
from telephony.models.products import Product

E164 = r"^\+[1-9][0-9]{6,14}$"


class FeatureSetting(models.Model):
    """What somebody set of a feature that they have through a seat, for as long as they have that.

    Forwarding has the ``number`` that calls go on to. Caller ID has the one that is shown, or "" for their own. Skype
    Connect has the ``name`` of the SIP profile and its ``username``.
    """

    class Kind(models.TextChoices):
        FORWARDING = Product.Settings.FORWARDING.value, Product.Settings.FORWARDING.label
        CALLER_ID = Product.Settings.CALLER_ID.value, Product.Settings.CALLER_ID.label
        CONNECT = Product.Settings.CONNECT.value, Product.Settings.CONNECT.label

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    assignment = models.ForeignKey(
        LicenseAssignment, models.PROTECT, related_name="settings", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=12, choices=Kind)
    number = models.CharField(max_length=16, blank=True)
    name = models.CharField(max_length=50, blank=True)
    username = models.CharField(max_length=64, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "kind"], name="feature_set_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["forwarding", "caller_id", "connect"]), name="feature_setting_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="forwarding", number__regex=E164, name="", username="")
                | (Q(kind="caller_id", name="", username="") & (Q(number="") | Q(number__regex=E164)))
                | (Q(kind="connect", number="") & ~Q(name="") & ~Q(username="")),
                name="feature_set_as_its_kind",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_of_its_seat", operation=pgtrigger.UpdateOf("organization_id", "assignment_id", "kind")
            ),
        ]

    def __str__(self) -> str:
        return f"setting {self.pk}"
