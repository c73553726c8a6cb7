import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Organization

from .ledger import AmountField
from .orders import Order, Payment, Refund, Treatment, adds_up, treatment_known


class NumberSeries(models.Model):
    """The last number given in a series of a year. Its row is locked until what bears the number is there."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    kind = models.CharField(max_length=12, choices=Kind)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "year"], name="number_series_once"),
            models.CheckConstraint(condition=Q(kind__in=["invoice", "credit_note"]), name="number_series_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}"


class Invoice(models.Model):
    """The invoice of a payment, or the credit note of a refund: everything on it as it was then. Never changed.

    Numbers of a kind and year have no gaps. ``seller`` and ``buyer`` are copies of who they were, ``lines`` what was
    sold, in ``language``: a list of {"text", "net"}, with net as a decimal text.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="invoices", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    number = models.CharField(max_length=20, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="invoices", db_constraint=False)
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, related_name="invoice", db_constraint=False)
    refund = models.OneToOneField(Refund, models.PROTECT, null=True, related_name="credit_note", db_constraint=False)
    # The invoice that a credit note takes back, or a part of it.
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="credit_notes", db_constraint=False)
    currency = models.CharField(max_length=3)
    language = models.CharField(max_length=5)
    seller = models.JSONField()
    buyer = models.JSONField()
    lines = models.JSONField()
    treatment = models.CharField(max_length=20, choices=Treatment)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2)
    net = AmountField()
    vat = AmountField()
    gross = AmountField()
    # The seller's day.
    issued_on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="invoice_in_organization"),
            models.UniqueConstraint(fields=["kind", "year", "sequence"], name="invoice_number_once"),
            models.CheckConstraint(condition=Q(kind__in=["invoice", "credit_note"]), name="invoice_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="invoice", payment__isnull=False, refund=None, corrects=None)
                | Q(kind="credit_note", payment=None, refund__isnull=False, corrects__isnull=False),
                name="invoice_of_payment_or_refund",
            ),
            models.CheckConstraint(condition=Q(language__in=["en", "fr", "sv"]), name="invoice_language_known"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="invoice_currency_shape"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="invoice_numbers_begin_with_one"),
            *treatment_known("invoice"),
            adds_up("invoice"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="invoice_newest")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.number
