"""Two companies with everything in them, and somebody of every kind who may ask for something."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.db import connection
from django.db.models import Max
from django.test import Client
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from credit.amounts import BY_FILE
from credit.funding import fund
from credit.ledger import Move, account_of, accounts_of, post
from credit.letters import write_order_letter
from credit.models import BillingProfile, CardCheckout, Order, RechargePlan, SavedCard, WalletRecharge
from credit.purchases import place, settle
from credit.sellers import price_for
from credit.services.amounts import review_amounts
from members import directory
from members.access import ROLES, Actor
from members.audit import Action, record
from members.gateways.mail import deliver, mail_server, render_letter
from members.letter_texts import compose
from members.mail import invitation_letter
from members.models import (
    Batch,
    BatchPiece,
    BatchRow,
    Department,
    Invitation,
    Leaving,
    Letter,
    Member,
    User,
    UserSession,
)
from members.tokens import address_token, invitation_token
from skypemgr.clock import database_now
from telephony.gateways.address_validators import address_validator
from telephony.holding import hold
from telephony.models import (
    Call,
    CallImport,
    CallUpload,
    License,
    NumberAssignment,
    NumberQuota,
    NumberTag,
    PhoneNumber,
    RateDeckVersion,
    RateUpload,
    Reservation,
)
from telephony.rating import Rate
from telephony.services.rates import load_rates
from telephony.validated import seal
from telephony.validation import Civic
from tests.credit.idle import let_lie
from tests.factories import (
    PASSWORD,
    ApiTokenFactory,
    AuthenticatorAppFactory,
    EmergencyAddressFactory,
    InvitationFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
    PasskeyFactory,
    PhoneNumberFactory,
    PlaceFactory,
    PortOrderFactory,
    SavedReportFactory,
    SeatFactory,
    UserFactory,
    had_before,
)
from tests.matrix.asking import OURS
from tests.matrix.page import RATES
from tests.telephony.calls import START, a_call, feed, imported
from tests.telephony.decks import entry, row_of
from tests.telephony.voice import open_voice

Role, State, Outcome = Member.Role, Member.State, BatchRow.Outcome

OWN, OTHER = "kornblom", "zwarthout"
# In every text that people can write; it must never stand in a page as it is.
CANARY = '"><svg/onload=alert(7)>'
_OTHER_KEYS = 734_600_000
# In every text of the other company, and every key of its rows.
TRACE = re.compile(rf"{OTHER}|7346\d{{5}}", re.IGNORECASE)
# A file that doesn't say in which encoding it is written.
GUESSED = "E-mail,First name\nzoe@people.example,Zoë\n".encode("cp1252")
NEW_PASSWORD = "four loud geese landing"


class Side(SimpleNamespace):
    """A company: ``organization``, its people by who they are, and one of everything else it can have."""

    def __repr__(self) -> str:
        return str(self.word)


@dataclass(frozen=True)
class Person:
    """Somebody who asks. ``groups`` holds their name and whatever the table may call them together with others."""

    name: str
    groups: frozenset[str]
    session: str
    user: User | None = None
    role: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass
class World:
    own: Side
    other: Side
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def sides(self) -> dict[str, Side]:
        return {"own": self.own, "other": self.other}


def build_world() -> World:
    """Make it, in the transaction that is open; takes about a second."""
    own = _side(OWN, first_row=1)
    with keys_from(_OTHER_KEYS):
        other = _side(OTHER, first_row=41)
    own.letter = _keep_letter(own)
    world = World(own, other)
    for person in _people(own):
        world.people[person.name] = person
    return world


@contextmanager
def keys_from(start: int) -> Iterator[None]:
    """Give new rows keys that can be told from all others; numbers alone would be found on any page."""
    keyed = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    models = [model for model in keyed if model._meta.pk.name == "id"]

    def count_from(key: int, model: Any) -> None:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._meta.db_table, key])

    with connection.cursor() as cursor:
        for model in models:
            count_from(start, model)
        yield
        for model in models:
            newest = model._base_manager.filter(pk__lt=start).aggregate(Max("pk"))["pk__max"]
            count_from((newest or 0) + 1, model)


def _side(word: str, *, first_row: int) -> Side:
    title = word.title()
    side = Side(word=word, organization=OrganizationFactory(name=f"{title} {CANARY}", slug=word, show_colleagues=True))
    side.department = _department(side, f"{title} Nord {CANARY}")
    side.empty = _department(side, f"{title} Süd")
    side.spare = _department(side, f"{title} Ost")
    for role in Role:
        _member(side, role, role=role, personal=role == Role.REPORTS_VIEWER)
    _member(side, "blocked", admin=True, personal=True, state=State.BLOCKED)
    _member(side, "shut", admin=True, state=State.BLOCKED, user__is_active=False)
    _member(side, "left", admin=True, personal=True, state=State.LEFT)
    _member(side, "invited", admin=True, invited=True)
    _member(side, "newcomer", invited=True, user__must_change_password=True, user__password=make_password(PASSWORD))
    # Those to whom something is done: nobody of them ever asks.
    _member(side, "plain", department=side.department)
    _member(side, "waiting", invited=True)
    _member(side, "stopped", state=State.BLOCKED, user__is_active=False)
    _member(side, "gone", state=State.LEFT)
    _member(side, "careful")
    AuthenticatorAppFactory(user=side.careful.user)
    _predecessor(side)
    side.passkey = PasskeyFactory(user=side.administrator.user, name=f"{title} {CANARY}")
    side.api_token = ApiTokenFactory(made_by=side.administrator, name=f"{title} {CANARY}")
    fund(organization=side.organization, actor=Actor.system(), amount=Decimal(1_000), key=uuid4())
    _purchases(side)
    side.license = LicenseFactory(organization=side.organization, code="premium", quantity=5)
    side.leaving = Leaving.objects.create(
        organization=side.organization,
        member=side.plain,
        lines=[{"part": "members", "key": "sign-in", "outcome": "blocked"}],
        reason=f"{side.word} {CANARY}",
    )
    side.seat = SeatFactory(license=LicenseFactory(organization=side.organization, code="voicemail"), member=side.plain)
    RechargePlan.objects.create(
        organization=side.organization, member=side.careful, amount=20, below=5, monthly_limit=60
    )
    now = timezone.now()
    side.session = UserSession.objects.create(user=side.plain.user, key=word, began_at=now, seen_at=now)
    _invitations(side)
    _batches(side, first_row)
    _entries(side)
    _credit(side)
    _numbers(side)
    _addresses(side)
    _port_orders(side)
    _rates(side)
    # On a day on which the other company has none.
    called = a_call(9, account=side.plain.user.skype_name, at=START + timedelta(days=len(side.word)))
    nobodys = a_call(8, account="2001", at=START + timedelta(days=len(side.word)))
    imported(side.organization, [called, nobodys], source=f"{side.word} {CANARY}")
    side.call = Call.objects.get(organization=side.organization, member=side.plain)
    side.saved = SavedReportFactory(saved_by=side.administrator, name=f"{title} {CANARY}")
    side.reset_uid = urlsafe_base64_encode(force_bytes(side.plain.user.pk))
    side.reset_token = default_token_generator.make_token(side.plain.user)
    side.address_token = address_token(side.plain.user)
    return side


def _addresses(side: Side) -> None:
    """An emergency address with a place."""
    title = side.word.title()
    civic = {"house_number": "1", "street": f"rue {title}", "city": "Paris", "postal_code": "75001"}
    side.address = EmergencyAddressFactory(organization=side.organization, name=f"{title} {CANARY}", civic=civic)
    side.place = PlaceFactory(address=side.address, name=f"{title} {CANARY}")
    result = address_validator().validate(Civic.of({"country": "FR", **civic, "house_number": "2"}))
    side.validated, side.address_seal = result, seal(side.organization, result)
    side.address_file = signing.dumps(
        [[f"{title} 2", result.as_json()]], salt=f"telephony.address_file.{side.organization.pk}", compress=True
    )


def _port_orders(side: Side) -> None:
    """Orders of numbers from another carrier: one that waits, one that was asked for, one agreed to, one rejected."""
    title, later = side.word.title(), timezone.localdate() + timedelta(days=30)
    facts = {"organization": side.organization, "carrier": f"{title} {CANARY}", "authorized_by": f"{title} {CANARY}"}
    facts |= {"name": f"{title} {CANARY}", "emergency_address": side.address, "made_by": side.caller}
    side.port_order, side.port_contacting, side.port_approved, side.port_rejected = (
        PortOrderFactory(**facts, state=state, transfer_on=later if state == "approved" else None)
        for state in ("processing", "contacting", "approved", "rejected")
    )


def _rates(side: Side) -> None:
    """What calls cost them alone, and a file of it that waits to be loaded."""
    title, own = side.word.title(), {"organization": side.organization}
    rows = [row_of(entry("44", Rate(per_minute=Decimal(1))))]
    load_rates(actor=Actor.system(), rows=rows, file_name=f"{title} {CANARY}", **own)
    side.rate_version = RateDeckVersion.objects.get(deck__organization=side.organization)
    operator = UserFactory(is_operator=True)
    side.call_import, side.call_tried = (
        CallUpload.objects.create(
            imported=CallImport.objects.create(**own, source=f"{title} {CANARY}", format="skypemgr"),
            state=state,
            time_zone="UTC",
            content=feed([a_call(number, account=side.plain.user.skype_name)]),
            lines=2,
        ).imported
        for number, state in ((401, "running"), (402, "tried"))
    )
    side.rate_upload = RateUpload.objects.create(
        **own, decimals=4, file_name=f"{title} {CANARY}", content=RATES, uploaded_by=operator
    )


def _purchases(side: Side) -> None:
    """An order that waits, and one that was paid, with its invoice."""
    title = side.word.title()
    organization, buyer = side.organization, side.administrator
    actor = Actor.of_member(buyer)
    address = {"street": f"1 {title} {CANARY}", "city": title, "country": "FR", "vat_id": "FR40303265045"}
    BillingProfile.objects.create(
        organization=organization, name=f"{title} {CANARY}", email=f"{side.word}.bills@people.example", **address
    )

    def order(method: str = "bank_transfer") -> Order:
        price, method = price_for(organization, Decimal(100)), Order.Method(method)
        return place(organization=organization, actor=actor, price=price, method=method, key=uuid4(), member=buyer)

    side.order, side.paid_order, side.card_order = order(), order(), order("card")
    side.saving = CardCheckout.objects.create(
        organization=organization,
        key=uuid4(),
        state="open",
        session=f"cs_{side.word}",
        url=f"https://checkout.example/{side.word}",
        save_card=True,
        asked_by=buyer,
    )
    side.card = SavedCard.objects.create(
        organization=organization,
        customer=f"cus_{side.word}",
        method=f"pm_{side.word}",
        brand="visa",
        last4="4242",
        month=12,
        year=2031,
        saved_by=buyer,
    )
    WalletRecharge.objects.create(
        organization=organization, amount=50, below=10, monthly_limit=100, state="active", saved_by=buyer
    )
    write_order_letter(side.order)
    payment = settle(side.paid_order, actor=actor, gateway="bank_transfer", reference=side.paid_order.number)
    side.invoice = payment.invoice


def _numbers(side: Side) -> None:
    """A number that is owned, one that is held, and one that is free."""
    organization = side.organization
    open_voice(organization)
    # The stock is everybody's, and so are the keys of its places.
    city, key = ("Redmond", 1_000_001) if side.word == OWN else ("Seattle", 1_000_002)
    side.area = NumberAreaFactory(pk=key, city=city)
    side.phone_number = PhoneNumberFactory(organization=organization, area=side.area)
    side.tag = NumberTag.objects.create(
        organization=organization, number=side.phone_number, name=f"{side.word} {CANARY}", key=f"{side.word} {CANARY}"
    )
    NumberQuota.objects.create(organization=organization, numbers=50, reason=f"{side.word} {CANARY}")
    side.american, side.elsewhere = (
        EmergencyAddressFactory(organization=organization, country="US", name=f"{side.word} {place} {CANARY}")
        for place in ("here", "there")
    )
    side.american_place = PlaceFactory(address=side.elsewhere, name=f"{side.word} {CANARY}")
    phone_system = License.objects.get(organization=organization, product__code="phone-system")
    # One who can be given a number, and one who has one.
    side.caller, side.holder = side.voice_manager, side.credit_manager
    for member in (side.caller, side.holder):
        SeatFactory(license=phone_system, member=member)
    NumberAssignment.objects.create(
        organization=organization,
        number=PhoneNumberFactory(organization=organization, area=side.area),
        member=side.holder,
        emergency_address=side.american,
        since=timezone.now(),
    )
    salt = f"telephony.assignment_file.{{}}.{organization.pk}"
    pairing = [side.caller.pk, side.phone_number.pk, side.american.pk, None]
    side.assignment_file = signing.dumps([str(uuid4()), [pairing]], salt=salt.format("pairings"), compress=True)
    side.assignment_rows = signing.dumps([[f"{side.word} {CANARY}"]], salt=salt.format("rows"), compress=True)
    side.held_number = PhoneNumberFactory(area=side.area)
    side.reservation = hold(organization=organization, area=side.area, quantity=1, moment=database_now())
    # It outlives every test.
    later = side.reservation.expires_at + timedelta(days=1)
    Reservation.objects.filter(pk=side.reservation.pk).update(expires_at=later)
    PhoneNumber.objects.filter(reservation=side.reservation).update(reserved_until=later)
    PhoneNumberFactory(area=side.area)


def _department(side: Side, name: str) -> Department:
    return Department.objects.create(organization=side.organization, name=name, path=name, sort_key=name.lower())


def _member(side: Side, who: str, **facts: Any) -> None:
    name = f"{side.word}.{who}"[:32]
    member = MemberFactory(
        organization=side.organization,
        user__skype_name=name,
        user__first_name=f"{side.word.title()} {CANARY}",
        user__last_name=f"{who.title()} {CANARY}",
        **facts,
    )
    setattr(side, who, member)


def _predecessor(side: Side) -> None:
    """An account that somebody else had before."""
    _member(side, "heir")
    side.tenure = had_before(side.heir, first_name=side.word.title(), last_name=f"Before {CANARY}")


def _invitations(side: Side) -> None:
    boss = side.administrator
    side.invitation = InvitationFactory(member=side.waiting, invited_by=boss, department=side.department)
    InvitationFactory(member=side.newcomer, invited_by=boss)
    side.personal_invitation = Invitation.objects.create(
        organization=side.organization,
        kind=User.Kind.PERSONAL,
        email=f"{side.word}.guest@people.example",
        invited_by=boss,
        department=side.department,
        expires_at=timezone.now() + timedelta(days=7),
    )
    for invitation in (side.invitation, side.personal_invitation):
        invitation_letter(invitation).save()
    Letter.objects.filter(organization=side.organization).update(last_error="450 later")
    side.token = invitation_token(side.invitation)
    side.personal_token = invitation_token(side.personal_invitation)


def _batches(side: Side, first_row: int) -> None:
    def batch(state: str, **facts: Any) -> Batch:
        return Batch.objects.create(
            organization=side.organization,
            kind=Batch.Kind.IMPORT_MEMBERS,
            state=state,
            started_by=side.administrator,
            file_name=f"{side.word} {CANARY}.csv",
            facts={**_how_read(), "letters": True},
            **facts,
        )

    def row(of: Batch, number: int, outcome: str, **facts: Any) -> None:
        name = f"{side.word}.row{of.pk}.{number}"
        data = {
            "email": f"{name}@people.example",
            "skype_name": name[:32],
            "first_name": side.word.title(),
            "last_name": f"Row {CANARY}" if outcome != Outcome.READY else "Row",
            "department": "",
            "typed": False,
            "password": "",
        }
        BatchRow.objects.create(
            organization=side.organization, batch=of, number=number, outcome=outcome, data=data, match_key=name, **facts
        )

    wrong = [{"field": "skype_name", "code": "skype_name_taken", "facts": {"free": f"{side.word} {CANARY}"}}]
    side.row, side.wrong_row, side.left_row = first_row, first_row + 1, first_row + 2
    side.draft = batch(Batch.State.DRAFT, total=2)
    row(side.draft, side.row, Outcome.READY)
    row(side.draft, side.left_row, Outcome.LEFT_OUT)
    side.flawed = batch(Batch.State.DRAFT, total=3)
    row(side.flawed, side.row, Outcome.READY)
    row(side.flawed, side.wrong_row, Outcome.PROBLEM, problems=wrong)
    row(side.flawed, side.left_row, Outcome.LEFT_OUT)
    side.done = batch(Batch.State.DONE, total=2, started_at=timezone.now(), finished_at=timezone.now())
    row(side.done, side.row, Outcome.FAILED, problems=[{"field": None, "code": "conflict", "facts": {}}])
    side.reading = batch(Batch.State.READING)
    side.stuck = batch(Batch.State.READING, attempts=5, given_up_at=timezone.now())
    side.guessed = batch(Batch.State.DRAFT)
    BatchPiece.objects.create(batch=side.guessed, number=0, content=GUESSED)
    read = directory.open_directory(BytesIO(GUESSED)).facts.as_json()
    Batch.objects.filter(pk=side.guessed.pk).update(facts={**read, "read_as": "", "letters": True})
    side.run = Batch.objects.create(
        organization=side.organization,
        kind=Batch.Kind.BLOCK_MEMBERS,
        state=Batch.State.RUNNING,
        started_by=side.administrator,
        facts={"reason": f"{side.word} {CANARY}"},
        total=1,
        started_at=timezone.now(),
    )
    side.stuck_run = Batch.objects.create(
        organization=side.organization,
        kind=Batch.Kind.BLOCK_MEMBERS,
        state=Batch.State.RUNNING,
        started_by=side.administrator,
        facts={"reason": ""},
        started_at=timezone.now(),
        given_up_at=timezone.now(),
    )
    side.amounts = Batch.objects.create(
        organization=side.organization,
        kind=BY_FILE,
        started_by=side.administrator,
        file_name=f"{side.word} {CANARY}.csv",
        fingerprint=side.word,
        facts={"currency": "EUR", "key": str(uuid4()), "each": True},
        total=1,
    )
    given = {"person": side.plain.email, "amount": "12.5000", "reason": f"{side.word} {CANARY}"}
    BatchRow.objects.create(
        organization=side.organization,
        batch=side.amounts,
        number=1,
        outcome=Outcome.READY,
        member=side.plain,
        data=given,
    )
    side.addresses = Batch.objects.create(
        organization=side.organization,
        kind=Batch.Kind.CHANGE_ADDRESSES,
        started_by=side.administrator,
        file_name=f"{side.word} {CANARY}.csv",
        total=1,
    )
    BatchRow.objects.create(
        organization=side.organization,
        batch=side.addresses,
        number=1,
        outcome=Outcome.READY,
        member=side.waiting,
        invitation=side.invitation,
        data={"old": side.invitation.email, "new": f"{side.word}.new@people.example"},
    )
    side.guessed_amounts = review_amounts(
        actor=Actor.system(),
        organization=side.organization,
        content=f"E-mail,Amount,Reason\n{side.plain.email},3,Prêt {side.word}\n".encode("cp1252"),
        file_name=f"{side.word} {CANARY}.csv",
        key=uuid4(),
    )
    BatchRow.objects.create(
        organization=side.organization, batch=side.run, number=1, outcome=Outcome.DONE, member=side.stopped
    )


def _how_read() -> dict[str, object]:
    return directory.open_directory(BytesIO(b"E-mail,First name\nanna@people.example,Anna\n")).facts.as_json()


def _keep_letter(side: Side) -> str:
    """Send the company's invitation to the mailbox of this machine; gives the letter's name there."""
    letter = Letter.objects.get(invitation=side.invitation)
    composed = compose(letter)
    assert composed is not None
    message = render_letter(
        template=letter.kind, context=composed.context, address=letter.email, message_id=letter.message_id
    )
    with mail_server() as connected:
        deliver(connected, message)
    return "".join(sign for sign in message.extra_headers["Message-ID"] if sign.isalnum() or sign == "-")


def _entries(side: Side) -> None:
    boss = Actor.of_member(side.administrator, address="192.0.2.7")
    text = f"{side.word} {CANARY}"
    for action, subject, facts in [
        (Action.MEMBER_BLOCKED, side.stopped, {"reason": text}),
        (Action.DEPARTMENT_CHANGED, side.department, {"before": {"department": text}, "after": {"department": text}}),
        (Action.INVITATION_SENT, side.personal_invitation, {}),
        (Action.BATCH_STARTED, side.done, {"after": {"rows": 1, "file": True}}),
    ]:
        record(organization=side.organization, actor=boss, action=action, subject=subject, **facts)


def _credit(side: Side) -> None:
    boss, reason = Actor.of_member(side.administrator), f"{side.word} {CANARY}"
    fund(organization=side.organization, actor=boss, amount=Decimal(1_025), key=uuid4(), reason=reason)
    wallet = account_of(side.organization, "wallet")
    for account in accounts_of(side.organization, [side.plain, side.member]).values():
        post(
            organization=side.organization,
            operation="allocation",
            moves=[Move(wallet, account, Decimal("12.5"), uuid4())],
            actor=boss,
            reason=reason,
        )
    let_lie(side.plain, side.member)


def _people(own: Side) -> Iterator[Person]:
    """Somebody of every kind, each signed in where they can be."""
    yield Person("visitor", frozenset({"visitor"}), _session(None))
    for role in ROLES:
        yield _signed_in(str(role), getattr(own, role).user, role=str(role), also={"inside"})
    operator = UserFactory(skype_name="operator.one", is_operator=True)
    AuthenticatorAppFactory(user=operator)
    yield _signed_in("operator", operator)
    yield _signed_in("stranger", UserFactory(skype_name="stranger.one"))
    for name in ("blocked", "left", "invited"):
        yield _signed_in(name, getattr(own, name).user)
    yield _signed_in("newcomer", own.newcomer.user)
    # Whose account is shut is nobody here, whatever session they still have.
    yield Person("shut", frozenset({"shut", "visitor"}), _session(own.shut.user))


def _signed_in(name: str, user: User, *, role: str = "", also: frozenset[str] | set[str] = frozenset()) -> Person:
    return Person(name, frozenset({name, "signed_in", user.kind, *also}), _session(user), user, role)


def _session(user: User | None) -> str:
    """The key of a session in which set-up was begun, so that its later steps can be asked for."""
    if user is None:
        session = SessionStore()
    else:
        client = Client()
        client.force_login(user)
        session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    account: dict[str, Any] = {
        "skype_name": "founder.new",
        "email": "founder@people.example",
        "first_name": "",
        "last_name": "",
        "password": make_password(NEW_PASSWORD),
    }
    if user is not None and user.is_active and user.kind == User.Kind.PERSONAL:
        account = {"existing": user.pk}
    company = {
        "name": "Third",
        "slug": "third",
        "country": "FR",
        "currency": "EUR",
        "time_zone": "Europe/Paris",
        "language": "en",
    }
    session["setup"] = {"company": company, "account": account}
    session.save()
    return session.session_key or ""
