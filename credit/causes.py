"""What caused a transfer, and where that can be looked at. Each app registers what it knows, when it starts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from credit.models import CardDispute, Order, Refund, Transfer
from members.access import Actor, Capability
from members.batches import BatchKind
from members.models import Organization
from members.registry import registry

Operation = Transfer.Operation
OF_ORDERS = {Operation.PURCHASE, Operation.REFUND, Operation.SETTLEMENT}


@dataclass(frozen=True)
class Cause:
    """What it was, the page about it, and what one needs to open that."""

    text: str
    url: str
    capability: Capability


@dataclass(frozen=True, kw_only=True)
class CauseFinder:
    """Tells the causes of transfers by their keys, of those it knows. It is asked once for a page of them."""

    key: str
    find: Callable[[Organization, Sequence[Transfer]], Mapping[int, Cause]]


def causes_of(organization: Organization, transfers: Sequence[Transfer], actor: Actor) -> dict[int, Cause]:
    """What caused ``transfers``, by their keys, as far as ``actor`` may look at it."""
    found: dict[int, Cause] = {}
    for finder in registry.all(CauseFinder):
        found |= finder.find(organization, transfers)
    return {transfer: cause for transfer, cause in found.items() if actor.can(cause.capability)}


def batches_of(organization: Organization, transfers: Sequence[Transfer]) -> dict[int, Cause]:
    """The changes of many members that moved credit. They are looked at by whoever may make such ones."""
    kinds = {kind.key: kind for kind in registry.all(BatchKind)}
    found = {}
    for transfer in transfers:
        batch = transfer.batch
        if batch is not None and batch.kind in kinds:
            kind = kinds[batch.kind]
            url = reverse("members:run_detail", args=[organization.slug, batch.pk])
            found[transfer.pk] = Cause(str(kind.label), url, kind.capability)
    return found


def orders_of(organization: Organization, transfers: Sequence[Transfer]) -> dict[int, Cause]:
    """The orders that credit was bought with, and given back of, or is disputed of."""
    keys = {transfer.key for transfer in transfers if transfer.operation in OF_ORDERS}
    if not keys:
        return {}
    orders = Order.objects.filter(organization=organization, key__in=keys).values_list("key", "number")
    refunds = Refund.objects.filter(organization=organization, key__in=keys).values_list("key", "order__number")
    disputes = CardDispute.objects.filter(organization=organization, key__in=keys).values_list("key", "order__number")
    numbers = dict([*orders, *refunds, *disputes])
    return {
        transfer.pk: Cause(
            gettext("Order {number}").format(number=numbers[transfer.key]),
            reverse("credit:order", args=[organization.slug, numbers[transfer.key]]),
            Capability.MANAGE_CREDIT,
        )
        for transfer in transfers
        if transfer.key in numbers and transfer.operation in OF_ORDERS
    }
