"""Bringing numbers along from another carrier: what is ordered, what can be done in which state, how it ends.

States as domain §3.5 has them: an order is processed, the carrier is asked, it agrees to a day or refuses, and on that
day the numbers come in. The last 24 hours before it nothing is changed any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.models import Organization
from members.names import check_person_name
from skypemgr.many_rows import insert_rows
from telephony.countries import rule_of
from telephony.emergency import use_address
from telephony.models import (
    EmergencyAddress,
    NumberArea,
    NumberOwnership,
    PhoneNumber,
    PortLetter,
    PortNumber,
    PortOrder,
    PortStep,
)
from telephony.port_errors import (
    LetterMissing,
    LetterTooLarge,
    LetterUnreadable,
    NumberNotPortable,
    PortAddressElsewhere,
    PortAddressNeeded,
)

State = PortOrder.State
# What people write of an order, as its form and its row call it.
WORDS = ("name", "country", "type", "city", "carrier", "account_number", "billing_number", "authorized_by")
# So long before the transfer nothing of an order changes any more.
SETTLED = timedelta(hours=24)
EDITABLE = (State.REJECTED, State.CANCELED)
# What whoever runs the installation can say of an order, by its state.
ADVANCES: dict[str, tuple[str, ...]] = {
    State.PROCESSING: (State.CONTACTING, State.REJECTED),
    State.CONTACTING: (State.APPROVED, State.REJECTED),
    State.APPROVED: (State.APPROVED, State.COMPLETED, State.REJECTED),
}
_KINDS = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@dataclass(frozen=True)
class Letter:
    """A signed letter of authorization as somebody uploads it."""

    name: str
    content: bytes

    @property
    def content_type(self) -> str:
        """What it is by its first bytes, whatever it is called. Raises LetterUnreadable, LetterTooLarge."""
        if len(self.content) > PortLetter.MOST_BYTES:
            raise LetterTooLarge(most=PortLetter.MOST_BYTES // 1024 // 1024)
        for beginning, kind in _KINDS:
            if self.content.startswith(beginning):
                return kind
        raise LetterUnreadable


@dataclass(frozen=True, kw_only=True)
class PortRequest:
    """What an order says: ``numbers`` in E.164, all of ``country``; ``letter`` None to keep that of before."""

    name: str
    numbers: Sequence[str]
    country: str
    type: str
    carrier: str
    account_number: str
    authorized_by: str
    city: str = ""
    billing_number: str = ""
    emergency_address: EmergencyAddress | None = None
    wanted_on: date | None = None
    letter: Letter | None = field(default=None, repr=False)

    @property
    def columns(self) -> dict[str, object]:
        """As the columns of an order hold it."""
        return {name: getattr(self, name) for name in (*WORDS, "wanted_on")}


def check_line(text: str, longest: int = 100, *, required: bool = True) -> str:
    """A word of an order as it is stored: a name, a carrier, an account number. Raises NameProblem."""
    return check_person_name(text, longest, room=longest, required=required)


def is_settled(order: PortOrder, now: datetime) -> bool:
    """Whether the transfer of an approved order is less than 24 hours away; its day begins where its company is."""
    if order.state != State.APPROVED or order.transfer_on is None:
        return False
    begins = datetime.combine(order.transfer_on, time.min, tzinfo=ZoneInfo(order.organization.time_zone))
    return begins - now < SETTLED


def can_cancel(order: PortOrder, now: datetime) -> bool:
    return order.open and not is_settled(order, now)


def can_edit(order: PortOrder) -> bool:
    return order.state in EDITABLE


def can_move(order: PortOrder, now: datetime) -> bool:
    """Whether its company can choose another day for the transfer."""
    return order.state == State.APPROVED and not is_settled(order, now)


@transaction.atomic(savepoint=False)
def address_for(organization: Organization, request: PortRequest) -> EmergencyAddress | None:
    """Where the numbers will be used. Raises PortAddressNeeded, PortAddressElsewhere, NoSuchAddress."""
    address = request.emergency_address
    if address is None:
        if rule_of(request.country).address_first:
            raise PortAddressNeeded
        return None
    if address.country != request.country:
        raise PortAddressElsewhere
    return use_address(organization, address)


@transaction.atomic(savepoint=False)
def write_numbers(order: PortOrder, numbers: Sequence[str]) -> None:
    """Make these the numbers of an open order, and of no other one. Raises NumberNotPortable."""
    order.numbers.all().delete()
    owned = PhoneNumber.objects.filter(number__in=numbers, organization__isnull=False)
    if number := owned.order_by("number").values_list("number", flat=True).first():
        raise NumberNotPortable(number=number)
    rows = [
        PortNumber(organization_id=order.organization_id, order=order, number=number, open=True)
        for number in sorted(numbers)
    ]
    # Of two who order one at once the second waits here. What another order has already is left out as well.
    written = PortNumber.objects.bulk_create(rows, ignore_conflicts=True)
    kept = set(order.numbers.values_list("number", flat=True))
    if missing := [row.number for row in written if row.number not in kept]:
        raise NumberNotPortable(number=missing[0])


@transaction.atomic(savepoint=False)
def keep_letter(actor: Actor, order: PortOrder, letter: Letter | None, now: datetime) -> None:
    """Keep the letter of an order. Raises LetterMissing when it never had one, LetterUnreadable, LetterTooLarge."""
    if letter is None:
        if not order.letters.exists():
            raise LetterMissing
        return
    PortLetter.objects.create(
        organization_id=order.organization_id,
        order=order,
        name=letter.name[:100],
        content_type=letter.content_type,
        content=letter.content,
        size=len(letter.content),
        uploaded_by=actor.user,
        uploaded_at=now,
    )


@transaction.atomic(savepoint=False)
def step_to(actor: Actor, order: PortOrder, state: str, now: datetime, *, note: str = "") -> None:
    """Bring an order, locked already, into a state, with what belongs to that."""
    order.state = state
    order.save()
    if not order.open:
        order.numbers.update(open=False)
    PortStep.objects.create(
        organization_id=order.organization_id,
        order=order,
        state=state,
        transfer_on=order.transfer_on,
        note=note,
        made_by=actor.user,
        made_at=now,
    )


@transaction.atomic(savepoint=False)
def bring_in(actor: Actor, order: PortOrder, now: datetime) -> list[PhoneNumber]:
    """Make the numbers of an order its organization's own. Raises NumberNotPortable, NoSuchAddress."""
    organization = order.organization
    address = None
    if order.emergency_address is not None:
        address = use_address(organization, order.emergency_address)
    area, _made = NumberArea.objects.get_or_create(country=order.country, region="", city=order.city, type=order.type)
    numbers = list(order.numbers.order_by("number").values_list("number", flat=True))
    known = PhoneNumber.objects.filter(number__in=numbers)
    stocked = {number.number: number for number in known.select_for_update(of=("self",)).order_by("pk")}
    if owned := sorted(number for number, row in stocked.items() if row.organization_id is not None):
        raise NumberNotPortable(number=owned[0])
    own = {
        "organization": organization,
        "source": PhoneNumber.Source.PORTED,
        "area": area,
        "acquired_at": now,
        "emergency_address": address,
        "monthly_price": None,
        "currency": "",
    }
    PhoneNumber.objects.filter(pk__in=[row.pk for row in stocked.values()]).update(
        **own, reservation=None, reserved_until=None, former_owner=None, kept_until=None, retired_at=None
    )
    PhoneNumber.objects.bulk_create([PhoneNumber(number=number, **own) for number in numbers if number not in stocked])
    brought = list(PhoneNumber.objects.of(organization).filter(number__in=numbers).order_by("number"))
    insert_rows(
        [
            NumberOwnership(
                organization=organization,
                number=number,
                source=PhoneNumber.Source.PORTED,
                since=now,
                acquired_by=order.made_by,
            )
            for number in brought
        ]
    )
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(action=Action.NUMBER_PORTED, subject=number, after={"number": number.number, "order": order.name})
            for number in brought
        ],
    )
    return brought
