from django.db import models

from .people import User


class UserSession(models.Model):
    """A browser in which somebody is signed in. Without this row its session is over.

    ``key`` is that of Django's session, ``browser`` what the browser said about itself, ``address`` where it was
    last seen.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    key = models.CharField(max_length=40, unique=True)
    browser = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="user_session_oldest")]

    def __str__(self) -> str:
        return f"session {self.pk}"
