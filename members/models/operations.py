from django.db import models

from .organizations import Organization


class Operation(models.Model):
    """A request that was carried out, by the key its form was given when it was shown.

    The same key with the same facts is answered with ``result`` and does nothing again.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=60)
    key = models.UUIDField()
    digest = models.CharField(max_length=64)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name", "key"], nulls_distinct=False, name="operation_once_per_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.key}"
