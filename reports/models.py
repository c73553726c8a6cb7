from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from members.models import Member, Organization


class SavedReport(models.Model):
    """A report that was saved under a name: what it asks for, when it is sent, and as what file.

    ``query`` is what stands in the address of its page, without the days: these are those before the day on which it
    is sent.
    """

    class Sent(models.TextChoices):
        NEVER = "never", pgettext_lazy("report", "Not sent")
        DAILY = "daily", pgettext_lazy("report", "Every day, about the day before")
        WEEKLY = "weekly", pgettext_lazy("report", "On Mondays, about the week before")
        MONTHLY = "monthly", pgettext_lazy("report", "On the 1st, about the month before")

    class Format(models.TextChoices):
        PDF = "pdf", "PDF"
        XLSX = "xlsx", "XLSX"
        CSV = "csv", "CSV"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    report = models.CharField(max_length=20)
    query = models.CharField(max_length=300, blank=True)
    sent = models.CharField(max_length=10, choices=Sent)
    format = models.CharField(max_length=4, choices=Format, default=Format.PDF)
    saved_by = models.ForeignKey(Member, models.PROTECT, related_name="+", db_constraint=False)
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="saved_report_in_organization"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_report_has_name"),
            models.CheckConstraint(
                condition=Q(sent__in=["never", "daily", "weekly", "monthly"]), name="saved_report_sent_known"
            ),
            models.CheckConstraint(condition=Q(format__in=["pdf", "xlsx", "csv"]), name="saved_report_format_known"),
        ]

    def __str__(self) -> str:
        return self.name


class ReportReader(models.Model):
    """Somebody whom a saved report is sent to."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    saved = models.ForeignKey(SavedReport, models.CASCADE, related_name="readers", db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="report_reader_in_organization"),
            models.UniqueConstraint(fields=["saved", "member"], name="report_reader_once"),
        ]

    def __str__(self) -> str:
        return f"reader {self.pk}"


class ReportSending(models.Model):
    """That a saved report was sent to somebody on the day on which it was due: once, whoever tries again."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    saved = models.ForeignKey(SavedReport, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_constraint=False)
    due_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="report_sending_in_organization"),
            models.UniqueConstraint(fields=["saved", "member", "due_on"], name="report_sent_once"),
        ]

    def __str__(self) -> str:
        return f"sending {self.pk}"
