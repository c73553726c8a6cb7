import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .invitations import Invitation
from .organizations import Organization
from .people import Member, User


class Letter(models.Model):
    """One e-mail to be sent: the outbox row, written in the transaction of what it tells about.

    Text and links are made when it is sent, so that nothing usable lies in the database.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("Invitation")
        ADDRESS_VERIFICATION = "address_verification", _("Address verification")
        PASSWORD_RESET = "password_reset", _("New password")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        ADDRESS_CHANGED = "address_changed", _("Address changed")
        SKYPE_NAMES = "skype_names", _("Your Skype Names")
        SIGN_IN_CHANGED = "sign_in_changed", _("Sign-in changed")
        ORDER_PLACED = "order_placed", pgettext_lazy("purchase", "Order")
        INVOICE = "invoice", _("Invoice")
        CREDIT_ALERT = "credit_alert", _("Credit needs attention")
        CREDIT_INACTIVE = "credit_inactive", _("Credit becomes inactive")
        ORGANIZATION_CLOSING = "organization_closing", _("Skype Manager closes")
        LETTERS_FAILED = "letters_failed", _("Letters not delivered")
        NUMBER_ASSIGNED = "number_assigned", _("Your phone number")
        PORT_ORDER = "port_order", _("Port order")
        REPORT = "report", _("Report")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", pgettext_lazy("letter", "Canceled")

    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="letters", db_index=False)
    kind = models.CharField(max_length=30, choices=Kind)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="letters")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="letters")
    invitation = models.ForeignKey(Invitation, models.PROTECT, null=True, related_name="letters")
    # Emptied 90 days after the letter was closed; nobody to write to is an empty address from the start.
    email = models.EmailField(max_length=254, blank=True)
    # Empty: decided when it is sent, by the member, then the organization.
    language = models.CharField(max_length=5, blank=True)
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Attempts in a row of which nothing more was heard: their sender died. A few, and the letter is to blame.
    interrupted = models.PositiveSmallIntegerField(default=0, db_default=0)
    last_error = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    # It waited when the data were restored from a backup, and may have gone since that was made.
    held_at = models.DateTimeField(null=True)
    message_id = models.UUIDField(default=uuid.uuid4, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    # That it failed is told, or not to be told any more.
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "invitation",
                        "address_verification",
                        "password_reset",
                        "password_changed",
                        "address_changed",
                        "skype_names",
                        "sign_in_changed",
                        "order_placed",
                        "invoice",
                        "credit_alert",
                        "credit_inactive",
                        "organization_closing",
                        "letters_failed",
                        "number_assigned",
                        "port_order",
                        "report",
                    ]
                ),
                name="letter_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sent", "failed", "canceled"]), name="letter_state_known"
            ),
            models.CheckConstraint(condition=Q(told_at=None) | Q(state="failed"), name="letter_told_when_failed"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting"), name="letter_due"),
            models.Index(fields=["organization", "-created_at"], name="letter_by_organization"),
            models.Index(
                fields=["organization", "state", "kind"],
                condition=Q(state__in=["waiting", "failed"]),
                name="letter_not_gone",
            ),
            models.Index(fields=["organization", "told_at"], condition=Q(state="failed"), name="letter_failed_told"),
            models.Index(
                fields=["closed_at", "organization"],
                condition=Q(state="sent", kind="invitation"),
                name="letter_sent_lately",
            ),
        ]

    def __str__(self) -> str:
        return f"letter {self.pk}"
