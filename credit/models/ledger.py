from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models import AuditEntry, Batch, Member, Organization, User

# A transfer and the balances of its accounts are written by functions of the database, `credit_post` and
# `credit_post_many`, so that neither is ever without the other. They say so while they write.
# In the body of a trigger, which a session compiles once: a condition of the trigger, as a check of the table, is read
# anew by each statement.
REFUSE_HANDS = """
    IF current_setting('credit.posting', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'Credit moves by credit_post alone.';
    END IF;
"""
# No transfer but a call's charge leaves its source below zero.
REFUSE_ODD = """
    IF NEW.amount <= 0 OR NEW.source_id = NEW.target_id
        OR (NEW.source_after < 0 AND NEW.operation <> 'charge')
        OR (NEW.source_after IS NULL) <> (NEW.source_version IS NULL)
        OR (NEW.target_after IS NULL) <> (NEW.target_version IS NULL)
        OR NEW.operation NOT IN ('purchase', 'allocation', 'recharge', 'charge', 'fee', 'refund', 'settlement')
        OR NEW.actor_kind NOT IN ('member', 'operator', 'system')
    THEN
        RAISE check_violation USING MESSAGE = 'There is no such transfer.';
    END IF;
"""
# Members' accounts and the wallet keep a balance and count their transfers, the world outside doesn't.
OF_NO_KIND = """
    NEW.kind NOT IN ('wallet', 'member', 'receivable', 'purchases', 'usage', 'fees')
    OR (NEW.kind = 'member') <> (NEW.member_id IS NOT NULL)
    OR (NEW.kind IN ('wallet', 'member')) <> (NEW.balance IS NOT NULL)
    OR (NEW.balance IS NULL) <> (NEW.version IS NULL)
"""


class AmountField(models.DecimalField):
    """Credit in the currency of its organization, to four places."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"max_digits": 16, "decimal_places": 4})


# Where members' balances are told apart: below the first they are overdrawn. In every currency the same numbers.
BOUNDS = (0, 1, 5, 10, 50, 100, 500, 1000)


class Band(models.Func):
    """How many of BOUNDS a balance has reached: 0 when it is overdrawn, 1 from nothing up to the first credit."""

    function = "width_bucket"
    template = f"%(function)s(%(expressions)s, ARRAY[{', '.join(map(str, BOUNDS))}]::numeric[])"
    arity = 1


class LedgerAccount(models.Model):
    """Where credit is: an organization's wallet, a member's balance, or the world outside of the organization.

    Those that hold credit know their balance, and how many transfers have touched them (``version``). Of the world
    outside nobody keeps a balance: one row would be written by everything that happens in an organization. What is
    lent by receivable, when a refund is more than the wallet holds, is owed until it is settled.
    Balances change by transfers alone; the database sees to it.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", _("Wallet")
        MEMBER = "member", _("Member")
        RECEIVABLE = "receivable", _("Receivable")
        PURCHASES = "purchases", _("Purchases")
        USAGE = "usage", _("Usage")
        FEES = "fees", _("Fees")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="ledger_accounts", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    member = models.OneToOneField(Member, models.PROTECT, null=True, related_name="ledger_account")
    balance = AmountField(null=True)
    version = models.BigIntegerField(null=True)
    # In an index, which a balance must not be: each transfer would have to write to it.
    band = models.GeneratedField(
        expression=Band("balance"), output_field=models.IntegerField(null=True), db_persist=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="ledger_account_in_organization"),
            models.UniqueConstraint(
                fields=["organization", "kind"], condition=Q(member=None), name="ledger_account_of_each_kind_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "band"],
                include=["member"],
                condition=Q(kind="member"),
                name="ledger_accounts_by_band",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="stays_whose_it_is",
                operation=pgtrigger.UpdateOf("organization_id", "kind", "member_id") | pgtrigger.Delete,
            ),
            # No checks of the table: an account is of its kind for good, and checks would be asked at each transfer.
            pgtrigger.Trigger(
                name="is_of_its_kind",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(OF_NO_KIND),
                func="RAISE check_violation USING MESSAGE = 'There is no such account.';",
            ),
            pgtrigger.Trigger(
                name="begins_empty",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.balance <> 0 OR NEW.version <> 0"),
                func="RAISE EXCEPTION 'An account begins empty; credit comes by transfers.';",
            ),
            pgtrigger.Trigger(
                name="changes_by_transfers",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("balance", "version"),
                func=f"{REFUSE_HANDS} RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Transfer(models.Model):
    """Credit that went from one account to another of the same organization. Never changed, never deleted.

    One row debits and credits, so it balances by construction. ``amount`` is in the organization's currency. Balances
    after it, and the number of the transfer in its account, stand in it where the account keeps a balance.
    ``happened_at`` is the moment it belongs to (a call's start), ``recorded_at`` the one from which balances count it.
    """

    class Operation(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        ALLOCATION = "allocation", _("Allocation")
        RECHARGE = "recharge", _("Auto-recharge")
        CHARGE = "charge", _("Call")
        FEE = "fee", _("Fee")
        REFUND = "refund", _("Refund")
        SETTLEMENT = "settlement", _("Settlement")

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    # Constrained together with the organization.
    source = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    target = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    amount = AmountField()
    source_after = AmountField(null=True)
    source_version = models.BigIntegerField(null=True)
    target_after = AmountField(null=True)
    target_version = models.BigIntegerField(null=True)
    operation = models.CharField(max_length=12, choices=Operation)
    key = models.UUIDField()
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    # A check of these for each of ten thousand rows would cost more than the rows; nothing they name is ever deleted.
    actor_kind = models.CharField(max_length=10, choices=AuditEntry.ActorKind)
    actor_user = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    actor_member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="transfer_in_organization"),
            models.UniqueConstraint(
                fields=["organization", "operation", "key", "target"], name="transfer_once_for_each_key"
            ),
            models.UniqueConstraint(fields=["source", "source_version"], name="transfer_of_source_numbered"),
            models.UniqueConstraint(fields=["target", "target_version"], name="transfer_of_target_numbered"),
        ]
        indexes = [
            # What an account was recharged by in a month.
            models.Index(
                fields=["target", "recorded_at"],
                include=["amount"],
                condition=Q(operation="recharge"),
                name="transfer_recharges",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="posted",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"{REFUSE_HANDS}{REFUSE_ODD} RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.pk}"
