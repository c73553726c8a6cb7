import pgtrigger
from django.db import models

from skypemgr.clock import DatabaseClock

from .organizations import Organization
from .people import Member


class CallDetailConsent(models.Model):
    """What the owner of a personal account decided: whether administrators may see whom they call and when.

    Each decision is a row, and the latest holds; without any, nobody may. A business account needs none.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="call_detail_consents", db_index=False)
    given = models.BooleanField()
    at = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "id"], name="consent_in_organization")]
        indexes = [models.Index(fields=["member", "-at", "-id"], name="consent_latest")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="of_a_personal_account",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=(
                    "IF (SELECT account_kind FROM members_member WHERE id = NEW.member_id) <> 'personal' THEN"
                    " RAISE EXCEPTION 'Only the owner of a personal account decides about call detail.';"
                    " END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"
