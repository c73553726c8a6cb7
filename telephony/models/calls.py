import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import pgettext_lazy

from credit.models.ledger import AmountField
from members.models import Department, Member, Organization
from skypemgr.clock import DatabaseClock

from .products import Product
from .rates import BYTES, PrefixRate

LONGEST_SOURCE = 40
# A file that five workers in a row did not survive is left to people.
MOST_ATTEMPTS = 5


class PlanCoverage(models.Model):
    """The calls that cost nothing to whoever has a seat of a product: to some countries, for some minutes a month.

    ``domestic`` ones are to the country of the organization. ``minutes`` None: as many as they like. Each call counts
    as the minutes that it has begun, and those of a month are used up in the order in which calls were made.
    """

    product = models.OneToOneField(Product, models.PROTECT, related_name="coverage")
    countries = ArrayField(models.CharField(max_length=2), default=list)
    domestic = models.BooleanField(default=False)
    minutes = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(domestic=True) | ~Q(countries=[]), name="plan_covers_something"),
        ]

    def __str__(self) -> str:
        return f"coverage of {self.product_id}"


class AccountCode(models.Model):
    """What switches call a member by, other than their Skype Name and address; in lower case."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=255)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="account_codes", db_index=False, db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="account_code_in_organization"),
            models.UniqueConstraint(fields=["organization", "code"], name="account_code_once"),
            models.CheckConstraint(condition=~Q(code=""), name="account_code_says_something"),
        ]
        indexes = [models.Index(fields=["organization", "member"], name="account_codes_of_member")]

    def __str__(self) -> str:
        return self.code


class CallImport(models.Model):
    """A feed of calls, and what came of its ``rows`` so far; ``wrong`` counts those that could not be read.

    ``errors`` tells the first of these, each as row, field, code and facts. It is finished when it says when; one
    that isn't is under way, or was broken off. Of one that is only tried the figures say what would come of it.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=LONGEST_SOURCE)
    format = models.CharField(max_length=20)
    file_name = models.CharField(max_length=255, blank=True)
    # None: the system, or whoever runs the installation.
    imported_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    started_at = models.DateTimeField(db_default=DatabaseClock())
    finished_at = models.DateTimeField(null=True)
    added = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    unassigned = models.PositiveIntegerField(default=0)
    unrated = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    charged = AmountField(default=0)
    rows = models.PositiveIntegerField(default=0, db_default=0)
    errors = models.JSONField(default=list, db_default=Value([], models.JSONField()))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="call_import_in_organization"),
            models.CheckConstraint(condition=~Q(source=""), name="call_import_has_source"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"


class CallUpload(models.Model):
    """The file of an import that workers carry out, or only try; it is gone when that is done, or after a day.

    What is behind ``rows`` of the import is still to be read. ``lines`` is about how many rows there are.
    """

    class State(models.TextChoices):
        TRYING = "trying"
        TRIED = "tried"
        RUNNING = "running"

    imported = models.OneToOneField(CallImport, models.CASCADE, related_name="upload")
    state = models.CharField(max_length=10, choices=State)
    time_zone = models.CharField(max_length=60)
    content = models.BinaryField()
    lines = models.PositiveIntegerField()
    # Attempts in a row of workers of which nothing came.
    attempts = models.PositiveSmallIntegerField(default=0)
    uploaded_at = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["trying", "tried", "running"]), name="call_upload_state_known"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=~Q(state="tried"), name="call_upload_open")]

    def __str__(self) -> str:
        return f"file of import {self.imported_id}"

    @property
    def is_given_up(self) -> bool:
        """Whether no worker takes it up any more, until somebody says so."""
        return self.state != self.State.TRIED and self.attempts >= MOST_ATTEMPTS

    @property
    def is_under_way(self) -> bool:
        return self.state != self.State.TRIED and not self.is_given_up


class CallKey(models.Model):
    """By what a call is known when it is sent again, whatever else is said of it then. ``at`` is where it is kept."""

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    source = models.CharField(max_length=LONGEST_SOURCE, db_collation=BYTES)
    external_id = models.CharField(max_length=255, db_collation=BYTES)
    leg = models.CharField(max_length=255, blank=True, db_collation=BYTES)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "source", "external_id", "leg"], name="call_once"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id} {self.leg}"


class Call(models.Model):
    """A call detail record: who called whom, when and for how long, what it costs and why.

    It begins ``at``; ``day`` is that of the organization then. ``member`` made it, or was called, in ``department``.
    ``called`` is as it was dialed, ``digits`` the number in E.164 without +, ``country`` where that is. ``price`` is
    what it costs by its ``rate``, ``charge`` what was taken for it: nothing where ``plan`` covers it. ``postings``
    counts how often that was posted to the ledger. Kept in partitions by month, which ``telephony.calls`` makes.
    """

    class Direction(models.TextChoices):
        OUTBOUND = "outbound", pgettext_lazy("call", "Outgoing")
        INBOUND = "inbound", pgettext_lazy("call", "Incoming")

    class Outcome(models.TextChoices):
        UNANSWERED = "unanswered", pgettext_lazy("call", "Not answered")
        EMERGENCY = "emergency", pgettext_lazy("call", "Emergency call")
        SHORT = "short", pgettext_lazy("call", "Short number")
        INTERNAL = "internal", pgettext_lazy("call", "Inside the organization")
        INBOUND = "inbound", pgettext_lazy("call", "Incoming call")
        COVERED = "covered", pgettext_lazy("call", "Covered by a plan")
        RATED = "rated", pgettext_lazy("call", "Charged")
        UNRATED = "unrated", pgettext_lazy("call", "No rate")
        UNASSIGNED = "unassigned", pgettext_lazy("call", "Nobody’s")

    pk = models.CompositePrimaryKey("organization_id", "at", "id")
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    at = models.DateTimeField()
    id = models.BigIntegerField()
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    department = models.ForeignKey(
        Department, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    rate = models.ForeignKey(
        PrefixRate, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    imported = models.ForeignKey(CallImport, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    price = AmountField(null=True)
    charge = AmountField()
    day = models.DateField()
    duration = models.IntegerField()
    seconds = models.IntegerField()
    billed_seconds = models.IntegerField()
    postings = models.SmallIntegerField()
    direction = models.CharField(max_length=8, choices=Direction)
    outcome = models.CharField(max_length=10, choices=Outcome)
    country = models.CharField(max_length=2, blank=True)
    digits = models.CharField(max_length=15, blank=True, db_collation=BYTES)
    destination = models.CharField(max_length=100, blank=True)
    plan = models.CharField(max_length=40, blank=True)
    account = models.CharField(max_length=255, blank=True)
    caller = models.CharField(max_length=255, blank=True)
    called = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(direction__in=["outbound", "inbound"]), name="call_direction_known"),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        *("unanswered", "emergency", "short", "internal", "inbound", "covered", "rated"),
                        *("unrated", "unassigned"),
                    ]
                ),
                name="call_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(outcome="unassigned", member=None) | (~Q(outcome="unassigned") & Q(member__isnull=False)),
                name="call_is_of_a_member",
            ),
            models.CheckConstraint(
                condition=Q(outcome="rated", price__isnull=False, charge=F("price"))
                | (~Q(outcome="rated") & Q(charge=0)),
                name="call_charged_when_rated",
            ),
            models.CheckConstraint(condition=~Q(outcome="covered") | ~Q(plan=""), name="call_covered_by_a_plan"),
            models.CheckConstraint(
                condition=Q(seconds__gte=0, billed_seconds__gte=0, duration__gte=0, charge__gte=0, postings__gte=0),
                name="call_not_below_zero",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "member", "at"], name="calls_of_member"),
            models.Index(
                fields=["organization", "outcome", "at"],
                condition=Q(outcome__in=["unrated", "unassigned"]),
                name="calls_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"call {self.id}"


class Usage(models.Model):
    """Calls added up, in the transaction that wrote them: how many, how many were answered, and what they cost.

    ``seconds`` are those of answered calls, charged for or not.
    """

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    department = models.ForeignKey(
        Department, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    calls = models.BigIntegerField()
    answered = models.BigIntegerField()
    seconds = models.BigIntegerField()
    charge = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"usage {self.pk}"


def _once(name: str, *grain: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(fields=["organization", *grain], nulls_distinct=False, name=f"{name}_once"),
        models.UniqueConstraint(fields=["organization", "id"], name=f"{name}_in_organization"),
    ]


class DayUsage(Usage):
    """Of a department on a day."""

    day = models.DateField()

    class Meta:
        constraints = _once("day_usage", "day", "department")


class MonthUsage(Usage):
    """Of a department in a month, by its first day."""

    month = models.DateField()

    class Meta:
        constraints = _once("month_usage", "month", "department")


class MemberUsage(Usage):
    """Of a member in a month, in the department that they were in; None: of calls that are nobody's."""

    month = models.DateField()
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        constraints = _once("member_usage", "month", "department", "member")
        indexes = [models.Index(fields=["organization", "member", "month"], name="member_usage_of_member")]


class DestinationUsage(Usage):
    """Of a department to a destination in a month."""

    month = models.DateField()
    destination = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = _once("destination_usage", "month", "department", "destination")
