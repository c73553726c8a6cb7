"""Files of rates that operators look at before they load them."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability
from members.models import Organization
from telephony.models import RateUpload
from telephony.rate_file import open_rates
from telephony.rate_loading import LoadedDeck, LoadedRates
from telephony.selectors.rates import Comparison, Uncovered, compare_versions, uncovered_by
from telephony.services.rates import Stored, load_rates


@transaction.atomic(durable=True)
def upload_rates(
    *, actor: Actor, file: BinaryIO, file_name: str, owner: Organization | None, decimals: int
) -> RateUpload:
    """Keep a file of rates, of ``owner`` or, with None, of the installation, until it is loaded, a day at most.

    Raises UnreadableFile. For those who run the installation.
    """
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    content = file.read()
    open_rates(BytesIO(content))
    return RateUpload.objects.create(
        organization=owner,
        decimals=decimals,
        file_name=file_name[:255],
        content=content,
        uploaded_by=actor.user,
    )


@dataclass(frozen=True)
class DeckLook:
    """What would come of a deck: what its prefixes cost otherwise then, and which countries would have no rate."""

    deck: LoadedDeck
    valid_from: datetime
    comparison: Comparison
    uncovered: list[Uncovered]


@dataclass(frozen=True)
class UploadLook:
    """What would come of a file: the version of each deck, or which rows are wrong."""

    loaded: LoadedRates
    decks: list[DeckLook]


def look_at_upload(*, actor: Actor, upload: RateUpload) -> UploadLook:
    """Load a file as far as it takes to tell what would come of it, and keep nothing of that."""
    decks: list[DeckLook] = []

    def look(stored: Stored) -> None:
        for deck, version in stored:
            before = version.deck.versions.filter(number__lt=version.number).order_by("-number").first()
            compared = compare_versions(before, version) if deck.new else Comparison({}, [])
            decks.append(DeckLook(deck, version.valid_from, compared, uncovered_by(version)))

    loaded = _load(actor, upload, dry_run=True, look=look)
    return UploadLook(loaded, decks)


def load_upload(*, actor: Actor, upload: RateUpload) -> LoadedRates:
    """Load a file that was kept; it is gone then, unless rows are wrong. Loaded again it changes nothing."""
    loaded = _load(actor, upload)
    if not loaded.errors:
        drop_upload(actor=actor, upload=upload)
    return loaded


@transaction.atomic(durable=True)
def drop_upload(*, actor: Actor, upload: RateUpload) -> None:
    """Forget a file that was kept."""
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    RateUpload.objects.filter(pk=upload.pk).delete()


def _load(actor: Actor, upload: RateUpload, **how: Any) -> LoadedRates:
    return load_rates(
        actor=actor,
        rows=open_rates(BytesIO(upload.content)).rows(),
        organization=upload.organization,
        decimals=upload.decimals,
        file_name=upload.file_name,
        **how,
    )
