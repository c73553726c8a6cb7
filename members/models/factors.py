from django.db import models

from .people import User


class AuthenticatorApp(models.Model):
    """The app that makes one-time codes for an account. ``secret`` is sealed: the database alone can't make any."""

    user = models.OneToOneField(User, models.CASCADE, related_name="authenticator_app")
    secret = models.TextField()
    # The period of the last code that was used: a code works once, and no earlier one after it.
    last_period = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"authenticator app {self.pk}"


class Passkey(models.Model):
    """A passkey of an account: a name its owner gave it, and the public half of its key."""

    user = models.ForeignKey(User, models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    # Base64url, as browsers write it.
    credential_id = models.CharField(max_length=1400, unique=True)
    # What WebAuthn calls attested credential data: id of the model, id of the key, and the key itself.
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """One of ten codes that stand in for a lost factor, once each. Only a keyed hash of it is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"
