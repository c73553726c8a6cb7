"""What a company has of licenses, numbers and emergency addresses, in every state its pages can show."""

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.utils import timezone

from members.access import Actor
from members.services.leavers import process_leaver
from telephony.assigning import Pairing
from telephony.countries import missing_disclaimer
from telephony.demo_calls import add_calls
from telephony.models import (
    CallImport,
    CallUpload,
    EmergencyAddress,
    License,
    NumberArea,
    NumberAssignment,
    NumberTag,
    PhoneNumber,
    RateDeckVersion,
    RateUpload,
)
from telephony.models.calls import MOST_ATTEMPTS
from telephony.rate_file import open_rates
from telephony.selectors.acknowledgments import standings_of
from telephony.services.acknowledgments import acknowledge_emergency_calls
from telephony.services.assignments import assign_numbers
from telephony.services.call_upload_work import advance_upload
from telephony.services.call_uploads import upload_calls
from telephony.services.disclaimers import accept_disclaimer
from telephony.services.rates import load_rates
from tests.browser.people import NAMES
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    PhoneNumberFactory,
    PlaceFactory,
    PortOrderFactory,
    SeatFactory,
)
from tests.telephony.calls import a_call, feed, imported
from tests.telephony.voice import open_voice

if TYPE_CHECKING:
    from tests.browser.world import World

RATES = ["33,France,0.02,0,60", "336,France mobile,0.095,0,1", "34,Spain,0.03,0.1,60", "44,United Kingdom,0.000215,0,6"]
REDMOND = {"street": "Microsoft Way", "city": "Seattle", "region": "WA", "postal_code": "98052"}


def add_voice(world: "World", acting: dict[str, Any]) -> None:
    """A stock, numbers, addresses and port orders, and people in every state with them."""
    _add_numbers(world)
    _add_addresses(world)
    _add_rates(world)
    add_calls(world.company, 120)
    caller = world.members["active"].user.skype_name
    waiting = [a_call(1, account="2001"), a_call(2, account="2002"), a_call(3, account=caller, to="+81312345678")]
    imported(world.company, waiting)
    _add_call_imports(world, acting, caller)
    _add_leavers(world)
    _give_numbers(world, acting)
    _add_voice_users(world)


def _add_call_imports(world: "World", acting: dict[str, Any], caller: str) -> None:
    """Files of calls in every state, one of them with rows that can't be read."""
    file = feed([*(a_call(number, account=caller) for number in range(100, 140)), {**a_call(9), "started_at": "soon"}])
    for state in ("tried", "done", "running", "given-up", "broken-off"):
        world.call_imports[state] = upload_calls(
            **acting,
            file=BytesIO(file),
            file_name=f"calls-{state}.csv",
            format="skypemgr",
            source=f"pbx {state}",
            time_zone="UTC",
            key=uuid4(),
            trial=state == "tried",
        )
    uploads = CallUpload.objects.select_related("imported__organization", "imported__imported_by__user")
    for state in ("tried", "done"):
        advance_upload(uploads.get(imported=world.call_imports[state]))
    CallImport.objects.filter(pk=world.call_imports["running"].pk).update(rows=24, added=23, duplicates=1)
    CallUpload.objects.filter(imported=world.call_imports["given-up"]).update(attempts=MOST_ATTEMPTS)
    CallUpload.objects.filter(imported=world.call_imports["broken-off"]).delete()


def add_licenses(world: "World") -> None:
    """Licenses in every state; the company owns no Phone System, so that no calling plan is offered."""
    now, facts = timezone.now(), {"organization": world.company, "code": "premium"}
    world.licenses = {
        "active": LicenseFactory(**facts),
        "canceled": LicenseFactory(**facts, renewed_quantity=0),
        "grace": LicenseFactory(**facts, grace_since=now),
        "asleep": LicenseFactory(**facts, grace_since=now, asleep_since=now),
        "ended": LicenseFactory(**facts, ended_at=now),
    }
    SeatFactory(license=world.licenses["active"], member=world.members["active"])
    LicenseFactory(organization=world.company, code="voicemail")
    for code in ("call-forwarding", "skype-connect"):
        bought = LicenseFactory(organization=world.company, code=code)
        for language in NAMES:
            SeatFactory(license=bought, member=world.people["member", language].memberships.get())


def _add_numbers(world: "World") -> None:
    """A stock, an address, and numbers of the company in several states."""
    own = {"organization": world.company}
    open_voice(world.company, seats=40, accepted=())
    address = EmergencyAddressFactory(**own, name="Siège, 8 rue de Turenne")
    paris = NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")
    redmond = NumberAreaFactory()
    for place in range(40):
        PhoneNumberFactory(area=paris, number=f"+331990047{place:02}")
        PhoneNumberFactory(area=redmond, number=f"+142555588{place:02}")
    for place in range(12):
        number = PhoneNumberFactory(**own, area=paris, number=f"+331990045{place:02}", emergency_address=address)
    PhoneNumber.objects.filter(pk=number.pk).update(assignable_from=timezone.now() + timedelta(days=9))
    PhoneNumberFactory(**own, area=redmond, number="+14255558899", monthly_price=2, currency="EUR")
    NumberTag.objects.create(**own, number=number, name="Réception, rez-de-chaussée", key="réception")
    world.number = number
    later = timezone.localdate() + timedelta(days=20)
    for state, name in {
        "processing": "Studio de Lille",
        "contacting": "Agence de Nantes",
        "approved": "Atelier de Lyon",
        "rejected": "Archives",
        "completed": "Bureau de Marseille, ancien numéro de la réception",
        "canceled": "Essai",
    }.items():
        world.port_orders[state] = PortOrderFactory(
            **own,
            name=name,
            state=state,
            emergency_address=address,
            transfer_on=later if state in ("approved", "completed") else None,
        )


def _add_rates(world: "World") -> None:
    """What calls cost, twice, and a file that waits to be loaded."""
    for month, rows in enumerate((RATES, [row.replace("0.02,", "0.021,") for row in RATES[:-1]]), start=1):
        load_rates(actor=Actor.system(), rows=open_rates(BytesIO(_rates(rows, month))).rows(), file_name="rates.csv")
    world.rate_version = RateDeckVersion.objects.latest("number")
    content = _rates(RATES[1:], 3)
    world.rate_upload = RateUpload.objects.create(decimals=4, file_name="rates-2026-03.csv", content=content)


def _rates(rows: list[str], month: int) -> bytes:
    header = "prefix,destination,per_minute,connection_fee,first_increment,currency,valid_from"
    return "\n".join([header, *(f"{row},EUR,2026-{month:02}-01" for row in rows)]).encode()


def _add_addresses(world: "World") -> None:
    """Emergency addresses: one with a place, one that was saved with a warning, one that was retired."""
    own = {"organization": world.company}
    site = EmergencyAddressFactory(**own, name="Paris, siège")
    world.place = PlaceFactory(address=site, name="3e étage, salle 12", floor="3", room="12")
    EmergencyAddressFactory(**own, name="Redmond", country="US", civic=REDMOND, status="warning")
    EmergencyAddressFactory(**own, name="Lyon, ancien atelier", retired_at=timezone.now())


def _add_leavers(world: "World") -> None:
    """Two with Phone System, a calling plan and a number: one who stays, and one whose leaving was dealt with."""
    company, numbers = world.company, PhoneNumber.objects.filter(organization=world.company, area__country="FR")
    site = EmergencyAddress.objects.get(organization=company, name="Paris, siège")
    phone_system = License.objects.get(organization=company, product__code="phone-system")
    names = ["equipped", "departed"]
    for name, number in zip(names, numbers.order_by("number")[:2], strict=True):
        member = MemberFactory(organization=company, user__skype_name=f"architectes.{name}")
        SeatFactory(license=phone_system, member=member)
        NumberAssignment.objects.create(
            organization=company, number=number, member=member, emergency_address=site, since=timezone.now()
        )
        world.members[name] = member
    for reach in ("without", "waiting"):
        # Has Phone System and no number.
        SeatFactory(
            license=phone_system,
            member=MemberFactory(organization=company, user__skype_name=f"architectes.{reach}"),
        )
    world.leaving = process_leaver(
        actor=Actor.system(), organization=company, member=world.members["departed"], key=uuid4(), reason="Retires"
    )


def _give_numbers(world: "World", acting: dict[str, Any]) -> None:
    """People with a number, some of whom have read how emergency calls work, and two who may have one."""
    company, place = world.company, world.place
    assert place is not None
    seats = License.objects.filter(organization=company, product__code="phone-system").latest("pk")
    area = NumberArea.objects.get(city="Paris")
    members = [world.people[kind, language].memberships.get() for kind in ("idle", "phoning") for language in NAMES]
    may = [MemberFactory(organization=company, user__skype_name=name) for name in ("iris.file", "lena.file")]
    for one in [*members, *may]:
        SeatFactory(license=seats, member=one)
    numbers = [
        PhoneNumberFactory(organization=company, area=area, number=f"+331990046{50 + at}")
        for at in range(len(members) + len(may))
    ]
    pairings = [
        Pairing(one, number, place.address, place if world.people["idle", "en"] != one.user else None)
        for one, number in zip(members, numbers[len(may) :], strict=True)
    ]
    accept_disclaimer(**acting, country="FR")
    assign_numbers(**acting, pairings=pairings, key=uuid4(), notify=False)
    for language in NAMES:
        user = world.people["phoning", language]
        [standing] = standings_of(company, [user.memberships.get()])
        acknowledge_emergency_calls(actor=Actor.of_person(user), organization=company, stamp=standing.stamp)


def _add_voice_users(world: "World") -> None:
    """Somebody who has a number, and some who can be given one."""
    own = {"organization": world.company}
    if missing_disclaimer(world.company, "FR") is not None:
        accept_disclaimer(actor=Actor.system(), **own, country="FR")
    seats = License.objects.get(**own, product__code="phone-system")
    waiting = [MemberFactory(**own, user__skype_name=f"{name}.waits") for name in ("wanda", "walter")]
    for member in (world.members["active"], *waiting):
        SeatFactory(license=seats, member=member)
    assert world.place is not None
    number = (
        PhoneNumber.objects.of(world.company)
        .filter(area__country="FR")
        .unassigned()
        .assignable()
        .order_by("number")
        .first()
    )
    pairing = Pairing(world.members["active"], number, world.place.address, world.place)
    assign_numbers(actor=Actor.system(), **own, pairings=[pairing], key=uuid4())
