from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import Member, Organization

from .ledger import AmountField
from .orders import Order

# As they write themselves.
BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "unknown": "Card",
}


class CardCheckout(models.Model):
    """A page of the card processor that somebody was led to: to pay an order, or without one to save a card.

    It is written down, with the ``key`` of its request, before the processor is asked for the page; ``session`` is
    what the processor calls it. ``look_at`` is when to ask what became of it, should no message come. *Wrong* means
    that other money was paid than was ordered: an operator has to decide.
    """

    class State(models.TextChoices):
        ASKED = "asked", pgettext_lazy("checkout", "Asked for")
        OPEN = "open", pgettext_lazy("checkout", "Open")
        PAID = "paid", pgettext_lazy("checkout", "Paid")
        SAVED = "saved", pgettext_lazy("checkout", "Card saved")
        EXPIRED = "expired", pgettext_lazy("checkout", "Expired")
        WRONG = "wrong", pgettext_lazy("checkout", "Other amount paid")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="card_checkouts", db_index=False)
    # Constrained together with the organization, as are those below.
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="checkouts", db_constraint=False)
    key = models.UUIDField(unique=True)
    session = models.CharField(max_length=200, blank=True)
    url = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    # The consent: what is bought is paid with this card, and so is auto-recharge of the wallet.
    save_card = models.BooleanField()
    asked_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    payment = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    look_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="card_checkout_in_organization"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=["asked", "open"]), name="card_checkout_of_order_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "open", "paid", "saved", "expired", "wrong"]),
                name="card_checkout_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "open"], closed_at=None)
                | (~Q(state__in=["asked", "open"]) & Q(closed_at__isnull=False)),
                name="card_checkout_open_or_closed",
            ),
            models.UniqueConstraint(fields=["session"], condition=~Q(session=""), name="card_checkout_session_once"),
            models.CheckConstraint(condition=~Q(state="open") | ~Q(session=""), name="card_checkout_named"),
            models.CheckConstraint(
                condition=Q(order__isnull=False) | Q(save_card=True), name="card_checkout_for_something"
            ),
        ]
        indexes = [
            models.Index(fields=["look_at", "id"], condition=Q(look_at__isnull=False), name="card_checkout_due"),
            models.Index(fields=["organization", "order", "-id"], name="card_checkout_of_order"),
        ]

    def __str__(self) -> str:
        return f"checkout {self.pk}"


class SavedCard(models.Model):
    """A card that an organization lets be charged while nobody is there. Its number is with the card processor.

    One at a time: the next takes its place. One that was removed is charged no more, and forgotten by the processor
    as soon as it answers (``forgotten_at``).
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="saved_cards", db_index=False)
    customer = models.CharField(max_length=200)
    method = models.CharField(max_length=200, unique=True)
    brand = models.CharField(max_length=30)
    last4 = models.CharField(max_length=4)
    month = models.PositiveSmallIntegerField()
    year = models.PositiveSmallIntegerField()
    saved_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    saved_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="saved_card_in_organization"),
            models.UniqueConstraint(fields=["organization"], condition=Q(removed_at=None), name="saved_card_only_one"),
            models.CheckConstraint(condition=Q(month__range=(1, 12)), name="saved_card_month_range"),
            models.CheckConstraint(condition=Q(last4__regex="^[0-9]{4}$"), name="saved_card_last4_shape"),
            models.CheckConstraint(
                condition=Q(forgotten_at=None) | Q(removed_at__isnull=False), name="saved_card_forgotten_when_removed"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(removed_at__isnull=False, forgotten_at=None), name="saved_card_to_forget"
            )
        ]

    def __str__(self) -> str:
        return f"{self.brand_name} •••• {self.last4}"

    @property
    def brand_name(self) -> str:
        return BRANDS.get(self.brand, self.brand.title())


class WalletRecharge(models.Model):
    """Auto-recharge of a wallet: buy ``amount`` by the saved card when it falls below ``below``.

    At most ``monthly_limit`` in a month of the organization. Paused after a card failed, with the reason, until
    somebody saves it again. ``look_at``: before then it is not worth a look (the limit is reached, say).
    """

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("auto-recharge", "Active")
        PAUSED = "paused", pgettext_lazy("auto-recharge", "Paused")
        OFF = "off", pgettext_lazy("auto-recharge", "Off")

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="wallet_recharge")
    amount = AmountField()
    below = AmountField()
    monthly_limit = AmountField()
    state = models.CharField(max_length=10, choices=State)
    # What the card processor called it, or a word of ours; `credit/selectors/cards.py` has a sentence for each.
    reason = models.CharField(max_length=100, blank=True)
    paused_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(db_default=Now())
    saved_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_constraint=False)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["active", "paused", "off"]), name="wallet_recharge_state_known"
            ),
            models.CheckConstraint(
                condition=Q(below__gt=0, amount__gte=models.F("below"), monthly_limit__gte=models.F("amount")),
                name="wallet_recharge_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="paused", paused_at__isnull=False)
                | (~Q(state="paused") & Q(paused_at=None, reason="")),
                name="wallet_recharge_paused_with_reason",
            ),
        ]
        indexes = [models.Index(fields=["look_at"], condition=Q(state="active"), name="wallet_recharge_due")]

    def __str__(self) -> str:
        return f"auto-recharge {self.organization_id}"


class WalletCharge(models.Model):
    """One charge of the saved card by auto-recharge: asked for, carried out, settled; once, whatever crashes.

    The row is there before the processor is asked, with the ``key`` of the request, which is the order's. While
    nobody knows what became of it, it stays *requested*, and is asked again with the same key, or looked up
    (``try_at``). ``month`` is the first day of the month in which it was planned, and counts.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", pgettext_lazy("charge", "Under way")
        SUCCEEDED = "succeeded", pgettext_lazy("charge", "Paid")
        DECLINED = "declined", pgettext_lazy("charge", "Declined")
        GIVEN_UP = "given_up", pgettext_lazy("charge", "Not carried out")
        WRONG = "wrong", pgettext_lazy("charge", "Other amount paid")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="wallet_charges", db_index=False)
    order = models.OneToOneField(Order, models.PROTECT, related_name="wallet_charge", db_constraint=False)
    card = models.ForeignKey(SavedCard, models.PROTECT, related_name="charges", db_constraint=False)
    key = models.UUIDField(unique=True)
    amount = AmountField()
    # At most so much in the month, when it was planned.
    monthly_limit = AmountField()
    month = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    # Why nobody knows, or why it failed.
    code = models.CharField(max_length=100, blank=True)
    payment = models.CharField(max_length=200, blank=True)
    tries = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField(db_default=Now())
    # Since when there is nothing but silence.
    unknown_at = models.DateTimeField(null=True)
    try_at = models.DateTimeField(db_default=Now(), null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="wallet_charge_in_organization"),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(state="requested"), name="wallet_charge_one_under_way"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "succeeded", "declined", "given_up", "wrong"]),
                name="wallet_charge_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", closed_at=None, try_at__isnull=False)
                | (~Q(state="requested") & Q(closed_at__isnull=False, try_at=None)),
                name="wallet_charge_open_or_closed",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="wallet_charge_amount_positive"),
            models.CheckConstraint(
                condition=Q(monthly_limit__gte=models.F("amount")), name="wallet_charge_within_limit"
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="wallet_charge_month_begins"),
        ]
        indexes = [
            models.Index(fields=["try_at", "id"], condition=Q(state="requested"), name="wallet_charge_due"),
            models.Index(fields=["organization", "month"], name="wallet_charge_of_month"),
        ]

    def __str__(self) -> str:
        return f"charge {self.pk}"


class CardDispute(models.Model):
    """A payment by card that its holder disputes. While the money is away, so is the credit.

    ``net`` of the order's credit was taken back with ``key`` (``taken``); a dispute that is won gives it back.
    """

    class State(models.TextChoices):
        INQUIRY = "inquiry", pgettext_lazy("dispute", "Inquiry")
        OPEN = "open", pgettext_lazy("dispute", "Open")
        WON = "won", pgettext_lazy("dispute", "Won")
        LOST = "lost", pgettext_lazy("dispute", "Lost")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="card_disputes", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="disputes", db_constraint=False)
    reference = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=State)
    net = AmountField()
    gross = AmountField()
    key = models.UUIDField(unique=True)
    taken = models.BooleanField(default=False)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="card_dispute_in_organization"),
            models.CheckConstraint(
                condition=Q(state__in=["inquiry", "open", "won", "lost"]), name="card_dispute_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["inquiry", "open"], closed_at=None)
                | Q(state__in=["won", "lost"], closed_at__isnull=False),
                name="card_dispute_open_or_closed",
            ),
            models.CheckConstraint(
                condition=Q(gross__gt=0, net__gte=0) & Q(gross__gte=models.F("net")), name="card_dispute_adds_up"
            ),
        ]
        indexes = [
            models.Index(fields=["organization"], condition=Q(state="open"), name="card_dispute_open"),
        ]

    def __str__(self) -> str:
        return self.reference


class CardMessage(models.Model):
    """A message of the card processor that was understood, by the name it has there: each is acted on once.

    One about a refund or a dispute keeps which (``subject``), of which ``payment``, and its ``facts``: it may come
    before the message of the payment itself, and is acted on when that is known.
    """

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        NOTHING = "nothing", _("Nothing to do")
        UNKNOWN = "unknown", _("About something unknown")
        WRONG = "wrong", _("Contradicts what was ordered")

    name = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10, choices=Outcome)
    subject = models.CharField(max_length=200, blank=True)
    payment = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["done", "nothing", "unknown", "wrong"]), name="card_message_outcome_known"
            )
        ]
        indexes = [
            models.Index(
                fields=["payment"], condition=Q(outcome="unknown") & ~Q(payment=""), name="card_message_early"
            ),
            models.Index(fields=["subject"], name="card_message_about"),
        ]

    def __str__(self) -> str:
        return self.name
