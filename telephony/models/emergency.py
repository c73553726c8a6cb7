import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import Member, Organization


class EmergencyAddressQuerySet(models.QuerySet["EmergencyAddress"]):
    def live(self) -> "EmergencyAddressQuerySet":
        """Those that people can be given."""
        return self.filter(retired_at=None)

    def named(self, name: str) -> "EmergencyAddressQuerySet":
        """The live one of a name, in whatever case it is written."""
        return self.live().filter(name_key=name_key(name))


def name_key(name: str) -> str:
    """A name as it is compared: the database knows upper and lower case of ASCII alone."""
    return " ".join(name.split()).casefold()


class EmergencyAddress(models.Model):
    """Where people are found when they call for help: a street address that goes by one name, through its versions.

    Numbers and people refer to it, so a new version moves all of them at once. Its country never changes: its
    numbers are of that country. A retired one is kept for what happened while it was used.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="emergency_addresses", db_index=False)
    # A hundred characters, each of up to four parts.
    name = models.CharField(max_length=400)
    name_key = models.CharField(max_length=800)
    country = models.CharField(max_length=2)
    # None only until the first version is written, in the same transaction.
    current = models.ForeignKey(
        "telephony.EmergencyAddressVersion", models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    sort_key = models.CharField(max_length=600)
    # Folded name, street, city and postal code, for the search box.
    search_text = models.CharField(max_length=600)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    objects = EmergencyAddressQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="emergency_address_in_organization"),
            models.UniqueConstraint(
                fields=["organization", "id", "country"], name="emergency_address_country_in_organization"
            ),
            models.UniqueConstraint(
                fields=["organization", "name_key"], condition=Q(retired_at=None), name="emergency_address_name_once"
            ),
            models.CheckConstraint(condition=~Q(name="") & ~Q(name_key=""), name="emergency_address_has_name"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="emergency_address_country_shape"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "sort_key", "id"],
                condition=Q(retired_at=None),
                name="emergency_address_by_name",
            ),
            models.Index(
                fields=["organization", "country", "sort_key", "id"],
                condition=Q(retired_at=None),
                name="emergency_address_by_country",
            ),
            models.Index(
                fields=["organization", "sort_key", "id"],
                condition=Q(retired_at__isnull=False),
                name="emergency_address_retired",
            ),
            GinIndex(F("organization"), OpClass(F("search_text"), "gin_trgm_ops"), name="emergency_address_search"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_in_its_country",
                operation=pgtrigger.UpdateOf("organization_id", "country") | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return self.name


class EmergencyAddressVersion(models.Model):
    """An emergency address as it was saved, exactly as it had been validated. Never changed, never deleted.

    ``typed`` is what somebody wrote, ``changes`` what the validator made of it, ``fields`` its result for each field
    (valid, invalid, unchecked). The street stands as one line, and in its parts as far as they are told apart.
    ``content_hash`` is that of what is saved.
    """

    class Status(models.TextChoices):
        VALIDATED = "validated", pgettext_lazy("emergency address", "Validated")
        CORRECTED = "corrected", pgettext_lazy("emergency address", "Corrected")
        WARNING = "warning", pgettext_lazy("emergency address", "With a warning")
        VALIDATED_MANUALLY = "validated_manually", _("Validated by an administrator")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    address = models.ForeignKey(
        EmergencyAddress, models.PROTECT, related_name="versions", db_index=False, db_constraint=False
    )
    number = models.PositiveIntegerField()
    company_name = models.CharField(max_length=200, blank=True)
    house_number = models.CharField(max_length=20, blank=True)
    house_number_suffix = models.CharField(max_length=20, blank=True)
    pre_directional = models.CharField(max_length=20, blank=True)
    street_prefix = models.CharField(max_length=40, blank=True)
    street_name = models.CharField(max_length=200, blank=True)
    street_suffix = models.CharField(max_length=40, blank=True)
    post_directional = models.CharField(max_length=20, blank=True)
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    typed = models.JSONField()
    changes = models.JSONField(default=list)
    fields = models.JSONField(default=dict)
    status = models.CharField(max_length=20, choices=Status)
    reason = models.CharField(max_length=300, blank=True)
    validator_version = models.CharField(max_length=20)
    content_hash = models.CharField(max_length=64)
    # None: the system, or whoever runs the installation.
    made_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="address_version_in_organization"),
            models.UniqueConstraint(
                fields=["organization", "address", "id"], name="address_version_of_address_in_organization"
            ),
            models.UniqueConstraint(fields=["address", "number"], name="address_version_number_once"),
            models.CheckConstraint(
                condition=Q(status__in=["validated", "corrected", "warning", "validated_manually"]),
                name="address_version_status_known",
            ),
            models.CheckConstraint(
                condition=(Q(status="validated_manually") & ~Q(reason=""))
                | (~Q(status="validated_manually") & Q(reason="")),
                name="address_version_by_hand_has_reason",
            ),
            models.CheckConstraint(condition=~Q(street=""), name="address_version_has_street"),
            models.CheckConstraint(condition=Q(number__gte=1), name="address_version_numbers_begin_with_one"),
            models.CheckConstraint(
                condition=Q(content_hash__regex="^[0-9a-f]{64}$"), name="address_version_hash_shape"
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
                name="address_version_on_earth",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"version {self.number}"


class Place(models.Model):
    """Where exactly at an emergency address: a building, a floor, a room, or words people on site know.

    Nobody checks it. One that was removed is kept for what happened while it was used.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    address = models.ForeignKey(
        EmergencyAddress, models.PROTECT, related_name="places", db_index=False, db_constraint=False
    )
    name = models.CharField(max_length=400)
    name_key = models.CharField(max_length=800)
    building = models.CharField(max_length=100, blank=True)
    floor = models.CharField(max_length=100, blank=True)
    room = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="place_in_organization"),
            # So that whoever is at a place is at its address.
            models.UniqueConstraint(fields=["organization", "address", "id"], name="place_of_address_in_organization"),
            models.UniqueConstraint(
                fields=["address", "name_key"], condition=Q(removed_at=None), name="place_name_once"
            ),
            models.CheckConstraint(condition=~Q(name="") & ~Q(name_key=""), name="place_has_name"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_at_its_address",
                operation=pgtrigger.UpdateOf("organization_id", "address_id") | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return self.name
