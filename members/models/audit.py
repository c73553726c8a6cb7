import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .organizations import Organization
from .people import Member, User


class AuditOrigin(models.Model):
    """Where a person acted from. Kept apart from the entries, since it is personal and can be erased."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    address = models.GenericIPAddressField()
    # That of the account, when the person was given it: who had it before goes without them.
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "address", "handed_over_at"], nulls_distinct=False, name="audit_origin_once"
            )
        ]

    def __str__(self) -> str:
        return f"origin {self.pk}"


class AuditEntry(models.Model):
    """Who did what, on what, when, from where, before and after. Never changed, never deleted.

    People stand in it by id only. ``action`` is one of ``members.audit.Action``.
    """

    class ActorKind(models.TextChoices):
        MEMBER = "member", _("Member")
        OPERATOR = "operator", _("Operator")
        SYSTEM = "system", _("Skype Manager")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="audit_entries", db_index=False)
    at = models.DateTimeField(auto_now_add=True)
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    actor_user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    actor_member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    # The erasable half: an entry outlives its origin.
    origin = models.ForeignKey(AuditOrigin, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField(null=True)
    subject_member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    # Of the lines of the log about the work it was part of: a request, or a task.
    request_id = models.CharField(max_length=64, blank=True, db_default="", default="")
    task_id = models.CharField(max_length=64, blank=True, db_default="", default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="audit_entry_in_organization"),
            models.CheckConstraint(
                condition=Q(actor_kind__in=["member", "operator", "system"]), name="audit_entry_actor_kind_known"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="audit_entry_newest"),
            models.Index(fields=["organization", "subject_member", "-at", "-id"], name="audit_entry_by_member"),
            models.Index(fields=["organization", "action", "-at", "-id"], name="audit_entry_by_action"),
            models.Index(fields=["organization", "actor_member", "-at", "-id"], name="audit_entry_by_actor"),
            models.Index(
                fields=["organization", "actor_kind", "-at", "-id"],
                condition=~Q(actor_kind="member"),
                name="audit_entry_by_system",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"
