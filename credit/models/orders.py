import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import Member, Organization, User

from .ledger import AmountField


def adds_up(name: str) -> models.CheckConstraint:
    """Net and VAT are the gross amount, and that is something. Of a cent that goes back, all may be VAT."""
    return models.CheckConstraint(
        condition=Q(gross=F("net") + F("vat")) & Q(gross__gt=0) & Q(net__gte=0) & Q(vat__gte=0), name=f"{name}_adds_up"
    )


class Gateway(models.TextChoices):
    BANK_TRANSFER = "bank_transfer", _("Bank transfer")
    STRIPE = "stripe", _("Card")


class Treatment(models.TextChoices):
    """Which rule the VAT of a purchase follows; `credit/vat.py` decides it."""

    STANDARD = "standard", _("VAT")
    REVERSE_CHARGE = "reverse_charge", _("Reverse charge")
    OUTSIDE = "outside", _("Outside the scope of VAT")


def treatment_known(name: str) -> list[models.CheckConstraint]:
    """One of the rules, and VAT by the standard one alone."""
    return [
        models.CheckConstraint(
            condition=Q(treatment__in=["standard", "reverse_charge", "outside"]), name=f"{name}_treatment_known"
        ),
        models.CheckConstraint(condition=Q(treatment="standard") | Q(vat_rate=0, vat=0), name=f"{name}_vat_where_due"),
    ]


class Order(models.Model):
    """Credit that an organization wants to buy: ``net`` of it, for ``gross``, in the organization's currency.

    It waits for a payment of exactly ``gross``. ``key`` is that of the form, and of the transfers that follow:
    credit is bought once for each. ``vat_rate`` is a percentage; ``buyer`` is whom the VAT was decided for.
    """

    class Method(models.TextChoices):
        BANK_TRANSFER = "bank_transfer", _("Bank transfer")
        CARD = "card", _("Card")

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("order", "Waiting for payment")
        PAID = "paid", pgettext_lazy("order", "Paid")
        CANCELED = "canceled", pgettext_lazy("order", "Canceled")
        EXPIRED = "expired", pgettext_lazy("order", "Expired")
        FAILED = "failed", pgettext_lazy("order", "Payment failed")
        REFUNDED = "refunded", pgettext_lazy("order", "Refunded")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="orders", db_index=False)
    number = models.CharField(max_length=20, unique=True)
    method = models.CharField(max_length=20, choices=Method)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    net = AmountField()
    treatment = models.CharField(max_length=20, choices=Treatment)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2)
    vat = AmountField()
    gross = AmountField()
    buyer = models.JSONField()
    key = models.UUIDField()
    # None: the system, or whoever runs the installation.
    placed_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # Whoever hasn't paid by then is told to order again.
    expires_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="order_in_organization"),
            models.UniqueConstraint(fields=["organization", "key"], name="order_once_for_each_key"),
            models.CheckConstraint(condition=Q(method__in=["bank_transfer", "card"]), name="order_method_known"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "paid", "canceled", "expired", "failed", "refunded"]),
                name="order_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", closed_at=None) | (~Q(state="waiting") & Q(closed_at__isnull=False)),
                name="order_waiting_or_closed",
            ),
            models.CheckConstraint(condition=Q(vat_rate__range=(0, 50)), name="order_vat_rate_range"),
            models.CheckConstraint(condition=Q(net__gt=0), name="order_buys_something"),
            *treatment_known("order"),
            adds_up("order"),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="order_newest"),
            models.Index(fields=["created_at", "id"], condition=Q(state="waiting"), name="order_waiting"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_what_was_ordered",
                operation=pgtrigger.UpdateOf(
                    "organization_id",
                    "number",
                    "method",
                    "net",
                    "treatment",
                    "vat_rate",
                    "vat",
                    "gross",
                    "buyer",
                    "key",
                )
                | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def buyer_name(self) -> str:
        """What whoever ordered was called then; "" for the system and for whoever runs the installation."""
        return self.placed_by.name_at(self.created_at) if self.placed_by else ""


class Payment(models.Model):
    """Money that came in for an order, all of it. Never changed, never deleted.

    ``reference`` names it at the gateway: for a bank transfer what the payer wrote (an order's number, mostly), for a
    card what Stripe calls the payment.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="payments", db_index=False)
    order = models.OneToOneField(Order, models.PROTECT, related_name="payment", db_constraint=False)
    gateway = models.CharField(max_length=20, choices=Gateway)
    reference = models.CharField(max_length=200)
    amount = AmountField()
    received_at = models.DateTimeField()
    # None: the system.
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="payment_in_organization"),
            models.UniqueConstraint(
                fields=["organization", "gateway", "reference"], name="payment_once_for_each_reference"
            ),
            # Two companies may write the same words on a bank transfer; what Stripe names, it names once.
            models.UniqueConstraint(
                fields=["gateway", "reference"],
                condition=~Q(gateway="bank_transfer"),
                name="payment_by_card_once",
            ),
            models.CheckConstraint(condition=Q(gateway__in=["bank_transfer", "stripe"]), name="payment_gateway_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=~Q(reference=""), name="payment_has_reference"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.gateway} {self.reference}"


class Refund(models.Model):
    """Money that went back for an order, all of it or a part. Never changed, never deleted.

    ``net`` is what the wallet gave for it, ``gross`` what the buyer got. ``key`` names it among the transfers.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="refunds", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds", db_constraint=False)
    gateway = models.CharField(max_length=20, choices=Gateway)
    reference = models.CharField(max_length=200)
    net = AmountField()
    vat = AmountField()
    gross = AmountField()
    key = models.UUIDField()
    reason = models.CharField(max_length=300, blank=True)
    refunded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="refund_in_organization"),
            models.UniqueConstraint(fields=["organization", "key"], name="refund_once_for_each_key"),
            models.UniqueConstraint(
                fields=["organization", "gateway", "reference"], name="refund_once_for_each_reference"
            ),
            models.CheckConstraint(condition=Q(gateway__in=["bank_transfer", "stripe"]), name="refund_gateway_known"),
            models.CheckConstraint(condition=~Q(reference=""), name="refund_has_reference"),
            adds_up("refund"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.gateway} {self.reference}"
