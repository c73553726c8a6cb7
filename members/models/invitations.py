from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .organizations import Department, Organization
from .people import Member, User


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, at: datetime) -> "InvitationQuerySet":
        """Pending ones whose link still works at ``at``; expiry is a predicate, never a job."""
        return self.filter(state=Invitation.State.PENDING, expires_at__gt=at)

    def addressed(self, email: str) -> "InvitationQuerySet":
        """Those that were sent to an address, in whatever case it is written."""
        return self.alias(folded_email=Lower("email")).filter(folded_email=email.lower())


class Invitation(models.Model):
    """An offer to join, by a link that works once, until ``expires_at``.

    For a business account ``member`` is the account that waits to be finished. For a personal account
    ``user`` is the account that was asked, or None when only an address is known.
    Raising ``version`` kills every link sent before.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        CANCELED = "canceled", pgettext_lazy("invitation", "Canceled")

    class Reply(models.TextChoices):
        """What somebody who can't use the link told the inviter with the button of its page."""

        NEW_LINK = "new_link", _("Asked for a new link")
        NOT_ME = "not_me", _("Says it is not for them")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="invitations", db_index=False)
    kind = models.CharField(max_length=10, choices=User.Kind)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="invitations")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="invitations")
    department = models.ForeignKey(Department, models.SET_NULL, null=True, related_name="+")
    email = models.EmailField(max_length=254)
    invited_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # When the page of the newest link was first shown to somebody who could answer.
    opened_at = models.DateTimeField(null=True)
    reply = models.CharField(max_length=10, choices=Reply, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="invitation_in_organization"),
            models.UniqueConstraint(
                "organization", Lower("email"), condition=Q(state="pending"), name="invitation_pending_once_per_address"
            ),
            models.CheckConstraint(condition=Q(kind__in=["personal", "business"]), name="invitation_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "accepted", "declined", "canceled"]), name="invitation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="personal") | Q(member__isnull=False), name="invitation_business_has_member"
            ),
            models.CheckConstraint(condition=Q(reply__in=["", "new_link", "not_me"]), name="invitation_reply_known"),
        ]
        indexes = [
            models.Index(fields=["organization", "state", "-id"], name="invitation_by_state"),
            models.Index(
                fields=["organization", "expires_at"], condition=Q(state="pending"), name="invitation_by_expiry"
            ),
            models.Index(
                fields=["organization", "-id"],
                condition=Q(state="pending") & ~Q(reply=""),
                name="invitation_replied",
            ),
            models.Index(
                fields=["organization", "-id"],
                condition=Q(state="pending", opened_at__isnull=False),
                name="invitation_opened",
            ),
            # Of people without an account here: nobody else is found by what they are called.
            models.Index(fields=["organization", "-id"], condition=Q(member=None), name="invitation_of_strangers"),
            models.Index(
                Lower("email"), condition=Q(state="pending", kind="personal", user=None), name="invitation_by_address"
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def inviter_name(self) -> str:
        """What whoever invited was called then; "" for the system."""
        return self.invited_by.name_at(self.created_at) if self.invited_by else ""

    @property
    def inviter_is_there(self) -> bool:
        """Whether whoever invited still has their account, and nobody after them."""
        since = self.invited_by.user.handed_over_at if self.invited_by else None
        return self.invited_by is not None and (since is None or since <= self.created_at)

    @property
    def member_name(self) -> str:
        """What the member was called when they answered; before that, what they are called. "" of a stranger."""
        if self.member is None:
            return ""
        return self.member.name_at(self.closed_at) if self.closed_at else self.member.user.display_name

    def is_open(self, at: datetime) -> bool:
        return self.state == self.State.PENDING and self.expires_at > at
