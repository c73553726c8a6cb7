"""Rate decks are loaded by those who run the installation, for everybody or for one organization."""

import logging
from collections.abc import Callable, Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from telephony.models import RateDeckVersion
from telephony.rate_file import RateRow
from telephony.rate_loading import LoadedDeck, LoadedRates, stage_rates, store_rates
from telephony.rating import MOST_DECIMALS
from telephony.stock_file import RowError

logger = logging.getLogger(__name__)

type Stored = list[tuple[LoadedDeck, RateDeckVersion]]


class LoadRefused(Exception):
    """Rows are wrong, or it was only to be tried: nothing is loaded."""

    def __init__(self, loaded: LoadedRates) -> None:
        super().__init__()
        self.loaded = loaded


def load_rates(
    *,
    actor: Actor,
    rows: Iterable[RateRow | RowError],
    organization: Organization | None = None,
    decimals: int = MOST_DECIMALS,
    file_name: str = "",
    dry_run: bool = False,
    look: Callable[[Stored], None] | None = None,
) -> LoadedRates:
    """Make rows of a file the next version of the installation's rate deck, or of that of ``organization``.

    It replaces all that was loaded before, from its earliest rate on; calls cost what it says, rounded up to
    ``decimals`` (0 to 4). A deck for each currency; an organization has one in its own. The same rates again change
    nothing. When a row is wrong, none is loaded: ``errors`` tells all that are. With ``dry_run`` nothing is kept, and
    ``look`` sees what would be while it is there. For those who run the installation.
    """
    if organization is not None:
        require(actor, organization, Capability.RUN_INSTALLATION)
    elif not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    try:
        loaded = _load(
            actor=actor,
            rows=rows,
            organization=organization,
            decimals=decimals,
            file_name=file_name,
            dry_run=dry_run,
            look=look,
        )
    except LoadRefused as refused:
        return refused.loaded
    logger.info("Loaded rates.", extra={"count": sum(deck.rates for deck in loaded.decks if deck.new)})
    return loaded


@transaction.atomic(durable=True)
def _load(
    *,
    actor: Actor,
    rows: Iterable[RateRow | RowError],
    organization: Organization | None,
    decimals: int,
    file_name: str,
    dry_run: bool,
    look: Callable[[Stored], None] | None,
) -> LoadedRates:
    errors = stage_rates(rows, currency=organization.currency if organization else "")
    if errors:
        raise LoadRefused(LoadedRates(errors=errors))
    if organization is not None:
        lock_organization(organization)
    stored = store_rates(actor=actor, organization=organization, decimals=decimals, file_name=file_name)
    loaded = LoadedRates(decks=[deck for deck, _version in stored])
    if dry_run:
        if look is not None:
            look(stored)
        raise LoadRefused(loaded)
    if organization is not None:
        _record(actor, organization, stored)
    return loaded


def _record(actor: Actor, organization: Organization, stored: Stored) -> None:
    """What was loaded for everybody is told by the versions themselves, which nobody changes."""
    for deck, version in stored:
        if deck.new:
            record(
                organization=organization,
                actor=actor,
                action=Action.RATES_LOADED,
                subject=version,
                after={"version": deck.version, "rates": deck.rates, "currency": deck.currency},
            )
