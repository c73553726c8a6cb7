"""What fees were paid for: which license a line of the wallet's statement belongs to."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext

from credit.causes import Cause, CauseFinder
from credit.models import Transfer
from members.access import Capability
from members.models import Organization
from members.registry import registry
from telephony.models import LicensePeriod


def register() -> None:
    """Called once at start-up."""
    registry.add(CauseFinder(key="licenses", find=licenses_of))


def licenses_of(organization: Organization, transfers: Sequence[Transfer]) -> Mapping[int, Cause]:
    """The licenses of which periods were paid by transfers, by the keys of these."""
    fees = [transfer.pk for transfer in transfers if transfer.operation == Transfer.Operation.FEE]
    if not fees:
        return {}
    periods = LicensePeriod.objects.filter(organization=organization, transfer__in=fees)
    return {
        period.transfer_id: Cause(
            gettext("License {product}").format(product=period.license.product.name),
            reverse("telephony:license", args=[organization.slug, period.license_id]),
            Capability.MANAGE_VOICE,
        )
        for period in periods.select_related("license__product")
        if period.transfer_id is not None
    }
