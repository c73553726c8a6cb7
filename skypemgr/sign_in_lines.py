"""Lines about people who sign in, out, or try to; by id, and never by what was typed."""

import logging
from typing import Any

from django.contrib.auth import signals
from django.db.models import Model

from skypemgr import metrics

logger = logging.getLogger(__name__)


def connect() -> None:
    """Begin to listen to Django's authentication."""
    signals.user_logged_in.connect(_signed_in, weak=False)
    signals.user_logged_out.connect(_signed_out, weak=False)
    signals.user_login_failed.connect(_failed, weak=False)


def _signed_in(user: Model, **kwargs: Any) -> None:
    logger.info("Signed in.", extra={"user": user.pk})
    metrics.SIGN_INS.labels("done").inc()


def _signed_out(user: Model | None = None, **kwargs: Any) -> None:
    logger.info("Signed out.", extra={"user": getattr(user, "pk", None)})


def _failed(**kwargs: Any) -> None:
    logger.warning("A sign-in failed.")
    metrics.SIGN_INS.labels("failed").inc()
