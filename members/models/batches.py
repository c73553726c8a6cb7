from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .invitations import Invitation
from .organizations import Organization
from .people import Member


class Batch(models.Model):
    """A run over many things: reviewed as a draft, then applied row by row, and resumed after a crash."""

    class Kind(models.TextChoices):
        """The kinds of this app; others register theirs (``members.batches``)."""

        IMPORT_MEMBERS = "import_members", _("Adding members")
        MOVE_MEMBERS = "move_members", _("Moving to another department")
        BLOCK_MEMBERS = "block_members", _("Blocking sign-in")
        RESEND_INVITATIONS = "resend_invitations", _("Sending invitations again")
        MERGE_DEPARTMENT = "merge_department", _("Merging departments")
        DELETE_DEPARTMENT = "delete_department", _("Deleting a department")
        RENEW_INVITATIONS = "renew_invitations", _("Sending invitations again")
        CANCEL_INVITATIONS = "cancel_invitations", _("Taking invitations back")
        CHANGE_ADDRESSES = "change_addresses", _("Changing addresses of invitations")

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        DRAFT = "draft", _("Waiting for review")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELED = "canceled", _("Canceled")
        REFUSED = "refused", _("Could not be read")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="batches", db_index=False)
    kind = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    started_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    file_name = models.CharField(max_length=200, blank=True)
    # SHA-256 of what was uploaded; an applied batch refuses the same content again.
    fingerprint = models.CharField(max_length=64, blank=True)
    # How the file was read, and what the batch was asked to do. Nothing about a person.
    facts = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Attempts in a row of workers of which nothing came: they died, or met a mistake of ours.
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    # No worker takes it up any more, until somebody says so.
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="batch_in_organization"),
            models.UniqueConstraint(
                fields=["organization", "kind", "fingerprint"],
                condition=Q(state__in=["running", "done"]) & ~Q(fingerprint=""),
                name="batch_content_applied_once",
            ),
            models.CheckConstraint(condition=Q(kind__regex=r"^[a-z_]+$"), name="batch_kind_shape"),
            models.CheckConstraint(
                condition=Q(state__in=["reading", "draft", "running", "done", "canceled", "refused"]),
                name="batch_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="batch_newest"),
            models.Index(fields=["id"], condition=Q(state__in=["reading", "running"]), name="batch_open"),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"

    @property
    def starter_name(self) -> str:
        """What whoever began it was called then; "" for the system."""
        return self.started_by.name_at(self.started_at or self.created_at) if self.started_by else ""

    def name_of(self, member: Member) -> str:
        """What somebody whom it concerns was called when it began; before that, what they are called."""
        return member.name_at(self.started_at) if self.started_at else member.user.display_name

    @property
    def is_open(self) -> bool:
        """Whether there is work left for workers, whoever does it."""
        return self.state in OPEN_STATES

    @property
    def is_given_up(self) -> bool:
        """Whether there is, and no worker takes it up any more."""
        return self.is_open and self.given_up_at is not None

    @property
    def is_under_way(self) -> bool:
        """Whether workers are at it, or will be before long."""
        return self.is_open and self.given_up_at is None


# Those in which there is work left for workers.
OPEN_STATES = (Batch.State.READING, Batch.State.RUNNING)


class BatchPiece(models.Model):
    """A piece of the file of a batch. They go when the rows stand, or with the review that may read them again."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="batch_piece_numbered_once")]

    def __str__(self) -> str:
        return f"piece {self.number} of batch {self.batch_id}"


class BatchSlice(models.Model):
    """Some members, or invitations, that a batch is about, as they were chosen when it began; carried out as one.

    ``changed``, ``untouched`` and ``failed`` say what came of them, and are empty until then.
    """

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="slices", db_index=False)
    number = models.PositiveIntegerField()
    members = ArrayField(models.BigIntegerField())
    changed = models.PositiveIntegerField(null=True)
    untouched = models.PositiveIntegerField(null=True)
    failed = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_slice_once"),
            models.CheckConstraint(
                condition=Q(changed=None, untouched=None, failed=None)
                | Q(changed__isnull=False, untouched__isnull=False, failed__isnull=False),
                name="batch_slice_carried_out_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"slice {self.number} of batch {self.batch_id}"


class BatchRow(models.Model):
    """One row of a batch: what was asked, what is wrong with it, what came of it.

    ``data`` holds what was read (personal; purged 90 days after the batch ended). ``problems`` is a list of
    ``{"field", "code", "facts"}``; the text is made when it is shown, in the reader's language.
    """

    class Outcome(models.TextChoices):
        READY = "ready", _("Ready")
        PROBLEM = "problem", _("Needs a correction")
        SKIPPED = "skipped", _("Skipped")
        LEFT_OUT = "left_out", _("Left out")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="rows", db_index=False)
    # Data rows are counted from 1; neither the header nor blank lines count.
    number = models.PositiveIntegerField()
    data = models.JSONField(default=dict)
    outcome = models.CharField(max_length=10, choices=Outcome)
    problems = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    # What rows of one batch must not share; for people, the folded address.
    match_key = models.CharField(max_length=320, blank=True)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    # Of a run over invitations; its person need not be a member.
    invitation = models.ForeignKey(Invitation, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_row_numbered_once"),
            models.UniqueConstraint(fields=["organization", "id"], name="batch_row_in_organization"),
            models.CheckConstraint(
                condition=Q(outcome__in=["ready", "problem", "skipped", "left_out", "done", "failed"]),
                name="batch_row_outcome_known",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "outcome", "number"], name="batch_row_by_outcome"),
            models.Index(fields=["batch", "match_key", "number"], name="batch_row_by_match_key"),
            models.Index(fields=["batch", "number"], condition=~Q(outcome="done"), name="batch_row_not_done"),
            models.Index(
                F("batch"),
                Lower(KT("data__skype_name")),
                condition=Q(outcome__in=["ready", "problem"]),
                name="batch_row_by_skype_name",
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of batch {self.batch_id}"
