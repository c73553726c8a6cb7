from django.db import models


class Throttle(models.Model):
    """How often something was tried since ``began_at``. ``key`` is a keyed hash: it names nobody."""

    scope = models.CharField(max_length=20)
    key = models.CharField(max_length=64)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="throttle_once_per_key")]
        indexes = [models.Index(fields=["began_at"], name="throttle_oldest")]

    def __str__(self) -> str:
        return f"{self.scope} {self.count}"
