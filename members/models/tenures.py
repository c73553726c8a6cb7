import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from .organizations import Organization

# Who the present person is stands in their account and nowhere else.
NAMELESS = Q(first_name="", last_name="", email="", job_title="")


class Tenure(models.Model):
    """One person's time with the account of a member, from ``started_at`` to ``ended_at``.

    Triggers begin one with each member, end it when they leave and go on with it when they come back. One that was
    handed over has a later one, and keeps who the person was until that is erased (decision 22).
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey("members.Member", models.CASCADE, related_name="tenures", db_index=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    first_name = models.CharField(max_length=400, blank=True, default="", db_default="")
    last_name = models.CharField(max_length=400, blank=True, default="", db_default="")
    email = models.EmailField(max_length=254, blank=True, default="", db_default="")
    job_title = models.CharField(max_length=400, blank=True, default="", db_default="")
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(ended_at=None), name="tenure_open_once_per_member"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="tenure_ends_after_it_started"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False, erased_at=None) | NAMELESS, name="tenure_names_whoever_had_it"
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(ended_at__isnull=False), name="tenure_is_over_when_erased"
            ),
            # Of those that are over: an open one begins where the last ended, so a company of a million pays nothing.
            ExclusionConstraint(
                name="tenure_one_at_a_time",
                expressions=[
                    (Func(F("member"), F("member"), models.Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func(F("started_at"), F("ended_at"), function="tstzrange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(ended_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["member", "started_at"], name="tenure_by_member")]

    def __str__(self) -> str:
        return f"tenure {self.pk}"

    @property
    def display_name(self) -> str:
        """What the person was called; of somebody who is erased, a name that says nothing."""
        return f"{self.first_name} {self.last_name}".strip() or self.email or f"erased-t{self.pk}"


def tenure_triggers() -> list[pgtrigger.Trigger]:
    """The triggers of members that keep their tenures."""
    return [
        pgtrigger.Trigger(
            name="tenure_begins",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="entered"),
            func=(
                "INSERT INTO members_tenure (organization_id, member_id, started_at, ended_at)"
                " SELECT organization_id, id, created_at,"
                " CASE WHEN state = 'left' THEN greatest(created_at, joined_at) END FROM entered; RETURN NULL;"
            ),
        ),
        pgtrigger.Trigger(
            name="tenure_ends",
            when=pgtrigger.After,
            operation=pgtrigger.UpdateOf("state"),
            condition=pgtrigger.Condition("(NEW.state = 'left' AND OLD.state <> 'left')"),
            func=(
                "UPDATE members_tenure SET ended_at = greatest(started_at, clock_timestamp())"
                " WHERE member_id = NEW.id AND ended_at IS NULL; RETURN NULL;"
            ),
        ),
        pgtrigger.Trigger(
            name="tenure_goes_on",
            when=pgtrigger.After,
            operation=pgtrigger.UpdateOf("state"),
            condition=pgtrigger.Condition("(OLD.state = 'left' AND NEW.state <> 'left')"),
            func=(
                "UPDATE members_tenure SET ended_at = NULL WHERE id = (SELECT id FROM members_tenure"
                " WHERE member_id = NEW.id ORDER BY started_at DESC, id DESC LIMIT 1); RETURN NULL;"
            ),
        ),
    ]
