"""A company in every state its pages can show, made by what makes it in the product."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.test import override_settings
from django.utils import timezone

from credit import purchases
from credit.funding import fund
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import BillingProfile, CardCheckout, Invoice, Order, SavedCard, WalletRecharge
from credit.sellers import price_for
from credit.services.amounts import allocate_amounts, discard_amounts, review_amounts
from credit.services.recharge import set_auto_recharge
from members.access import Actor
from members.importing import Draft
from members.letter_texts import reset_url
from members.models import (
    ApiToken,
    Batch,
    BatchRow,
    Department,
    Invitation,
    Leaving,
    Letter,
    Member,
    Organization,
    User,
)
from members.names import fold
from members.services.addresses import change_addresses, discard_addresses, review_addresses
from members.services.consents import decide_call_detail
from members.services.demo import seed_demo
from members.services.departments import add_department
from members.services.erasure import erase_member
from members.services.hand_over import hand_over
from members.services.import_work import advance, refuse_import
from members.services.imports import cancel_batch, start_batch, start_import_of_file, start_import_of_people
from members.services.invitations import cancel_invitations, invite_personal, resend_invitations
from members.services.joining import accept_business_invitation, decline_invitation, tell_inviter
from members.services.letters import send_letters
from members.services.members import block_members
from members.services.profile import leave_organization
from members.services.run_work import advance_run
from members.services.runs import cancel_run, start_run
from members.services.seals import seal_audit_logs
from members.tokens import address_token, invitation_token
from reports.models import SavedReport
from skypemgr import settings as everywhere
from telephony.models import (
    CallImport,
    License,
    PhoneNumber,
    Place,
    PortOrder,
    RateDeckVersion,
    RateUpload,
)
from tests.browser.people import NAMES, hashed_as_everywhere
from tests.browser.world_of_voice import add_licenses, add_voice
from tests.credit.idle import let_lie
from tests.factories import (
    ApiTokenFactory,
    AuthenticatorAppFactory,
    HelpFeedbackFactory,
    MemberFactory,
    OrganizationFactory,
    PasskeyFactory,
    SavedReportFactory,
    UserFactory,
)

DIRECTORIES = Path(__file__).parent.parent / "data" / "directories"


@dataclass
class World:
    """``company`` has everything, ``start`` was set up a minute ago; ``people`` by who they are and what they read."""

    company: Organization
    start: Organization
    people: dict[tuple[str, str], User] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    runs: dict[str, Batch] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    licenses: dict[str, License] = field(default_factory=dict)
    saving: CardCheckout | None = None
    invoices: dict[str, Invoice] = field(default_factory=dict)
    departments: dict[str, Department] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    letter: str = ""
    # The key of an invitation of somebody of whom only the address is known.
    stranger: int = 0
    token: ApiToken | None = None
    saved: SavedReport | None = None
    number: PhoneNumber | None = None
    place: Place | None = None
    port_orders: dict[str, PortOrder] = field(default_factory=dict)
    # The version that counts, and a file that waits to be loaded.
    rate_version: RateDeckVersion | None = None
    rate_upload: RateUpload | None = None
    call_imports: dict[str, CallImport] = field(default_factory=dict)
    leaving: Leaving | None = None


def build_world() -> World:
    """Make it; takes some seconds."""
    with override_settings(MAILERS=everywhere.MAILERS):
        company = seed_demo(actor=Actor.system(), members=64)
        founder = Member.objects.select_related("user", "organization").get(user__skype_name="architectes.admin")
        start = OrganizationFactory(name="Maison Vide", slug="maison-vide", letters_released_at=None)
        Organization.objects.filter(pk=company.pk).update(show_colleagues=True)
        world = World(company=company, start=start)
        _add_people(world)
        acting: dict[str, Any] = {"actor": Actor.of_member(founder), "organization": company}
        _add_departments(world, acting)
        _add_batches(world, acting)
        _add_runs(world, acting)
        _add_links(world, acting)
        _change_members(world, acting)
        _add_tokens(world)
        HelpFeedbackFactory(comment="Now I know why a colleague was not recharged.")
        HelpFeedbackFactory(article="csv-file", language="sv", useful=False, comment="Hur sparar man som CSV?")
        _move_credit(world, acting)
        add_licenses(world)
        _buy_credit(world)
        add_voice(world, acting)
        _review_amounts(world, acting)
        _review_addresses(world, acting)
        send_letters()
        seal_audit_logs()
        _spoil_letters(company)
        [*_, newest] = sorted((everywhere.VAR_DIR / "letters").glob("*.eml"), key=lambda file: file.stat().st_mtime)
        world.letter = newest.stem
    return world


def _add_people(world: World) -> None:
    """Somebody of each kind for each language; whoever looks at a page is one of them."""
    for language, (first, _last) in NAMES.items():
        _person(world, language, "administrator", organization=world.company, admin=True, personal=True)
        unconfirmed = {"user__email_verified_at": None}
        _person(world, language, "founder", organization=world.start, admin=True, personal=True, **unconfirmed)
        _person(world, language, "member", organization=world.company)
        _person(world, language, "idle", organization=world.company)
        _person(world, language, "phoning", organization=world.company)
        _person(world, language, "newcomer", organization=world.company, user__must_change_password=True)
        # With a console in each of two organizations, an invitation to a third, and an address to confirm.
        guest = _person(world, language, "guest", organization=world.company, admin=True, personal=True, **unconfirmed)
        MemberFactory(organization=world.start, user=guest, role=Member.Role.MEMBERS_MANAGER)
        world.people["operator", language] = UserFactory(
            skype_name=f"operator.{language}", first_name=first, language=language, is_operator=True
        )
        careful = _person(world, language, "careful", organization=world.company, admin=True, personal=True)
        PasskeyFactory(user=careful, name="Work laptop")
        decide_call_detail(actor=Actor.of_person(guest), organization=world.start, given=True)
        _person(world, language, "traveler", organization=world.company, personal=True)
        for user in (careful, world.people["operator", language]):
            AuthenticatorAppFactory(user=user)
    world.members["idle"] = world.people["idle", "en"].memberships.get()
    world.members["warned"] = MemberFactory(organization=world.company, user__skype_name="warned.person")
    world.members["careful"] = MemberFactory(organization=world.company, user__skype_name="careful.person")
    AuthenticatorAppFactory(user=hashed_as_everywhere(world.members["careful"].user))


def _person(world: World, language: str, kind: str, **facts: Any) -> User:
    first, last = NAMES[language]
    name = f"{fold(first)}.{kind}"
    member = MemberFactory(
        user__skype_name=name,
        user__first_name=first,
        user__last_name=last,
        user__language=language,
        **facts,
    )
    world.people[kind, language] = member.user
    return member.user


def _add_departments(world: World, acting: dict[str, Any]) -> None:
    paris = Department.objects.get(organization=world.company, name="Studio Paris")
    models = add_department(**acting, name="Maquettes", parent=paris)
    world.departments = {"nested": models, "empty": add_department(**acting, name="Bois", parent=models)}


def _add_batches(world: World, acting: dict[str, Any]) -> None:
    def people(*addresses: str) -> Batch:
        drafts = [Draft(number=number, email=address) for number, address in enumerate(addresses, start=1)]
        return start_import_of_people(**acting, people=drafts, key=uuid4())

    def file(name: str, content: bytes | None = None) -> Batch:
        content = content or (DIRECTORIES / name).read_bytes()
        batch = start_import_of_file(**acting, content=content, file_name=name, key=uuid4())
        return Batch.objects.get(pk=batch.pk)

    def read(batch: Batch) -> Batch:
        advance(batch)
        return Batch.objects.get(pk=batch.pk)

    world.batches["ready"] = people("anna.berg@people.example", "bo.ek@people.example")
    world.batches["to_correct"] = read(file("messy.csv"))
    names = "E-mail,Prénom,Nom,Service\nzoe@people.example,Zoë,Brontë,Études\noystein@people.example,Øystein,Ås,Prêt\n"
    world.batches["legacy"] = read(file("personnel.csv", names.encode("cp1252")))
    world.batches["large"] = read(file("entra-bulk-users.csv", _many_people(240)))
    world.batches["reading"] = file("google-workspace-users.csv")
    world.batches["given_up"] = file("annuaire-2.csv", _many_people(41))
    Batch.objects.filter(pk=world.batches["given_up"].pk).update(given_up_at=timezone.now(), attempts=5)
    world.batches["refused"] = file("annuaire.csv", b"E-mail\nanna.berg@people.example\n")
    refuse_import(batch=world.batches["refused"], code="file_quote_open", facts={"line": 7})
    world.batches["running"] = start_batch(**acting, batch=read(file("service.csv", _many_people(30))))
    world.batches["canceled"] = start_batch(**acting, batch=people("cy.falk@people.example"))
    cancel_batch(**acting, batch=world.batches["canceled"])
    done = read(file("autumn.csv", _many_people(9) + b"not-an-address,Nobody,Here\n"))
    world.batches["done"] = start_batch(**acting, batch=done, valid_rows_only=True)
    advance(world.batches["done"])
    failed = BatchRow.objects.filter(batch=done, outcome=BatchRow.Outcome.DONE).last()
    BatchRow.objects.filter(pk=failed.pk).update(
        outcome=BatchRow.Outcome.FAILED, problems=[{"field": "", "code": "conflict", "facts": {}}]
    )
    world.batches["all_created"] = start_batch(**acting, batch=people("dag.holm@people.example"))
    advance(world.batches["all_created"])


def _add_runs(world: World, acting: dict[str, Any]) -> None:
    """Changes of many people; with as few as these they are made at once, unless somebody begins them so."""
    everybody = Member.objects.filter(organization=world.company, state=Member.State.ACTIVE, role=Member.Role.MEMBER)

    def moving(department: Department | None) -> Batch:
        facts = {"department": department and department.pk, "path": department.path if department else ""}
        kind = Batch.Kind.MOVE_MEMBERS
        return start_run(**acting, kind=kind, members=everybody, expected=everybody.count(), key=uuid4(), facts=facts)

    world.runs["done"] = moving(None)
    advance_run(world.runs["done"])
    world.runs["canceled"] = moving(world.departments["nested"])
    cancel_run(**acting, batch=world.runs["canceled"])
    world.runs["running"] = moving(world.departments["nested"])
    world.runs["given_up"] = moving(world.departments["nested"])
    Batch.objects.filter(pk=world.runs["given_up"].pk).update(given_up_at=timezone.now(), attempts=5)


def _add_tokens(world: World) -> None:
    maker = world.people["administrator", "en"].memberships.get()
    long_ago = timezone.now() - timedelta(days=200)
    world.saved = SavedReportFactory(saved_by=maker, name="Calls of the month")
    world.token = ApiTokenFactory(made_by=maker, name="Call import of the exchange", last_used_at=timezone.now())
    ApiTokenFactory(made_by=maker, name="Directory", revoked_at=timezone.now())
    expired = ApiTokenFactory(made_by=maker, name="A trial")
    ApiToken.objects.filter(pk=expired.pk).update(created_at=long_ago, expires_at=long_ago + timedelta(days=90))


def _many_people(number: int) -> bytes:
    lines = BytesIO(b"E-mail,First name,Last name\n")
    lines.seek(0, 2)
    for place in range(number):
        lines.write(f"person{number}.{place}@people.example,Person,Number {place}\n".encode())
    return lines.getvalue()


def _add_links(world: World, acting: dict[str, Any]) -> None:
    """The links of letters, in each state a link can be in."""
    waiting = list(
        Invitation.objects.filter(organization=world.company, state=Invitation.State.PENDING)
        .select_related("organization", "member__user", "user")
        .order_by("pk")[:6]
    )
    keys = ["open", "used", "canceled", "expired", "replaced", "asked"]
    business = dict(zip(keys, waiting, strict=True))
    world.links |= {key: invitation_token(entry) for key, entry in business.items()}
    accept_business_invitation(
        actor=Actor.visitor(), invitation=business["used"], first_name="Noé", last_name="Lacombe", password="x" * 20
    )
    cancel_invitations(**acting, invitations=[business["canceled"].pk])
    world.members["canceled"] = business["canceled"].member
    late = [business["expired"].pk, business["asked"].pk]
    Invitation.objects.filter(pk__in=late).update(expires_at=timezone.now() - timedelta(days=3))
    tell_inviter(actor=Actor.visitor(), invitation=Invitation.objects.get(pk=business["asked"].pk), newest=True)
    resend_invitations(**acting, invitations=[business["replaced"].pk])
    world.members["invited"] = business["open"].member

    guests = [world.people["guest", language] for language in NAMES]
    strangers = ["pal.lind@people.example", "ove.dahl@people.example"]
    other = MemberFactory(
        admin=True, personal=True, organization__name="Byrå Nord", user__first_name="Ylva", user__last_name="Näslund"
    )
    of_nord = {"actor": Actor.of_member(other), "organization": other.organization}
    personal = invite_personal(**acting, people=strangers, key=uuid4())
    world.links["personal"], world.stranger = invitation_token(personal[0]), personal[0].pk
    world.links["declined"] = invitation_token(personal[1])
    decline_invitation(actor=Actor.visitor(), invitation=personal[1])
    invited = invite_personal(**of_nord, people=[guest.email for guest in guests], key=uuid4())
    for guest, invitation in zip(guests, invited, strict=True):
        world.links[f"guest_{guest.language}"] = invitation_token(invitation)
    for language in NAMES:
        founder, member = world.people["founder", language], world.people["member", language]
        world.links[f"verify_{language}"] = address_token(founder)
        world.links[f"verified_{language}"] = address_token(member)
    # Of somebody who signs in nowhere meanwhile, which would end the link.
    forgetful = Member.objects.of(world.company).get(user__skype_name="camille.rousseau")
    world.links["reset"] = reset_url(forgetful.user).removeprefix(everywhere.BASE_URL)


def _change_members(world: World, acting: dict[str, Any]) -> None:
    members = Member.objects.of(world.company).select_related("user").filter(user__kind="business")
    seeded = members.filter(email__endswith="@architectes.example")
    [blocked, *_] = seeded.filter(state=Member.State.ACTIVE, role=Member.Role.MEMBER).order_by("-pk")
    block_members(**acting, members=members.filter(pk=blocked.pk), reason="Parental leave until March")
    world.members["blocked"] = blocked
    world.members["active"] = members.get(user__skype_name="camille.rousseau")
    [given] = seeded.filter(state=Member.State.ACTIVE, role=Member.Role.MEMBER).order_by("-pk")[:1]
    world.members["handed_over"] = hand_over(
        **acting,
        member=given,
        email="elin.ek@architectes.example",
        first_name="Elin",
        last_name="Ek",
        job_title="Planner",
        key=uuid4(),
    )
    invited = Invitation.objects.filter(organization=world.company, member__state=Member.State.INVITED)
    leaving = invited.exclude(member=world.members["handed_over"]).last()
    cancel_invitations(**acting, invitations=[leaving.pk])
    gone = Member.objects.get(pk=leaving.member_id)
    world.members["erased"] = erase_member(**acting, member=gone)
    world.members["left"] = world.members["canceled"]


def _buy_credit(world: World) -> None:
    """An order in every state, the newest last, with an invoice and a credit note."""
    company, buyer = world.company, world.people["administrator", "en"].memberships.get(organization=world.company)
    actor = Actor.of_member(buyer)
    BillingProfile.objects.create(
        organization=company,
        name="Architectes S.A.",
        street="12, rue des Tilleuls",
        postal_code="69002",
        city="Lyon",
        country="FR",
        vat_id="FR40303265045",
        email="comptabilite@architectes.example",
    )
    for state in ("refunded", "canceled", "expired", "paid", "waiting"):
        order = purchases.place(
            organization=company,
            actor=actor,
            price=price_for(company, Decimal(250)),
            method=Order.Method.BANK_TRANSFER,
            key=uuid4(),
            member=buyer,
            expires_at=timezone.now() + timedelta(days=30),
        )
        world.orders[state] = order
        if state in ("paid", "refunded"):
            world.invoices["paid"] = purchases.settle(
                order, actor=actor, gateway="bank_transfer", reference=order.number
            ).invoice
        if state == "refunded":
            back = {"gateway": "bank_transfer", "reference": f"{order.number}-R1", "amount": order.gross}
            world.invoices["refunded"] = purchases.give_back(
                order, actor=actor, key=uuid4(), reason="Twice", **back
            ).credit_note
        if state in ("canceled", "expired"):
            purchases.close(order, Order.State(state))
    _save_card(world, buyer)


def _save_card(world: World, buyer: Member) -> None:
    """A card that pays for auto-recharge of the wallet, which it declined last; and a page to save another on."""
    company = world.company
    world.saving = CardCheckout.objects.create(
        organization=company,
        key=uuid4(),
        state="open",
        session="cs_saving",
        url=f"/{company.slug}/credit/card/",
        save_card=True,
        asked_by=buyer,
    )
    SavedCard.objects.create(
        organization=company,
        customer="cus_1",
        method="pm_1",
        brand="visa",
        last4="4242",
        month=12,
        year=2031,
        saved_by=buyer,
    )
    paused = {"state": "paused", "reason": "authentication_required", "paused_at": timezone.now()}
    WalletRecharge.objects.create(organization=company, amount=250, below=50, monthly_limit=1000, **paused)


def _move_credit(world: World, acting: dict[str, Any]) -> None:
    """Credit that was bought, allocated, and talked away."""
    company = world.company
    fund(**acting, amount=Decimal(2000), key=uuid4(), reason="Transfer 2026-1104")
    people = Member.objects.of(company)
    owners = [world.members["active"], *people.filter(user__skype_name__endswith=".member")]
    accounts = accounts_of(company, owners).values()

    def move(operation: str, pairs: list[tuple[int, int]], amount: str, **facts: Any) -> None:
        moves = [Move(source, target, Decimal(amount), uuid4()) for source, target in pairs]
        post(organization=company, operation=operation, moves=moves, **facts)

    wallet, usage = account_of(company, "wallet"), account_of(company, "usage")
    move("allocation", [(wallet, account) for account in accounts], "25", actor=acting["actor"], reason="Site in Basel")
    move("charge", [(account, usage) for account in accounts for _ in range(30)], "0.855", actor=Actor.system())
    # Who has left with a personal account takes the rest along.
    for traveler in Member.objects.of(company).filter(user__skype_name__endswith=".traveler").select_related("user"):
        move("allocation", [(wallet, accounts_of(company, [traveler])[traveler.pk])], "12.5", actor=acting["actor"])
        leave_organization(actor=Actor.of_person(traveler.user), organization=company)
    idle = list(people.filter(user__skype_name__endswith=".idle"))
    lying = accounts_of(company, [*idle, world.members["warned"]]).values()
    move("allocation", [(wallet, account) for account in lying], "12.5", actor=acting["actor"])
    let_lie(*idle)
    let_lie(world.members["warned"], inactive=False)
    _recharge(acting, world.members["active"], limit=60)
    # Nothing more fits into this month.
    _recharge(acting, world.members["blocked"], limit=15)
    # More than the wallet holds.
    _recharge(acting, world.members["invited"], amount=90_000, limit=90_000)


def _review_amounts(world: World, acting: dict[str, Any]) -> None:
    """Files of amounts: one to be confirmed, one to be corrected, one given up, and one that was carried out."""

    def review(name: str, *lines: str) -> Batch:
        content = "\n".join(["E-mail,Amount,Reason", *lines]).encode()
        return review_amounts(**acting, content=content, file_name=f"{name}.csv", key=uuid4())

    active, blocked = world.members["active"].email, world.members["blocked"].email
    world.batches["amounts"] = review("site", f"{active},12.50,Site in Basel", f"{blocked},8.00,")
    lines = ["nobody.at-all@people.example,5,", f"{active},1e3,", f"{blocked},5,", f"{blocked},0.001,"]
    world.batches["wrong_amounts"] = review("wrong", *lines)
    world.batches["discarded_amounts"] = review("twice", f"{active},1,")
    discard_amounts(**acting, batch=world.batches["discarded_amounts"])
    content = f"E-mail;Amount;Reason\n{active};3;Prêt à Zürich\n".encode("cp1252")
    world.batches["legacy_amounts"] = review_amounts(**acting, content=content, file_name="prets.csv", key=uuid4())
    given = review("given", f"{active},2.50,Site in Basel", f"{blocked},2.00,")
    world.batches["given_amounts"] = allocate_amounts(**acting, batch=given)


def _review_addresses(world: World, acting: dict[str, Any]) -> None:
    """New addresses of invitations: to be confirmed, to be corrected, given up, and carried out."""
    people = [f"wrong{number}@people.example" for number in range(3)]
    invite_personal(**acting, people=people, key=uuid4())

    def review(*lines: str) -> Batch:
        content = "\n".join(["Old address,New address", *lines]).encode()
        return review_addresses(**acting, content=content, file_name="new.csv", key=uuid4())

    first, second, third = people
    world.batches["addresses"] = review(f"{first},right0@people.example", f"{second},")
    taken = world.members["active"].email
    world.batches["wrong_addresses"] = review(
        f"{first},right", f"{second},{taken}", "nobody@people.example,x@a.example"
    )
    world.batches["discarded_addresses"] = review(f"{first},right0@people.example")
    discard_addresses(**acting, batch=world.batches["discarded_addresses"])
    world.batches["changed_addresses"] = change_addresses(**acting, batch=review(f"{third},right2@people.example"))


def _recharge(acting: dict[str, Any], member: Member, *, amount: int = 15, limit: int) -> None:
    terms = {"amount": Decimal(amount), "below": Decimal(5), "monthly_limit": Decimal(limit)}
    set_auto_recharge(**acting, members=Member.objects.filter(pk=member.pk), **terms)


def _spoil_letters(company: Organization) -> None:
    """Letters in every state: most were sent; one was refused, one has to wait, one was not tried yet."""
    letters = list(
        Letter.objects.filter(
            organization=company, kind=Letter.Kind.INVITATION, invitation__state=Invitation.State.PENDING
        ).order_by("-pk")[:3]
    )
    now = timezone.now()
    states = [
        {"state": Letter.State.FAILED, "last_error": "550", "closed_at": now},
        {"state": Letter.State.WAITING, "last_error": "451", "attempts": 3, "due_at": now + timedelta(hours=1)},
        {"state": Letter.State.WAITING, "attempts": 0, "due_at": now, "last_error": ""},
    ]
    for letter, changes in zip(letters, states, strict=True):
        Letter.objects.filter(pk=letter.pk).update(**{"closed_at": None, **changes})
