from django.db import models
from django.db.models import Q

from .organizations import Organization
from .people import Member


class NoticeChoice(models.Model):
    """Whether somebody wants the letters of a kind of notice; of ``member`` None, whether those do who have not chosen.

    Where there is no row, they do. ``notice`` is the key of a ``members.registry.Notice``.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="notice_choices", db_index=False)
    notice = models.CharField(max_length=40)
    wanted = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "member", "notice"], nulls_distinct=False, name="notice_chosen_once"
            ),
            models.CheckConstraint(condition=Q(notice__regex=r"^[a-z]+\.[a-z_]+$"), name="notice_choice_shape"),
        ]

    def __str__(self) -> str:
        return f"choice {self.pk}"
