import pgtrigger
from django.db import models
from django.db.models import Q

from members.models import User


class Seller(models.Model):
    """Who sells credit at this installation, as it stands on invoices, from when it was saved until the next row.

    Operators keep it. Never changed, never deleted: the newest row counts, the others tell what was before.
    ``vat_rates`` are percentages by country ({"FR": "20"}); ``payment_days`` say how long a bank transfer may take,
    ``text`` is what stands below every invoice.
    """

    name = models.CharField(max_length=200, blank=True)
    street = models.CharField(max_length=200, blank=True)
    extra = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    vat_id = models.CharField(max_length=20, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    vat_rates = models.JSONField(default=dict)
    bank = models.CharField(max_length=100, blank=True)
    iban = models.CharField(max_length=34, blank=True)
    bic = models.CharField(max_length=11, blank=True)
    payment_days = models.PositiveSmallIntegerField(default=14)
    text = models.CharField(max_length=1000, blank=True)
    saved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex="^[A-Z]{2}$"), name="seller_country_shape"
            ),
            models.CheckConstraint(condition=Q(payment_days__range=(1, 90)), name="seller_payment_days_range"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name
