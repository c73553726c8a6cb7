"""Emergency addresses of an organization, as a list, one by one, and what uses them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import get_language, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from members.folding import fold
from members.models import Organization
from members.places import country_choices, country_name
from skypemgr.lists import (
    ChoiceFilter,
    Ordering,
    Page,
    count_up_to,
    keyset_chunks,
    keyset_page,
    read_choice,
    read_text,
)
from telephony.address_uses import count_uses
from telephony.emergency import civic_of, line_of
from telephony.models import EmergencyAddress, EmergencyAddressVersion
from telephony.selectors.disclaimers import DisclaimerRow, list_disclaimers

BY_NAME = Ordering("name", ("sort_key", "id"))
RETIRED = "retired"
# Of badges.
LAMPS = {"validated": "success", "corrected": "success", "warning": "warning", "validated_manually": "info"}


@dataclass(frozen=True)
class AddressesQuery:
    """What a query string asks of the emergency addresses of an organization; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    search: str
    filters: Sequence[ChoiceFilter]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "AddressesQuery":
        used = used_countries(organization)
        names = [(code, name) for code, name in country_choices(get_language() or "en") if code in used]
        chosen = {
            "country": read_choice(query, "country", sorted(used)),
            "status": read_choice(query, "status", EmergencyAddressVersion.Status.values),
            "show": read_choice(query, "show", [RETIRED]),
        }
        filters = [
            ChoiceFilter(key="country", label=_("Country"), every=_("Every country"), choices=names),
            ChoiceFilter(
                key="status",
                label=_("Validation"),
                every=_("However validated"),
                choices=EmergencyAddressVersion.Status.choices,
            ),
            ChoiceFilter(key="show", label=_("State"), every=_("In use or free"), choices=[(RETIRED, _("Retired"))]),
        ]
        told = [
            ChoiceFilter(
                key=entry.key, label=entry.label, every=entry.every, choices=entry.choices, chosen=chosen[entry.key]
            )
            for entry in filters
        ]
        return cls(organization, query, read_text(query), told)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or any(entry.chosen for entry in self.filters))

    def page(self) -> Page[EmergencyAddress]:
        found = self.matching()
        total = count_up_to(found)
        text = ngettext_lazy("{shown} of {total} address, by name", "{shown} of {total} addresses, by name")
        return keyset_page(found, order=BY_NAME, query=self.query, text=text % total.number, total=total)

    def chunks(self) -> Iterator[list[EmergencyAddress]]:
        """Every address the query asks for, by name, some at a time."""
        return keyset_chunks(self.matching(), order=BY_NAME)

    def matching(self) -> QuerySet[EmergencyAddress]:
        chosen = {entry.key: entry.chosen for entry in self.filters if entry.chosen}
        addresses = EmergencyAddress.objects.filter(
            organization=self.organization, retired_at__isnull="show" not in chosen
        )
        if country := chosen.get("country"):
            addresses = addresses.filter(country=country)
        if status := chosen.get("status"):
            addresses = addresses.filter(current__status=status)
        for word in fold(self.search).split():
            addresses = addresses.filter(search_text__contains=word)
        return addresses.select_related("current")


def used_countries(organization: Organization) -> set[str]:
    """The countries in which an organization has emergency addresses."""
    live = EmergencyAddress.objects.live().filter(organization=organization)
    return set(live.order_by().values_list("country", flat=True).distinct())


@dataclass(frozen=True)
class AddressRow:
    """A row of the list: an address on one line, its badge, and by how many numbers and people it is used."""

    address: EmergencyAddress
    line: str
    lamp: str
    uses: int
    country: str


def rows_of(addresses: Sequence[EmergencyAddress]) -> list[AddressRow]:
    """What the list shows of some addresses."""
    uses = count_uses(addresses)
    return [
        AddressRow(
            address=address,
            line=line_of(civic_of(address)),
            lamp=LAMPS[address.current.status],
            uses=uses.get(address.pk, 0),
            country=country_name(address.country),
        )
        for address in addresses
        if address.current is not None
    ]


def waiting_disclaimers(organization: Organization) -> list[DisclaimerRow]:
    """What an organization has yet to accept for the countries in which it has addresses, by their names."""
    used = used_countries(organization)
    return [row for row in list_disclaimers(organization) if row.country in used and row.acceptance is None]
