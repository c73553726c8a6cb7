from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from .organizations import Organization
from .people import Member


class ApiToken(models.Model):
    """A key for programs: it may do what its ``scopes`` name, as long as the member who made it may.

    The token itself is shown once and kept nowhere; ``digest`` is its SHA-256, ``ending`` its last characters, by
    which people tell one from another.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="api_tokens", db_index=False)
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    ending = models.CharField(max_length=4)
    scopes = ArrayField(models.CharField(max_length=40))
    made_by = models.ForeignKey(Member, models.PROTECT, related_name="api_tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # Known to the minute.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="api_token_in_organization"),
            models.CheckConstraint(condition=~Q(name=""), name="api_token_has_name"),
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="api_token_digest_shape"),
            models.CheckConstraint(condition=~Q(scopes=[]), name="api_token_has_scopes"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="api_token_expires_later"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="api_token_newest")]

    def __str__(self) -> str:
        return f"API token {self.pk}"

    @property
    def maker_name(self) -> str:
        """What whoever made it was called then."""
        return self.made_by.name_at(self.created_at)
