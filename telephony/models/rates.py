from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Q

from members.models import Organization, User
from skypemgr.clock import DatabaseClock
from telephony.rating.prices import MOST_DECIMALS, RATE_DECIMALS, Rate

from .moments import MomentOrNever

# A day: nobody bills by more.
LONGEST_INCREMENT = 86_400


class RateField(models.DecimalField):
    """Money of a rate, in the currency of its deck, to six places."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"max_digits": 5 + RATE_DECIMALS, "decimal_places": RATE_DECIMALS})


# Digits are compared byte by byte, whatever language the database sorts by.
BYTES = "C"


class RateDeck(models.Model):
    """What calls cost in a currency: the installation's own deck, or, over it, that of an organization."""

    # None: the installation's own.
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="rate_decks", db_index=False)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "currency"], nulls_distinct=False, name="rate_deck_of_currency_once"
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="rate_deck_currency_shape"),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id or 'installation'} {self.currency}"


class RateDeckVersion(models.Model):
    """A deck as it was loaded, with all its rates. Never changed, never deleted.

    It counts from the earliest of its rates on, as far as no later version does: of those that begin at a moment or
    before, the one with the highest number. So no two overlap, and none leaves a gap that an earlier one filled.
    What a call costs by it is rounded up to ``decimals``.
    """

    deck = models.ForeignKey(RateDeck, models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    decimals = models.PositiveSmallIntegerField(default=MOST_DECIMALS, db_default=MOST_DECIMALS)
    valid_from = models.DateTimeField()
    rates = models.PositiveIntegerField()
    prefixes = models.PositiveIntegerField()
    file_name = models.CharField(max_length=255, blank=True)
    # None: the system.
    loaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    loaded_at = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deck", "number"], name="rate_deck_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="rate_deck_version_from_one"),
            models.CheckConstraint(condition=Q(decimals__lte=MOST_DECIMALS), name="rate_deck_version_decimals"),
            models.CheckConstraint(
                condition=Q(prefixes__gte=1, rates__gte=F("prefixes")), name="rate_deck_version_has_rates"
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.deck_id} version {self.number}"


class PrefixRate(models.Model):
    """What calls to numbers that begin with ``prefix`` cost, as ``telephony.rating.Rate`` says it.

    It counts from ``valid_from`` until the next of the same prefix and version. Never changed, never deleted.
    """

    version = models.ForeignKey(RateDeckVersion, models.PROTECT, related_name="prefix_rates", db_index=False)
    prefix = models.CharField(max_length=15, db_collation=BYTES)
    destination = models.CharField(max_length=100)
    connection_fee = RateField()
    per_minute = RateField()
    first_increment = models.PositiveIntegerField()
    next_increment = models.PositiveIntegerField()
    grace_seconds = models.PositiveIntegerField()
    minimum_charge = RateField()
    valid_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "prefix", "valid_from"], name="prefix_rate_from_once"),
            models.CheckConstraint(condition=Q(prefix__regex="^[1-9][0-9]{0,14}$"), name="prefix_rate_prefix_shape"),
            models.CheckConstraint(condition=~Q(destination=""), name="prefix_rate_has_destination"),
            models.CheckConstraint(
                condition=Q(connection_fee__gte=0, per_minute__gte=0, minimum_charge__gte=0),
                name="prefix_rate_not_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(
                    first_increment__range=(1, LONGEST_INCREMENT),
                    next_increment__range=(1, LONGEST_INCREMENT),
                    grace_seconds__lte=LONGEST_INCREMENT,
                ),
                name="prefix_rate_increments",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    @property
    def rate(self) -> Rate:
        """What calls to these numbers cost, by which they are priced."""
        return Rate(
            per_minute=self.per_minute.normalize(),
            connection_fee=self.connection_fee.normalize(),
            first_increment=self.first_increment,
            next_increment=self.next_increment,
            grace_seconds=self.grace_seconds,
            minimum_charge=self.minimum_charge.normalize(),
        )

    def __str__(self) -> str:
        return f"{self.prefix} {self.destination}"


class RateRange(models.Model):
    """The prefixes of a version as ranges side by side (``telephony.rating.flatten``), by which calls are rated in SQL.

    Numbers from ``low`` up to the next one have ``rate`` from ``valid_from`` on (None: ever before), or none. What it
    says is repeated here, so that nothing else has to be looked for.
    """

    version = models.ForeignKey(RateDeckVersion, models.PROTECT, related_name="ranges", db_index=False)
    low = models.CharField(max_length=16, blank=True, db_collation=BYTES)
    valid_from = MomentOrNever()
    rate = models.ForeignKey(PrefixRate, models.PROTECT, null=True, related_name="+", db_index=False)
    connection_fee = RateField(null=True)
    per_minute = RateField(null=True)
    first_increment = models.PositiveIntegerField(null=True)
    next_increment = models.PositiveIntegerField(null=True)
    grace_seconds = models.PositiveIntegerField(null=True)
    minimum_charge = RateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "low", "valid_from"], name="rate_range_from_once"),
            models.CheckConstraint(
                condition=Q(rate=None, per_minute=None) | Q(rate__isnull=False, per_minute__isnull=False),
                name="rate_range_says_its_rate",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.version_id} {self.low}"


class RateUpload(models.Model):
    """A file of rates that was shown and not loaded yet; it is gone when it was, or after a day."""

    # None: for the installation's own deck.
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="+", db_index=False)
    decimals = models.PositiveSmallIntegerField()
    file_name = models.CharField(max_length=255, blank=True)
    content = models.BinaryField()
    # None: the system.
    uploaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decimals__lte=MOST_DECIMALS), name="rate_upload_decimals"),
        ]

    def __str__(self) -> str:
        return self.file_name
