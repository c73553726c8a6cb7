import pgtrigger
from django.db import models
from django.db.models import Q

from members.models import Organization, User


class BillingProfile(models.Model):
    """To whom the invoices of an organization are made out, and where they are sent."""

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="billing_profile")
    name = models.CharField(max_length=200)
    street = models.CharField(max_length=200)
    extra = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2)
    # Compact and with its country, as python-stdnum writes it.
    vat_id = models.CharField(max_length=20, blank=True)
    email = models.EmailField(max_length=254)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="billing_country_shape"),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(street="") & ~Q(city="") & ~Q(email=""), name="billing_complete"
            ),
        ]
        indexes = [
            # The VAT ids that operators check, those that were given last first.
            models.Index(fields=["-changed_at", "-id"], condition=~Q(vat_id=""), name="billing_newest_vat_ids")
        ]

    def __str__(self) -> str:
        return self.name


class VatCheck(models.Model):
    """Evidence for reverse charge: an operator looked a VAT id up, and what came of it. Never changed, never deleted.

    ``reference`` is what the register of the buyer's country, or VIES, answered with. The newest of a VAT id counts.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="vat_checks", db_index=False)
    vat_id = models.CharField(max_length=20)
    valid = models.BooleanField()
    checked_on = models.DateField()
    reference = models.CharField(max_length=200)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="vat_check_in_organization"),
            models.CheckConstraint(condition=~Q(vat_id="") & ~Q(reference=""), name="vat_check_says_what"),
        ]
        indexes = [models.Index(fields=["organization", "vat_id", "-id"], name="vat_check_newest")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"check of {self.vat_id}"
