import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from members.models import Member, Organization, User

from .emergency import EmergencyAddress
from .numbers import NumberArea


class PortOrder(models.Model):
    """Numbers that an organization brings along from another carrier, together, to one place.

    While it is ``open`` nobody else can port any of them. ``transfer_on`` is the day that the carrier has agreed to,
    ``wanted_on`` the one that was asked for. What an organization can do with it follows from its state
    (`telephony.porting`, domain §3.5).
    """

    class State(models.TextChoices):
        PROCESSING = "processing", pgettext_lazy("port order", "Processing")
        CONTACTING = "contacting", pgettext_lazy("port order", "Contacting the carrier")
        APPROVED = "approved", pgettext_lazy("port order", "Transfer approved")
        REJECTED = "rejected", pgettext_lazy("port order", "Rejected by the carrier")
        COMPLETED = "completed", pgettext_lazy("port order", "Completed")
        CANCELED = "canceled", pgettext_lazy("port order", "Canceled")

    OPEN = (State.PROCESSING, State.CONTACTING, State.APPROVED)

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="port_orders", db_index=False)
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=12, choices=State, default=State.PROCESSING)
    country = models.CharField(max_length=2)
    type = models.CharField(max_length=10, choices=NumberArea.Type)
    city = models.CharField(max_length=100, blank=True)
    carrier = models.CharField(max_length=100)
    account_number = models.CharField(max_length=50)
    # In E.164: the number by which the carrier knows the account.
    billing_number = models.CharField(max_length=16, blank=True)
    # Who signed the letter of authorization.
    authorized_by = models.CharField(max_length=100)
    emergency_address = models.ForeignKey(
        EmergencyAddress, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    wanted_on = models.DateField(null=True)
    transfer_on = models.DateField(null=True)
    # None: the system, or whoever runs the installation.
    made_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="port_order_in_organization"),
            models.CheckConstraint(
                condition=Q(state__in=["processing", "contacting", "approved", "rejected", "completed", "canceled"]),
                name="port_order_state_known",
            ),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="port_order_country_shape"),
            models.CheckConstraint(
                condition=Q(type__in=["user", "service", "toll_free"]), name="port_order_type_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "completed"]) | Q(transfer_on__isnull=False),
                name="port_order_approved_for_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-made_at", "-id"], name="port_order_of_organization"),
            models.Index(
                fields=["made_at", "id"],
                condition=Q(state__in=["processing", "contacting", "approved"]),
                name="port_order_open",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def open(self) -> bool:
        return self.state in self.OPEN


class PortNumber(models.Model):
    """A number of a port order, in E.164. ``open`` as long as its order is: only one open order has it."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(PortOrder, models.CASCADE, related_name="numbers", db_index=False, db_constraint=False)
    number = models.CharField(max_length=16, db_collation="C")
    open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="port_number_in_organization"),
            models.UniqueConstraint(fields=["order", "number"], name="port_number_once"),
            models.UniqueConstraint(fields=["number"], condition=Q(open=True), name="port_number_in_one_open_order"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="port_number_shape"),
        ]

    def __str__(self) -> str:
        return self.number


class PortStep(models.Model):
    """A port order came into a state at a moment, or got another day; ``note`` says why. Never changed or deleted."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(PortOrder, models.PROTECT, related_name="steps", db_index=False, db_constraint=False)
    state = models.CharField(max_length=12, choices=PortOrder.State)
    transfer_on = models.DateField(null=True)
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="port_step_in_organization"),
            models.CheckConstraint(
                condition=Q(state__in=["processing", "contacting", "approved", "rejected", "completed", "canceled"]),
                name="port_step_state_known",
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="port_step_of_order")]
        triggers = [pgtrigger.Protect(name="port_step_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"step {self.pk}"


class PortLetter(models.Model):
    """A signed letter of authorization, as it was uploaded; the newest of an order counts."""

    MOST_BYTES = 5 * 1024 * 1024

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(PortOrder, models.PROTECT, related_name="letters", db_index=False, db_constraint=False)
    name = models.CharField(max_length=100)
    content_type = models.CharField(max_length=20)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    uploaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="port_letter_in_organization"),
            models.CheckConstraint(
                condition=Q(content_type__in=["application/pdf", "image/png", "image/jpeg"]),
                name="port_letter_type_known",
            ),
            models.CheckConstraint(condition=Q(size__gt=0, size__lte=5 * 1024 * 1024), name="port_letter_size"),
        ]
        indexes = [models.Index(fields=["order", "-id"], name="port_letter_of_order")]

    def __str__(self) -> str:
        return self.name
