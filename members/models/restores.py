from django.db import models


class DatabaseMark(models.Model):
    """Which database letters were last sent from, in one row: a copy restored from a backup finds another name here."""

    identity = models.CharField(max_length=100)
    restored_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.identity
