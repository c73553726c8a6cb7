import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from credit.models import Transfer
from credit.models.ledger import AmountField
from members.models import Member, Organization
from telephony.models.products import Product

# How many seats of a license are taken is written with the seats themselves, once for each statement. So the check of
# the license refuses the last seat to whoever comes second, and nobody has to count.
TAKEN = """
    UPDATE telephony_license license SET assigned = license.assigned + changed.seats
    FROM (
        SELECT license_id, sum(seats) AS seats FROM ({seats}) AS each GROUP BY license_id HAVING sum(seats) <> 0
    ) AS changed WHERE license.id = changed.license_id;
    RETURN NULL;
"""
NOW_OPEN = "SELECT license_id, 1 AS seats FROM new_seats WHERE ended_at IS NULL"
OPEN_BEFORE = "SELECT license_id, -1 AS seats FROM old_seats WHERE ended_at IS NULL"


class LicenseQuerySet(models.QuerySet["License"]):
    """A license has ended, or sleeps, or is in grace, or is active; canceled is one that will end."""

    def owned(self) -> "LicenseQuerySet":
        """Those that have not ended, asleep or not."""
        return self.filter(ended_at=None)

    def awake(self) -> "LicenseQuerySet":
        """Those whose seats can be used."""
        return self.filter(ended_at=None, asleep_since=None)

    def in_grace(self) -> "LicenseQuerySet":
        """Awake, though the wallet could not pay the period that has begun."""
        return self.awake().filter(grace_since__isnull=False)

    def asleep(self) -> "LicenseQuerySet":
        """Not used until the wallet can pay."""
        return self.filter(ended_at=None, asleep_since__isnull=False)

    def canceled(self) -> "LicenseQuerySet":
        """Those that end with the period that is paid."""
        return self.owned().filter(renewed_quantity=0)

    def ended(self) -> "LicenseQuerySet":
        return self.filter(ended_at__isnull=False)


class License(models.Model):
    """Seats of a product, paid from the wallet for a period of months, and then for the next one.

    Days are those of the organization: ``renews_on`` is the first one that is not paid for. Periods are counted from
    ``anchored_on``, so that one of the 31st comes back to the 31st. ``renewed_quantity`` seats are renewed, with 0
    the license ends. ``monthly_price`` is that of a seat at the last charge. ``assigned`` counts the seats that are
    taken; only triggers of LicenseAssignment write it.
    """

    class Months(models.IntegerChoices):
        ONE = 1, _("1 month")
        THREE = 3, _("3 months")
        TWELVE = 12, _("12 months")

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("license", "Active")
        GRACE = "grace", pgettext_lazy("license", "Not paid")
        ASLEEP = "asleep", pgettext_lazy("license", "Asleep")
        ENDED = "ended", pgettext_lazy("license", "Ended")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="licenses", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField()
    renewed_quantity = models.PositiveIntegerField()
    assigned = models.PositiveIntegerField(default=0)
    months = models.PositiveSmallIntegerField(choices=Months)
    monthly_price = AmountField()
    anchored_on = models.DateField()
    began_on = models.DateField()
    renews_on = models.DateField()
    grace_since = models.DateTimeField(null=True)
    asleep_since = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    bought_at = models.DateTimeField(auto_now_add=True)
    # None: the system, or whoever runs the installation.
    bought_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)

    objects = LicenseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="license_in_organization"),
            # So that a seat is of the product of its license.
            models.UniqueConstraint(fields=["organization", "id", "product"], name="license_of_product"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="license_has_seats"),
            models.CheckConstraint(condition=Q(assigned__lte=F("quantity")), name="license_seats_suffice"),
            models.CheckConstraint(condition=Q(renewed_quantity__lte=F("quantity")), name="license_renews_no_more"),
            models.CheckConstraint(condition=Q(months__in=[1, 3, 12]), name="license_months_known"),
            models.CheckConstraint(condition=Q(monthly_price__gte=0), name="license_price_not_below_zero"),
            models.CheckConstraint(
                condition=Q(anchored_on__lte=F("began_on")) & Q(began_on__lt=F("renews_on")),
                name="license_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(asleep_since=None) | Q(grace_since__isnull=False), name="license_sleeps_after_grace"
            ),
            models.CheckConstraint(condition=Q(ended_at=None) | Q(assigned=0), name="license_ends_without_seats"),
        ]
        indexes = [
            models.Index(fields=["organization", "product", "id"], condition=Q(ended_at=None), name="licenses_owned"),
            models.Index(
                fields=["organization", "renews_on", "id"], condition=Q(ended_at=None), name="licenses_to_renew"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_of_its_product",
                operation=pgtrigger.UpdateOf("organization_id", "product_id") | pgtrigger.Delete,
            ),
            pgtrigger.Protect(
                name="stays_ended",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.ended_at IS NOT NULL"),
            ),
        ]

    def __str__(self) -> str:
        return f"license {self.pk}"

    @property
    def free(self) -> int:
        """Seats that nobody has."""
        return self.quantity - self.assigned

    @property
    def is_canceled(self) -> bool:
        return self.ended_at is None and self.renewed_quantity == 0

    @property
    def state(self) -> "License.State":
        if self.ended_at is not None:
            return self.State.ENDED
        if self.asleep_since is not None:
            return self.State.ASLEEP
        return self.State.ACTIVE if self.grace_since is None else self.State.GRACE


class LicensePeriod(models.Model):
    """Seats that were paid from a day to the one before another. Never changed, never deleted.

    A license has one for each day it begins on, so nobody pays twice, whatever crashes or is repeated.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    license = models.ForeignKey(License, models.PROTECT, related_name="periods", db_index=False, db_constraint=False)
    begins_on = models.DateField()
    ends_before = models.DateField()
    quantity = models.PositiveIntegerField()
    amount = AmountField()
    # None when there was nothing to pay.
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="+", db_constraint=False)
    paid_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="license_period_in_organization"),
            models.UniqueConstraint(fields=["license", "begins_on"], name="license_period_paid_once"),
            models.CheckConstraint(condition=Q(begins_on__lt=F("ends_before")), name="license_period_has_days"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="license_period_has_seats"),
            models.CheckConstraint(
                condition=Q(amount=0, transfer=None) | Q(amount__gt=0, transfer__isnull=False),
                name="license_period_is_paid",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"period {self.pk}"


class LicenseAssignmentQuerySet(models.QuerySet["LicenseAssignment"]):
    def open(self) -> "LicenseAssignmentQuerySet":
        """Seats that people have, asleep or not."""
        return self.filter(ended_at=None)

    def awake(self) -> "LicenseAssignmentQuerySet":
        """Seats that people have and can use."""
        return self.open().filter(license__asleep_since=None)


class LicenseAssignment(models.Model):
    """A seat that a member has, or had until ``ended_at``. It may go on with another license of the same product."""

    class Ending(models.TextChoices):
        UNASSIGNED = "unassigned", pgettext_lazy("seat", "Taken away")
        EXPIRED = "expired", pgettext_lazy("seat", "The license ended")
        REQUIREMENT = "requirement", pgettext_lazy("seat", "What it requires ended")
        LEFT = "left", pgettext_lazy("seat", "Left the organization")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    license = models.ForeignKey(License, models.PROTECT, related_name="seats", db_index=False, db_constraint=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="seats", db_index=False, db_constraint=False)
    assigned_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=12, choices=Ending, blank=True)
    # None: the system, or whoever runs the installation.
    assigned_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    ended_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)

    objects = LicenseAssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="seat_in_organization"),
            models.UniqueConstraint(
                fields=["member", "product"], condition=Q(ended_at=None), name="seat_of_product_once"
            ),
            models.CheckConstraint(
                condition=Q(ending__in=["", "unassigned", "expired", "requirement", "left"]), name="seat_ending_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__gte=F("assigned_at")) & ~Q(ending="")),
                name="seat_ends_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "product", "member"], condition=Q(ended_at=None), name="seats_of_product"
            ),
            models.Index(fields=["organization", "member", "id"], name="seats_of_member"),
            models.Index(fields=["license", "id"], condition=Q(ended_at=None), name="seats_of_license"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_whose_it_is",
                operation=pgtrigger.UpdateOf("organization_id", "product_id", "member_id") | pgtrigger.Delete,
            ),
            pgtrigger.Protect(
                name="stays_ended",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.ended_at IS NOT NULL"),
            ),
            pgtrigger.Trigger(
                name="takes_seats",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_seats"),
                func=TAKEN.format(seats=NOW_OPEN),
            ),
            pgtrigger.Trigger(
                name="moves_seats",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="old_seats", new="new_seats"),
                func=TAKEN.format(seats=f"{NOW_OPEN} UNION ALL {OPEN_BEFORE}"),
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.pk}"
