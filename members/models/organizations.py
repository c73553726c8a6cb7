import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

LANGUAGES = [("en", "English"), ("fr", "Français"), ("sv", "Svenska")]


class Organization(models.Model):
    """The Skype Manager of one company. Its currency is frozen at set-up; its months begin in its time zone."""

    # Two hundred characters, some of several parts.
    name = models.CharField(max_length=400)
    slug = models.SlugField(max_length=60, unique=True)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    # The month in which the zone was changed last: it is that of the zone before (members/months.py).
    zone_month_start = models.DateTimeField(null=True)
    zone_month_end = models.DateTimeField(null=True)
    language = models.CharField(max_length=5, choices=LANGUAGES, default="en")
    allow_personal_accounts = models.BooleanField(default=True)
    # Whether members see who else is one.
    show_colleagues = models.BooleanField(default=False, db_default=False)
    # Administrators without a second factor are led to get one before the console opens.
    require_second_factor = models.BooleanField(default=False)
    # No letter leaves before the founder's address is verified (decision 11).
    letters_released_at = models.DateTimeField(null=True)
    # When it closes, once somebody has asked for that; from ``closed_at`` on nothing of it moves, and by
    # ``closing_done_at`` its members are out.
    closes_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closing_done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closes_at__isnull=False, closed_at__gte=F("closes_at")),
                name="organization_closed_when_due",
            ),
            models.CheckConstraint(
                condition=Q(closing_done_at=None) | Q(closed_at__isnull=False), name="organization_closed_before_done"
            ),
            models.CheckConstraint(condition=Q(language__in=["en", "fr", "sv"]), name="organization_language_known"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="organization_country_shape"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="organization_currency_shape"),
            models.CheckConstraint(condition=~Q(name=""), name="organization_has_name"),
            models.CheckConstraint(
                condition=Q(zone_month_start=None, zone_month_end=None)
                | Q(zone_month_start__isnull=False, zone_month_end__gt=F("zone_month_start")),
                name="organization_zone_month_whole",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="stays_closed",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("closed_at", "closes_at"),
                condition=pgtrigger.Condition(
                    "OLD.closed_at IS NOT NULL AND"
                    " (OLD.closed_at, OLD.closes_at) IS DISTINCT FROM (NEW.closed_at, NEW.closes_at)"
                ),
                func="RAISE EXCEPTION 'A closed organization stays closed.';",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """A part of an organization. Departments nest; ``path`` is the names from the top, joined by " / "."""

    MAX_DEPTH = 6

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="departments", db_index=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=700)
    sort_key = models.CharField(max_length=1400)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="department_in_organization"),
            models.UniqueConstraint("organization", Lower("path"), name="department_path_once"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("id")), name="department_not_its_own_parent"),
            models.CheckConstraint(condition=~Q(name=""), name="department_has_name"),
        ]
        indexes = [models.Index(fields=["organization", "sort_key"], name="department_by_path")]

    def __str__(self) -> str:
        return self.path
