from django.db import models
from django.db.models import Q


class Seller(models.Model):
    """Who sells credit at this installation, as it stands on invoices. There is one; operators keep it.

    ``payment_days`` is how long a bank transfer may take, ``text`` what stands below every invoice.
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
    bank = models.CharField(max_length=100, blank=True)
    iban = models.CharField(max_length=34, blank=True)
    bic = models.CharField(max_length=11, blank=True)
    payment_days = models.PositiveSmallIntegerField(default=14)
    text = models.CharField(max_length=1000, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="seller_only_one"),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex="^[A-Z]{2}$"), name="seller_country_shape"
            ),
            models.CheckConstraint(condition=Q(payment_days__range=(1, 90)), name="seller_payment_days_range"),
        ]

    def __str__(self) -> str:
        return self.name


class VatRate(models.Model):
    """What percentage of VAT the seller adds for buyers of a country."""

    country = models.CharField(max_length=2, unique=True)
    rate = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="vat_rate_country_shape"),
            models.CheckConstraint(condition=Q(rate__range=(0, 50)), name="vat_rate_range"),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.rate}"
