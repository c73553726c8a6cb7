from datetime import datetime

import pgtrigger
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import pgettext_lazy

from credit.models.ledger import AmountField
from members.models import Member, Organization, User
from skypemgr.clock import DatabaseClock

from .emergency import EmergencyAddress
from .moments import MomentOrNever, StatementClock

# Whose a number is changes by being released, held and acquired, each by its own condition; the moment is that in
# which the statement began, which no condition of it can have seen later.
REFUSE_TWO = """
    IF OLD.organization_id IS NOT NULL AND NEW.organization_id IS NOT NULL THEN
        IF OLD.organization_id <> NEW.organization_id THEN
            RAISE check_violation USING MESSAGE = 'This number is owned already.';
        END IF;
    ELSIF NEW.organization_id IS NOT NULL THEN
        IF NEW.source = 'stock' AND NOT EXISTS (
            SELECT FROM telephony_reservation held
            WHERE held.id = OLD.reservation_id AND held.organization_id = NEW.organization_id AND held.ended_at IS NULL
                AND OLD.reserved_until > statement_timestamp()
        ) THEN
            RAISE check_violation USING MESSAGE = 'This number is not held by whoever acquires it.';
        END IF;
    ELSIF NEW.reservation_id IS NOT NULL AND OLD.reservation_id IS NOT NULL
        AND OLD.reserved_until > clock_timestamp()
    THEN
        RAISE check_violation USING MESSAGE = 'This number is held already.';
    END IF;
    RETURN NEW;
"""


class NumberArea(models.Model):
    """A place that numbers belong to, and what they are for; "" where there is no region or city to it.

    What there is of it was counted at ``counted_at``, for those who run the installation; nothing is decided by it.
    """

    class Type(models.TextChoices):
        USER = "user", pgettext_lazy("type of a number", "For people")
        SERVICE = "service", pgettext_lazy("type of a number", "For services")
        TOLL_FREE = "toll_free", pgettext_lazy("type of a number", "Toll-free")

    country = models.CharField(max_length=2)
    region = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    type = models.CharField(max_length=10, choices=Type)
    total = models.PositiveIntegerField(default=0, db_default=0)
    free = models.PositiveIntegerField(default=0, db_default=0)
    owned = models.PositiveIntegerField(default=0, db_default=0)
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["country", "city", "region", "type"], name="number_area_once"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="number_area_country_shape"),
            models.CheckConstraint(
                condition=Q(type__in=["user", "service", "toll_free"]), name="number_area_type_known"
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.city, self.region, self.country) if part)


class Reservation(models.Model):
    """Numbers of an area that an organization holds until ``expires_at``, never longer.

    It asked for ``asked`` and got ``got``, which may be fewer. ``ended`` says how it was over before that, or
    that its end was seen: from then on nothing revives it, whatever the clock shows later.
    """

    class Ended(models.TextChoices):
        ACQUIRED = "acquired", pgettext_lazy("reservation", "Acquired")
        CANCELED = "canceled", pgettext_lazy("reservation", "Canceled")
        EXPIRED = "expired", pgettext_lazy("reservation", "Expired")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="reservations", db_index=False)
    area = models.ForeignKey(NumberArea, models.PROTECT, related_name="+", db_index=False)
    asked = models.PositiveSmallIntegerField()
    got = models.PositiveSmallIntegerField()
    # None: the system, or whoever runs the installation.
    made_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended = models.CharField(max_length=10, choices=Ended, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="reservation_in_organization"),
            models.CheckConstraint(
                condition=Q(ended__in=["", "acquired", "canceled", "expired"]), name="reservation_ended_known"
            ),
            models.CheckConstraint(
                condition=Q(ended="", ended_at=None) | (~Q(ended="") & Q(ended_at__isnull=False)),
                name="reservation_ended_when",
            ),
            models.CheckConstraint(
                condition=Q(asked__range=(1, 200), got__lte=F("asked")), name="reservation_got_some"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="reservation_ends_later"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "expires_at"], condition=Q(ended_at=None), name="reservation_of_organization"
            ),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="reservation_by_end"),
        ]

    def __str__(self) -> str:
        return f"reservation {self.pk}"


def _somebody_has_it() -> Exists:
    assignments = apps.get_model("telephony", "NumberAssignment").objects
    return Exists(assignments.filter(number=OuterRef("pk"), until=None))


class PhoneNumberQuerySet(models.QuerySet["PhoneNumber"]):
    """States follow from facts, and these are their words."""

    def of(self, organization: Organization) -> "PhoneNumberQuerySet":
        """Those it has acquired or brought with it."""
        return self.filter(organization=organization)

    def held_by(self, organization: Organization) -> "PhoneNumberQuerySet":
        """Those that its reservations keep at this moment."""
        return self.filter(
            organization=None,
            reservation__organization=organization,
            reservation__ended_at=None,
            reserved_until__gt=DatabaseClock(),
        )

    def in_stock(self) -> "PhoneNumberQuerySet":
        """Those nobody has, whether or not somebody holds them."""
        return self.filter(organization=None, retired_at=None)

    def free(self) -> "PhoneNumberQuerySet":
        """Those that anybody can reserve at this moment."""
        return self.in_stock().filter(reserved_until__lte=DatabaseClock(), kept_until__lte=DatabaseClock())

    def assigned(self) -> "PhoneNumberQuerySet":
        """Those that somebody has."""
        return self.filter(_somebody_has_it())

    def unassigned(self) -> "PhoneNumberQuerySet":
        """Those that nobody has."""
        return self.filter(~_somebody_has_it())

    def cooling_off(self) -> "PhoneNumberQuerySet":
        """Those that were somebody's, and that nobody else is given yet."""
        # An index is looked up only by a clock that stands still for as long as the statement runs.
        return self.filter(assignable_from__gt=StatementClock())

    def assignable(self) -> "PhoneNumberQuerySet":
        """Those that have cooled off."""
        return self.filter(assignable_from__lte=DatabaseClock())


class PhoneNumber(models.Model):
    """A phone number, in E.164: in the stock, held for ten minutes, or owned by an organization.

    Nobody else can take a number before ``reserved_until``: it is held by ``reservation``, or kept for its
    ``former_owner``, who can take it back until ``kept_until``. ``last_held_by`` is the organization that held it last,
    ``held_at`` when it did, three times at the most. Nobody is given it before ``assignable_from``. A retired number
    is not offered any more; whoever owns it keeps it.
    """

    class Source(models.TextChoices):
        STOCK = "stock", pgettext_lazy("source of a number", "Acquired")
        PORTED = "ported", pgettext_lazy("source of a number", "Ported")

    # By bytes, so that those that begin with the same digits stand together.
    number = models.CharField(max_length=16, db_collation="C")
    area = models.ForeignKey(NumberArea, models.PROTECT, related_name="numbers", db_index=False)
    source = models.CharField(max_length=10, choices=Source, default=Source.STOCK, db_default=Source.STOCK)
    monthly_price = AmountField(null=True)
    currency = models.CharField(max_length=3, blank=True, db_default="", default="")
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, related_name="phone_numbers", db_index=False
    )
    acquired_at = models.DateTimeField(null=True)
    # Of what costs something: the day it is paid until, and the one by which its months are counted.
    renews_on = models.DateField(null=True)
    anchored_on = models.DateField(null=True)
    emergency_address = models.ForeignKey(
        EmergencyAddress, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    assignable_from: "models.Field[datetime | None, datetime | None]" = MomentOrNever()
    reservation = models.ForeignKey(Reservation, models.PROTECT, null=True, related_name="numbers", db_index=False)
    reserved_until: "models.Field[datetime | None, datetime | None]" = MomentOrNever()
    last_held_by = models.ForeignKey(
        Organization, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    held_at = ArrayField(models.DateTimeField(), default=list, db_default=[])
    former_owner = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="+", db_index=False)
    kept_until: "models.Field[datetime | None, datetime | None]" = MomentOrNever()
    retired_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField(db_default=Now())

    objects = PhoneNumberQuerySet.as_manager()

    class Meta:
        constraints = [
            # Not unique=True, which would add a second index to every change.
            models.UniqueConstraint(fields=["number"], name="phone_number_once"),
            models.UniqueConstraint(fields=["organization", "id"], name="phone_number_in_organization"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="phone_number_shape"),
            models.CheckConstraint(condition=Q(source__in=["stock", "ported"]), name="phone_number_source_known"),
            models.CheckConstraint(
                condition=Q(monthly_price=None, currency="")
                | Q(monthly_price__gt=0, currency__regex="^[A-Z]{3}$", monthly_price__isnull=False),
                name="phone_number_price_in_currency",
            ),
            models.CheckConstraint(
                condition=Q(organization=None, acquired_at=None)
                | Q(organization__isnull=False, acquired_at__isnull=False),
                name="phone_number_acquired_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(renews_on=None, anchored_on=None)
                | Q(organization__isnull=False, anchored_on__isnull=False, renews_on__gt=F("anchored_on")),
                name="phone_number_renewed_by_its_owner",
            ),
            # Who owns a number holds it no more, and an emergency address is its owner's.
            models.CheckConstraint(
                condition=Q(organization__isnull=False, reservation=None, former_owner=None)
                | Q(organization=None, emergency_address=None),
                name="phone_number_held_or_owned",
            ),
        ]
        indexes = [
            models.Index(
                fields=["area", "reserved_until", "id"],
                condition=Q(organization=None, retired_at=None),
                name="phone_number_free",
            ),
            models.Index(
                fields=["reservation"], condition=Q(reservation__isnull=False), name="phone_number_of_reservation"
            ),
            models.Index(
                fields=["former_owner", "area"],
                condition=Q(former_owner__isnull=False),
                name="phone_number_of_former_owner",
            ),
            models.Index(
                fields=["organization", "number", "id"],
                condition=Q(organization__isnull=False),
                name="phone_number_by_number",
            ),
            models.Index(
                fields=["organization", "area", "number", "id"],
                include=["source"],
                condition=Q(organization__isnull=False),
                name="phone_number_by_area",
            ),
            models.Index(
                fields=["organization", "assignable_from"],
                condition=Q(organization__isnull=False),
                name="phone_number_by_cooling_off",
            ),
            models.Index(
                fields=["organization", "renews_on"],
                condition=Q(renews_on__isnull=False),
                name="phone_number_to_renew",
            ),
            models.Index(
                fields=["organization", "emergency_address"],
                condition=Q(emergency_address__isnull=False),
                name="phone_number_by_address",
            ),
            # Of what is owned alone: each hold of a free number would have to write to it.
            GinIndex(
                F("organization"),
                OpClass(F("number"), "gin_trgm_ops"),
                condition=Q(organization__isnull=False),
                name="phone_number_search",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="one_holder",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("organization_id", "reservation_id"),
                condition=pgtrigger.Condition(
                    "OLD.organization_id IS DISTINCT FROM NEW.organization_id"
                    " OR OLD.reservation_id IS DISTINCT FROM NEW.reservation_id"
                ),
                func=REFUSE_TWO,
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def digits(self) -> str:
        """The number without its plus, as it stands in an address."""
        return self.number.removeprefix("+")


class NumberAcquisition(models.Model):
    """Numbers that were ordered together of whoever provides them, by our ``reference``, under which they are asked.

    The stock answers at once: an acquisition of it is completed when it is written.
    """

    class State(models.TextChoices):
        ASKED = "asked", pgettext_lazy("acquisition", "Asked")
        COMPLETED = "completed", pgettext_lazy("acquisition", "Completed")
        REFUSED = "refused", pgettext_lazy("acquisition", "Refused")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    reference = models.UUIDField()
    provider = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State)
    quantity = models.PositiveSmallIntegerField()
    # The quota by which numbers for people were acquired.
    allowed = models.PositiveIntegerField(null=True)
    made_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="acquisition_in_organization"),
            models.UniqueConstraint(fields=["provider", "reference"], name="acquisition_reference_once"),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "completed", "refused"]), name="acquisition_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="asked", settled_at=None) | (~Q(state="asked") & Q(settled_at__isnull=False)),
                name="acquisition_settled_when",
            ),
        ]

    def __str__(self) -> str:
        return f"acquisition {self.pk}"


class NumberOwnership(models.Model):
    """An organization owned a number from ``since`` to ``until``; None: it still does."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    number = models.ForeignKey(PhoneNumber, models.PROTECT, related_name="ownerships", db_index=False)
    source = models.CharField(max_length=10, choices=PhoneNumber.Source)
    # None for what was ported.
    acquisition = models.ForeignKey(
        NumberAcquisition, models.PROTECT, null=True, related_name="ownerships", db_constraint=False
    )
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    acquired_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    released_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="ownership_in_organization"),
            models.UniqueConstraint(fields=["number"], condition=Q(until=None), name="ownership_of_one"),
            models.CheckConstraint(condition=Q(source__in=["stock", "ported"]), name="ownership_source_known"),
            models.CheckConstraint(
                condition=Q(until=None, released_by=None) | Q(until__gte=F("since")), name="ownership_ends_later"
            ),
        ]
        indexes = [models.Index(fields=["organization", "number", "-since", "-id"], name="ownership_of_number")]
        triggers = [
            pgtrigger.Protect(
                name="stays_in_history",
                operation=pgtrigger.UpdateOf("organization_id", "number_id", "since") | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return f"ownership {self.pk}"


class NumberTag(models.Model):
    """A word of an organization for one of its numbers. ``key`` is how it is compared: in no case."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    # Constrained together with the organization, so that nothing it says of a number outlives owning it.
    number = models.ForeignKey(PhoneNumber, models.PROTECT, related_name="tags", db_index=False, db_constraint=False)
    name = models.CharField(max_length=50)
    key = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="number_tag_in_organization"),
            models.UniqueConstraint(fields=["number", "key"], name="number_tag_once"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(key=""), name="number_tag_has_name"),
        ]
        indexes = [models.Index(fields=["organization", "key", "number"], name="number_tag_by_name")]

    def __str__(self) -> str:
        return self.name


class NumberQuota(models.Model):
    """How many numbers an organization may have, as those who run the installation have set it, and why."""

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="number_quota")
    numbers = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="number_quota_in_organization"),
            models.CheckConstraint(condition=~Q(reason=""), name="number_quota_has_reason"),
        ]

    def __str__(self) -> str:
        return f"quota {self.organization_id}"
