import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from credit.models.ledger import AmountField
from members.models import User
from telephony.product_names import description_of, name_of


class Product(models.Model):
    """What seats are bought of. The same for all organizations.

    Whoever has a seat has what it ``includes`` too. With ``requires``, one of these must be owned before it is
    offered, and had before it is assigned; a product that includes one will do. ``opens_voice`` shows the Voice
    section. A ``business_only`` one is not given to personal accounts.
    """

    class Settings(models.TextChoices):
        """What whoever has it can set."""

        NONE = "", _("None")
        FORWARDING = "forwarding", _("Call forwarding")
        CALLER_ID = "caller_id", _("Caller ID")
        CONNECT = "connect", _("SIP profile")

    code = models.SlugField(max_length=40, unique=True)
    includes = models.ManyToManyField("self", symmetrical=False, related_name="included_in")
    requires = models.ManyToManyField("self", symmetrical=False, related_name="required_by")
    opens_voice = models.BooleanField(default=False)
    carries_calling_plan = models.BooleanField(default=False)
    business_only = models.BooleanField(default=False)
    settings = models.CharField(max_length=12, choices=Settings, blank=True)
    order = models.PositiveSmallIntegerField()
    on_sale = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(code__regex="^[a-z0-9]+(-[a-z0-9]+)*$"), name="product_code_shape"),
            models.CheckConstraint(
                condition=Q(settings__in=["", "forwarding", "caller_id", "connect"]), name="product_settings_known"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """What people call it, in the language they read."""
        return name_of(self.code)

    @property
    def description(self) -> str:
        return description_of(self.code)


class ProductPrice(models.Model):
    """What a seat costs a month in a currency. What was paid already stays as it was when it changes."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="prices", db_index=False)
    currency = models.CharField(max_length=3)
    monthly = AmountField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "currency"], name="product_price_of_currency_once"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="product_price_currency_shape"),
            models.CheckConstraint(condition=Q(monthly__gte=0), name="product_price_not_below_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.currency}"


class PriceChange(models.Model):
    """A price that was set, by whom and when; None: it was taken away. Never changed, never deleted."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    monthly = AmountField(null=True)
    # None: the system.
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["product", "-id"], name="price_changes_of_product")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"price change {self.pk}"
