from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from skypemgr.clock import DatabaseClock

LONGEST_COMMENT = 1_000


class HelpFeedback(models.Model):
    """Whether an article of /help/ was useful to somebody, of whom nothing is kept.

    ``key`` is that of the form, which counts once however often it is sent.
    """

    article = models.CharField(max_length=60)
    language = models.CharField(max_length=5)
    useful = models.BooleanField()
    comment = models.TextField(blank=True)
    key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(article__regex="^[a-z0-9]+(-[a-z0-9]+)*$"), name="help_article_slug"),
            models.CheckConstraint(condition=Q(language__in=["en", "fr", "sv"]), name="help_language_known"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("comment"), LONGEST_COMMENT), name="help_comment_short"
            ),
        ]
        indexes = [
            models.Index(fields=["article", "useful"], name="help_totals"),
            models.Index(fields=["-id"], condition=~Q(comment=""), name="help_comments_newest"),
            models.Index(fields=["article", "-id"], condition=~Q(comment=""), name="help_comments_of_article"),
            models.Index(fields=["created_at"], name="help_oldest"),
        ]

    def __str__(self) -> str:
        return f"feedback {self.pk}"
