"""What people say of the help, without saying who they are."""

from uuid import UUID

from django.db import transaction

from members.access import Actor
from members.errors import KeyReused, NamesSomebody, TooManyTries
from members.models import HelpFeedback
from members.personal_hints import names_somebody
from members.throttle import HELP_FEEDBACK_PLACE, count_try


def give_help_feedback(*, actor: Actor, article: str, language: str, useful: bool, comment: str, key: UUID) -> None:
    """Keep whether ``article`` was useful, with a comment of at most 1,000 characters; once for each ``key``.

    Nothing is kept of who says so (000-21). Raises NamesSomebody for a comment that seems to, TooManyTries for a place
    that says too much, and KeyReused when the same form was sent with other values.
    """
    if names_somebody(comment):
        raise NamesSomebody
    if not _count_feedback(place=actor.address):
        raise TooManyTries(seconds=HELP_FEEDBACK_PLACE.minutes * 60)
    _keep(article=article, language=language, useful=useful, comment=comment, key=key)


@transaction.atomic(durable=True)
def _count_feedback(*, place: str) -> bool:
    return count_try(HELP_FEEDBACK_PLACE, place)


@transaction.atomic(durable=True)
def _keep(*, article: str, language: str, useful: bool, comment: str, key: UUID) -> None:
    said = {"article": article, "language": language, "useful": useful, "comment": comment}
    kept, made = HelpFeedback.objects.get_or_create(key=key, defaults=said)
    if not made and any(getattr(kept, name) != value for name, value in said.items()):
        raise KeyReused
