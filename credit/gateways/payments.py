"""What a card processor is to the rest of credit: what it is asked, what it answers, and how it can fail."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Declined(Exception):
    """The card was not charged, and will not be by asking again in the same way. ``code`` says why."""

    def __init__(self, code: str, payment: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.payment = payment


class Impossible(Exception):
    """The processor can't carry out such a request; nothing came of it, now or by an earlier try with its key."""


class NoAnswer(Exception):
    """Nobody knows whether it was done: no answer, a wrong one, or a processor that says it is not well."""


class MessageRefused(Exception):
    """What claims to be a message of the processor is none: unsigned, too old, or of another account."""


class CheckoutState(StrEnum):
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    SAVED = "saved"
    EXPIRED = "expired"


class PaymentState(StrEnum):
    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    FAILED = "failed"


class DisputeState(StrEnum):
    """An inquiry has taken no money yet; of the others, won alone gives it back."""

    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card that can be charged while nobody is there; its number stays with the processor."""

    customer: str
    method: str
    brand: str
    last4: str
    month: int
    year: int


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A page of the processor on which somebody pays, or saves a card. Without an amount it only saves one.

    ``reference`` is what we called it.
    """

    id: str
    reference: str
    url: str
    state: CheckoutState
    payment: str
    amount: Decimal | None
    currency: str
    card: Card | None = None


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money that was asked of a card; ``key`` is what we called it, "" when it is none of a saved card."""

    id: str
    key: str
    state: PaymentState
    amount: Decimal
    currency: str
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Refund:
    """Money that goes back to a card; one that doesn't stand has failed or was canceled, and went nowhere."""

    id: str
    payment: str
    amount: Decimal
    currency: str
    stands: bool


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A holder of a card says that a payment is not theirs."""

    id: str
    payment: str
    amount: Decimal
    currency: str
    state: DisputeState


@dataclass(frozen=True, kw_only=True)
class Message:
    """What the processor told us by itself. ``subject`` is None when it is of no concern here."""

    id: str
    kind: str
    subject: Checkout | Payment | Refund | Dispute | None


class PaymentGateway(Protocol):
    """A card processor. Every call may take ten seconds, so none belongs into a transaction.

    ``key`` makes a request one and the same however often it is sent, for a day at the most. Raises NoAnswer,
    Impossible, and where a card is charged Declined.
    """

    def open_checkout(
        self,
        *,
        key: str,
        amount: Decimal,
        currency: str,
        title: str,
        reference: str,
        success_url: str,
        cancel_url: str,
        language: str,
        save_card: bool,
        customer: str = "",
    ) -> Checkout: ...

    def open_card_checkout(
        self, *, key: str, currency: str, reference: str, success_url: str, cancel_url: str, language: str
    ) -> Checkout: ...

    def find_checkout(self, checkout: str) -> Checkout:
        """A checkout as it is now, with the card it has saved."""
        ...

    def close_checkout(self, checkout: str) -> None:
        """Let nobody pay any more; a checkout that is over already stays as it is."""
        ...

    def charge(self, *, key: str, card: str, customer: str, amount: Decimal, currency: str, title: str) -> Payment: ...

    def look_up_payment(self, *, key: str, customer: str, since: dt.datetime) -> Payment | None:
        """What became of a charge whose answer was lost, by its key; None when there is no such payment."""
        ...

    def forget_card(self, card: str) -> None: ...

    def read_message(self, body: bytes, signature: str) -> Message:
        """A message of the processor. Raises MessageRefused."""
        ...
