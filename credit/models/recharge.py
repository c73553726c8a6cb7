from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from credit.models.ledger import AmountField
from members.models import Member, Organization


class RechargePlan(models.Model):
    """How a member is recharged from the wallet: by ``amount`` when the balance falls below ``below``, in a month up
    to ``monthly_limit``, while it is ``active``. What was recharged stands in the ledger.

    ``refusal`` says why a recharge that was due was not made, or not in full, when that was looked at last, and
    ``refused_at`` since when; whoever holds the lock of the member's account writes both.
    """

    class Refusal(models.TextChoices):
        LIMIT = "limit", _("The monthly limit is reached")
        WALLET = "wallet", _("The wallet holds too little")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="recharge_plans", db_index=False)
    member = models.OneToOneField(Member, models.PROTECT, related_name="recharge_plan")
    amount = AmountField()
    below = AmountField()
    monthly_limit = AmountField()
    active = models.BooleanField(default=True)
    refusal = models.CharField(max_length=10, choices=Refusal, blank=True, default="")
    refused_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="recharge_plan_in_organization"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="recharge_amount_positive"),
            # One recharge is enough as long as nobody is overdrawn (reliability §5.1, row 36).
            models.CheckConstraint(
                condition=Q(below__gte=0, below__lte=F("amount")), name="recharge_below_between_nothing_and_amount"
            ),
            models.CheckConstraint(condition=Q(monthly_limit__gte=F("amount")), name="recharge_limit_holds_one"),
            models.CheckConstraint(condition=Q(refusal__in=["", "limit", "wallet"]), name="recharge_refusal_known"),
            models.CheckConstraint(
                condition=Q(refusal="", refused_at=None) | (~Q(refusal="") & Q(refused_at__isnull=False, active=True)),
                name="recharge_refusal_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["organization"], condition=Q(active=True), name="recharge_plans_active"),
            models.Index(fields=["organization", "refusal"], condition=~Q(refusal=""), name="recharge_plans_refused"),
        ]

    def __str__(self) -> str:
        return f"recharge plan {self.pk}"


class RechargeCall(models.Model):
    """Credit came into a wallet, so the recharges that it couldn't cover are to be looked at. Gone when they were."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"recharge call {self.pk}"
