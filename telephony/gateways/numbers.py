"""Who provides numbers. Each is asked by our reference, by which it also says later what came of that.

A provider elsewhere is asked before anything is settled, and the acquisition waits meanwhile; the stock of this
installation is a table of ours, and answers within the transaction that asks it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django.db import transaction

from telephony.models import NumberAcquisition, PhoneNumber
from telephony.models.moments import StatementClock


class Outcome(StrEnum):
    COMPLETED = "completed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class NumberProvider(Protocol):
    """Whoever has numbers that organizations can acquire."""

    name: str

    def acquire(self, acquisition: NumberAcquisition, numbers: Sequence[PhoneNumber]) -> Outcome:
        """Ask for numbers by the reference of an acquisition: all of them, or none. Asked again, it is the same."""

    def outcome_of(self, reference: UUID) -> Outcome:
        """What came of a reference: UNKNOWN when it was never heard of, and may be asked for."""

    def release(self, numbers: Sequence[PhoneNumber]) -> None:
        """Give numbers back."""


class Stock:
    """The numbers that operators have loaded."""

    name = "stock"

    @transaction.atomic(savepoint=False)
    def acquire(self, acquisition: NumberAcquisition, numbers: Sequence[PhoneNumber]) -> Outcome:
        """Make numbers the organization's, which are locked and held by it.

        REFUSED when it holds one of them no more at the moment in which this begins: then the transaction has to be
        given up.
        """
        keys = [number.pk for number in numbers]
        taken = PhoneNumber.objects.filter(
            pk__in=keys,
            organization=None,
            reservation__organization=acquisition.organization,
            reservation__ended_at=None,
            # The same moment as that of the trigger beneath.
            reserved_until__gt=StatementClock(),
        ).update(
            organization=acquisition.organization,
            source=PhoneNumber.Source.STOCK,
            acquired_at=acquisition.made_at,
            reservation=None,
            reserved_until=None,
            former_owner=None,
            kept_until=None,
            assignable_from=None,
        )
        return Outcome.COMPLETED if taken == len(keys) else Outcome.REFUSED

    def outcome_of(self, reference: UUID) -> Outcome:
        known = NumberAcquisition.objects.filter(provider=self.name, reference=reference).first()
        return Outcome(known.state) if known is not None else Outcome.UNKNOWN

    def release(self, numbers: Sequence[PhoneNumber]) -> None:
        """Nobody has to be told: they are in the stock again."""


def provider_of(number: PhoneNumber) -> NumberProvider:
    """Who provides a number."""
    return STOCK


STOCK: NumberProvider = Stock()
