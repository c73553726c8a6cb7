"""The verbs and commands of Voice and of licenses, as the table of all asks for them."""

from datetime import date
from io import BytesIO
from operator import attrgetter as of

from members.access import Capability
from telephony.assigning import Pairing
from telephony.models import Product
from telephony.porting import Letter, PortRequest
from tests.matrix.verbs import Verb, key, members_of
from tests.matrix.world import OWN
from tests.telephony.calls import START, a_call, feed, imported, read, with_rates, wrong_sums

VOICE = Capability.MANAGE_VOICE
FROM_SWITCH = {"source": "pbx", "format": "skypemgr"}
OBJECTS_OF_VOICE = {
    "imported",
    "address",
    "place",
    "numbers",
    "reservation",
    "reservations",
    "bought",
    "pairings",
    "pairing",
    "order",
    "request",
}


def product(code):
    return lambda side: Product.objects.get(code=code)


def numbers(side):
    return [side.phone_number]


def pairing_of(side, member):
    return Pairing(member, side.phone_number, side.american)


def charged_by_other_rates(side):
    """A call was charged by rates that have been corrected since."""
    with_rates()
    imported(side.organization, [a_call(3, account=side.plain.user.skype_name)])
    with_rates({"34": "0.070000"})


VERBS_OF_VOICE: dict[str, Verb] = {
    "emergency_addresses.add_emergency_address": Verb(VOICE, {"name": "Site 2", "result": of("validated")}),
    "emergency_addresses.change_emergency_address": Verb(
        VOICE, {"name": "Site 2", "result": of("validated"), "version": 1}, {"address": of("address")}
    ),
    "emergency_addresses.retire_emergency_address": Verb(VOICE, {}, {"address": of("address")}),
    "address_files.add_emergency_addresses": Verb(VOICE, {"rows": lambda side: [("Site 2", side.validated)]}),
    "calls.import_calls": Verb(
        VOICE,
        {"rows": lambda side: read([a_call(1)]), **FROM_SWITCH},
    ),
    "call_uploads.upload_calls": Verb(
        VOICE,
        {
            "file": lambda side: BytesIO(feed([a_call(1)])),
            "file_name": "calls.csv",
            "time_zone": "UTC",
            "key": key,
            **FROM_SWITCH,
        },
    ),
    "call_uploads.import_upload": Verb(VOICE, {}, {"imported": of("call_tried")}),
    "call_uploads.continue_upload": Verb(VOICE, {}, {"imported": of("call_import")}),
    "call_uploads.stop_upload": Verb(VOICE, {}, {"imported": of("call_import")}),
    "call_detail.note_look": Verb(
        Capability.VIEW_REPORTS, {"first": START.date(), "last": START.date()}, {"member": of("plain")}
    ),
    "call_queues.assign_calls": Verb(
        VOICE,
        {"account": "2001"},
        {"member": of("plain")},
        when=lambda side: imported(side.organization, [a_call(1, account="2001")]),
    ),
    "call_queues.rate_waiting_calls": Verb(
        VOICE, when=lambda side: imported(side.organization, [a_call(1, account=f"{OWN}.plain")])
    ),
    "rerating.rerate_calls": Verb(
        VOICE,
        {"first": date(2026, 10, 1), "last": date(2026, 12, 31)},
        when=charged_by_other_rates,
    ),
    "usage.rebuild_usage": Verb(VOICE, when=lambda side: wrong_sums(side.organization)),
    "places.add_place": Verb(VOICE, {"name": "3rd floor"}, {"address": of("address")}),
    "places.change_place": Verb(VOICE, {"name": "3rd floor"}, {"place": of("place")}),
    "places.remove_place": Verb(VOICE, {}, {"place": of("place")}),
    "disclaimers.accept_disclaimer": Verb(VOICE, {"country": "FR"}),
    "licenses.buy_licenses": Verb(VOICE, {"product": product("premium"), "quantity": 1, "months": 1, "key": key}),
    "licenses.change_renewal": Verb(VOICE, {"quantity": 0}, {"bought": of("license")}),
    "seats.assign_licenses": Verb(VOICE, {"product": product("phone-system")}, {"members": members_of("plain")}),
    "seats.unassign_licenses": Verb(VOICE, {"product": product("phone-system")}, {"members": members_of("caller")}),
    "feature_settings.set_feature": Verb(
        VOICE, {"kind": "forwarding", "values": {"number": "+33199004510"}}, {"member": of("caller")}
    ),
    "seats.start_assigning": Verb(
        VOICE, {"product": product("phone-system"), "expected": 1, "key": key}, {"members": members_of("plain")}
    ),
    "seats.start_unassigning": Verb(
        VOICE,
        {"product": product("phone-system"), "with_dependents": True, "expected": 1, "key": key},
        {"members": members_of("caller")},
    ),
    "reservations.reserve_numbers": Verb(VOICE, {"area": of("area"), "quantity": 1, "key": key}),
    "reservations.acquire_numbers": Verb(
        VOICE,
        {"key": key},
        {"reservations": lambda side: [side.reservation], "numbers": lambda side: [side.held_number.number]},
    ),
    "reservations.cancel_reservation": Verb(VOICE, {}, {"reservation": of("reservation")}),
    "numbers.release_numbers": Verb(VOICE, {}, {"numbers": numbers}),
    "numbers.tag_numbers": Verb(VOICE, {"tag": "New"}, {"numbers": numbers}),
    "numbers.untag_numbers": Verb(VOICE, {"tag": lambda side: side.tag.name}, {"numbers": numbers}),
    "assignments.assign_numbers": Verb(VOICE, {"key": key}, {"pairings": lambda side: [pairing_of(side, side.caller)]}),
    "assignments.change_number": Verb(VOICE, {"key": key}, {"pairing": lambda side: pairing_of(side, side.holder)}),
    "assignments.unassign_numbers": Verb(VOICE, {}, {"members": lambda side: [side.holder]}),
    "assignments.move_to_address": Verb(
        VOICE, {}, {"member": of("holder"), "address": of("elsewhere"), "place": of("american_place")}
    ),
}


def port_request(side):
    return PortRequest(
        name="Lyon",
        numbers=["+33478000001"],
        country="FR",
        type="user",
        carrier="Rhône",
        account_number="4711",
        authorized_by="Zoé",
        emergency_address=side.address,
        letter=Letter("letter.pdf", b"%PDF-1.7"),
    )


VERBS_OF_VOICE |= {
    "porting.order_port": Verb(VOICE, {"key": key}, {"request": port_request}),
    "porting.change_port_order": Verb(VOICE, {}, {"order": of("port_rejected"), "request": port_request}),
    "porting.cancel_port_order": Verb(VOICE, {}, {"order": of("port_order")}),
    "porting.move_port_order": Verb(VOICE, {"transfer_on": date(2099, 1, 1)}, {"order": of("port_approved")}),
}
INSTALLATION_OF_VOICE = (
    "porting.advance_port_order",
    "porting.complete_port_order",
    "disclaimers.publish_disclaimer",
    "disclaimers.change_country_rule",
    "postcodes.load_postcodes",
    "prices.set_prices",
    "quotas.set_number_quota",
    "rate_uploads.upload_rates",
    "rate_uploads.look_at_upload",
    "rate_uploads.load_upload",
    "rate_uploads.drop_upload",
    "rates.load_rates",
    "stock.load_numbers",
)
# What people do for themselves, whatever their role.
OWN_ACCOUNT_OF_VOICE = ("acknowledgments.acknowledge_emergency_calls",)


def arguments_of_voice(own, file):
    """How each command of Voice is called so that it would do something, or tell something."""
    file.write_text("name,country,house_number,street,city,postal_code\nSite,FR,1,rue Neuve,Paris,75001\n")
    numbers, letter = file.with_name("numbers.csv"), file.with_name("letter.pdf")
    numbers.write_text("PhoneNumber\n+33478000001\n")
    letter.write_bytes(b"%PDF-1.7")
    people = file.with_name("people.csv")
    people.write_text(f"person,number,address\n{OWN}.voice_manager,{own.phone_number.number},{own.elsewhere.name}\n")
    calls = file.with_name("calls.csv")
    calls.write_bytes(feed([a_call(1)]))
    here, number = ["--emergency-address", own.elsewhere.name], ["--number", own.phone_number.number]
    return {
        "accept_disclaimer": ["--country", "FR"],
        "acquire_numbers": ["--reservation", str(own.reservation.pk)],
        "add_emergency_address": [
            *("--name", "Site", "--country", "FR", "--house-number", "1", "--street", "rue Neuve"),
            *("--city", "Paris", "--postal-code", "75001"),
        ],
        "advance_port_order": ["--order", str(own.port_order.pk), "--state", "canceled"],
        "add_place": [*here, "--name", "3rd floor"],
        "assign_calls": ["--account", "2001", "--member", f"{OWN}.plain", "--remember"],
        "assign_licenses": ["--product", "phone-system", "--member", f"{OWN}.plain"],
        "assign_number": ["--member", f"{OWN}.voice_manager", *number, *here],
        "assign_numbers": [str(people)],
        "buy_licenses": ["--product", "premium", "--quantity", "1"],
        "cancel_reservation": ["--reservation", str(own.reservation.pk)],
        "change_number": ["--member", f"{OWN}.credit_manager", *number, *here],
        "import_calls": [str(calls), "--format", "skypemgr"],
        "list_numbers": [],
        "list_port_orders": [],
        "order_port": [
            *(str(numbers), "--name", "Lyon", "--country", "FR", "--carrier", "Rhône", "--account-number", "4711"),
            *("--signed-by", "Zoé", "--letter", str(letter), "--emergency-address", own.address.name),
        ],
        "load_emergency_addresses": [str(file)],
        "rate_calls": [],
        "rerate_calls": ["--from", "2026-10-01", "--to", "2026-12-31"],
        "rebuild_usage": [],
        "release_number": number,
        "report": ["usage", "--from", "2026-10-01", "--to", "2026-10-31"],
        "reserve_numbers": ["--country", "US", "--city", "Redmond", "--quantity", "1"],
        "set_emergency_address": ["--member", f"{OWN}.credit_manager", *here],
        "set_number_quota": ["--numbers", "70", "--reason", "Test"],
        "show_number_quota": [],
        "show_readiness": [],
        "unassign_licenses": ["--product", "phone-system", "--member", f"{OWN}.voice_manager"],
        "unassign_number": ["--member", f"{OWN}.credit_manager"],
    }


def _who(name):
    return [
        ("--member", lambda side: getattr(side, name).user.skype_name),
        ("--member", lambda side: getattr(side, name).email),
    ]


NUMBER = ("--number", lambda side: side.phone_number.number)
SITE = ("--emergency-address", lambda side: side.elsewhere.name)
RESERVATION = ("--reservation", lambda side: str(side.reservation.pk))
NAMING_OF_VOICE = {
    "acquire_numbers": [RESERVATION],
    "add_place": [SITE],
    "advance_port_order": [("--order", lambda side: str(side.port_order.pk))],
    "order_port": [("--emergency-address", lambda side: side.address.name)],
    "assign_calls": _who("plain"),
    "assign_licenses": _who("careful"),
    "assign_number": [*_who("caller"), NUMBER, SITE],
    "cancel_reservation": [RESERVATION],
    "change_number": [*_who("holder"), NUMBER, SITE],
    "release_number": [NUMBER],
    "set_emergency_address": [*_who("holder"), SITE],
    "unassign_licenses": _who("caller"),
    "unassign_number": _who("holder"),
}
