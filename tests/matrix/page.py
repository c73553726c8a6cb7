"""What a URL promises, and what its requests carry; the tables are made of these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter as of
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from members.access import Capability
from tests.telephony.calls import a_call, feed

type Value = str | int | bool | Callable[[Any], object]

OPEN = Capability.OPEN_CONSOLE
VIEW = Capability.VIEW_MEMBERS
MANAGE = Capability.MANAGE_MEMBERS
REPORTS = Capability.VIEW_REPORTS
ROLES = Capability.ASSIGN_ROLES
LOG = Capability.VIEW_AUDIT
CREDIT = Capability.MANAGE_CREDIT
VOICE = Capability.MANAGE_VOICE
SETTINGS = Capability.MANAGE_ORGANIZATION


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a URL promises.

    ``access`` is the capability it needs in the organization of its URL, or one of "public", "signed_in",
    "first_password", "operator", "local", "token", and "open" for what knows nobody. ``get`` and ``post`` are the
    statuses for those who may; 0 says that the method is not allowed. ``unlike`` gives both for askers, or groups of
    them, who get another answer. ``at`` are the URL's parameters, ``query`` and ``send`` what GET and POST carry:
    literals, or functions of the company they are about. ``foreign`` names the fields of ``send`` and ``query`` that
    speak of an object, and gives that object. ``logs`` are the actions that a POST leaves in the log; where it leaves
    none, ``unlogged`` says why.
    """

    access: str
    get: int = 0
    post: int = 0
    posting: Capability | None = None
    unlike: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    at: Mapping[str, Value] = field(default_factory=dict)
    query: Mapping[str, Value] = field(default_factory=dict)
    send: Mapping[str, Value] = field(default_factory=dict)
    foreign: Mapping[str, Value] = field(default_factory=dict)
    logs: tuple[str, ...] = ()
    logged_for: frozenset[str] = frozenset({"signed_in", "visitor"})
    unlogged: str = ""
    # The status of a URL whose texts were made up, where they prove something by themselves.
    made_up: int = 404
    # Whether they are looked at before the method is.
    link: bool = False
    # The tables in which a look at it is noted; nothing else is written by looking.
    notes: frozenset[str] = frozenset()
    # Whether whoever posts is a machine, known by its signature instead of a token.
    signed: bool = False
    # Why it may name every organization there is.
    names_all: str = ""


def key(side: object) -> object:
    """What the form of a page is given when it is shown."""
    return uuid4()


class SameFile(SimpleUploadedFile):
    """A file that can be sent again and again."""

    def read(self, *args: Any) -> Any:
        self.seek(0)
        return super().read(*args)


def amounts(side: Any) -> object:
    """A file that gives somebody credit."""
    return SameFile("amounts.csv", f"E-mail,Amount\n{side.plain.email},12.50\n".encode())


def address_list(side: Any) -> object:
    """A file of an emergency address."""
    text = "name,country,house_number,street,city,postal_code\nSiège,FR,1,rue de Rivoli,Paris,75001\n"
    return SameFile("addresses.csv", text.encode())


def authorization(side: Any) -> object:
    """A signed letter, as a PDF."""
    return SameFile("letter.pdf", b"%PDF-1.7")


def assignment_list(side: Any) -> object:
    """A file that gives somebody a number."""
    text = f"person,number,address\n{side.caller.email},{side.phone_number.number},{side.american.name}\n"
    return SameFile("numbers.csv", text.encode())


RATES = b"prefix,destination,per_minute,currency,valid_from\n33,France,0.02,EUR,2026-01-01\n"


def rates_file(side: Any) -> object:
    """A file of what calls cost."""
    return SameFile("rates.csv", RATES)


def calls_file(side: Any) -> object:
    """A file of a call."""
    return SameFile("calls.csv", feed([a_call(77, account=side.plain.user.skype_name)]))


def address_as_typed(**more: Value) -> dict[str, Value]:
    """What the form of an emergency address sends, of the one that was validated."""
    fields = {name: of(f"validated.normalized.{name}") for name in ("house_number", "street", "city", "postal_code")}
    return {"name": "Site 2", "country": "FR", **fields, "region": "", **more}


def port_as_typed(**more: Value) -> dict[str, Value]:
    """What the form of a port order sends."""
    words = {"name": "Lyon", "city": "Lyon", "carrier": "Rhône", "account_number": "4711", "authorized_by": "Zoé"}
    fields = {"country": "FR", "type": "user", "numbers": "+33478000001", "letter": authorization}
    return {**words, **fields, "emergency_address": of("address.pk"), **more}


NOT_SAVED = "is validated, and saved by another page"
OWN_BUSINESS = "is about somebody's own account, which belongs to no organization"
NOTHING_YET = "is still a draft, of which nothing has come"
RUNNING = "operators run the installation"
COUNTED = "is a reply that stands on the list of invitations"

# That single calls were looked at.
LOOKED = frozenset({"members_auditentry", "members_auditorigin"})

# Who sees members, and may not do what a change of many did.
NOT_THEIR_KIND = dict.fromkeys(["credit_manager", "voice_manager", "reports_viewer"], (403, 0))
NOT_THEIRS_TO_STOP = dict.fromkeys(["credit_manager", "voice_manager", "reports_viewer"], (0, 403))
