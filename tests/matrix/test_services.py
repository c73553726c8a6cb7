"""Every verb, asked for by those who may not, and about what belongs to another company."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from io import BytesIO
from operator import attrgetter as of
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from credit.models import Order
from members.access import ROLES, Actor, Capability
from members.importing import Draft
from members.models import Batch, Organization
from members.services.organizations import Company, Founder
from reports.services.saved_reports import ReportWish
from skypemgr.errors import DomainError
from telephony.models import PortOrder
from telephony.rating import Rate
from telephony.stock_file import StockRow
from tests.factories import PASSWORD, AuthenticatorAppFactory, PasskeyFactory
from tests.matrix.asking import OURS, rolled_back, rows, written
from tests.matrix.page import RATES
from tests.matrix.verbs import Value, Verb, key, members_of
from tests.matrix.voice import INSTALLATION_OF_VOICE, OBJECTS_OF_VOICE, OWN_ACCOUNT_OF_VOICE, VERBS_OF_VOICE, product
from tests.matrix.world import NEW_PASSWORD, Side
from tests.telephony.decks import entry, row_of

pytestmark = pytest.mark.usefixtures("db")


def clear_the_way(side: Any) -> None:
    """End what stands in the way of closing a company."""
    now = timezone.now()
    Batch.objects.filter(organization=side.organization, state__in=["reading", "running"]).update(state="canceled")
    Order.objects.filter(organization=side.organization, state="waiting").update(state="canceled", closed_at=now)
    PortOrder.objects.filter(organization=side.organization).update(state="canceled")


MANAGE = Capability.MANAGE_MEMBERS
BATCH = {"batch": of("draft")}
BILLING = {"name": "Third", "street": "1 rue Neuve", "city": "Lyon", "country": "FR", "email": "a@people.example"}
VERBS: dict[str, Verb] = {
    "personal_data.export_member_data": Verb(MANAGE, {}, {"member": of("plain")}),
    "recharge.set_auto_recharge": Verb(
        Capability.MANAGE_CREDIT,
        {"amount": Decimal(20), "below": Decimal(5), "monthly_limit": Decimal(60)},
        {"members": members_of("plain")},
    ),
    "recharge.start_auto_recharge": Verb(
        Capability.MANAGE_CREDIT,
        {
            "amount": Decimal(20),
            "below": Decimal(5),
            "monthly_limit": Decimal(60),
            "expected": 1,
            "key": key,
        },
        {"members": members_of("plain")},
    ),
    "recharge.start_stopping_auto_recharge": Verb(
        Capability.MANAGE_CREDIT, {"expected": 1, "key": key}, {"members": members_of("careful")}
    ),
    "recharge.stop_auto_recharge": Verb(Capability.MANAGE_CREDIT, {}, {"members": members_of("careful")}),
    "departments.add_department": Verb(MANAGE, {"name": "Werft"}, {"parent": of("department")}),
    "departments.change_department": Verb(
        MANAGE, {"name": "Werft"}, {"department": of("empty"), "parent": of("department")}
    ),
    "departments.merge_departments": Verb(MANAGE, {}, {"department": of("empty"), "into": of("department")}),
    "departments.delete_department": Verb(MANAGE, {}, {"department": of("empty"), "successor": of("department")}),
    "api_tokens.make_api_token": Verb(
        Capability.MANAGE_ORGANIZATION, {"name": "Import", "scopes": ["members:read"], "days": 90, "key": key}
    ),
    "api_tokens.revoke_api_token": Verb(Capability.MANAGE_ORGANIZATION, {}, {"token": of("api_token")}),
    "leavers.process_leaver": Verb(MANAGE, {"key": key}, {"member": of("careful")}),
    "hand_over.hand_over": Verb(
        MANAGE,
        {"email": "anna@people.example", "first_name": "Anna", "last_name": "Berg", "key": key},
        {"member": of("plain")},
    ),
    "predecessors.export_predecessor_data": Verb(MANAGE, {}, {"tenure": of("tenure")}),
    "predecessors.erase_predecessor": Verb(MANAGE, {}, {"tenure": of("tenure")}),
    "erasure.erase_member": Verb(MANAGE, {}, {"member": of("gone")}),
    "imports.start_import_of_file": Verb(
        MANAGE, {"content": b"E-mail\nanna@people.example\n", "file_name": "a.csv", "key": key}
    ),
    "imports.start_import_of_people": Verb(
        MANAGE, {"people": lambda side: [Draft(number=1, email="anna@people.example")], "key": key}
    ),
    "imports.read_again": Verb(MANAGE, {"encoding": "cp850"}, {"batch": of("guessed")}),
    "imports.change_row": Verb(
        MANAGE, {"number": of("row"), "values": lambda side: {"email": "anna@people.example"}}, BATCH
    ),
    "imports.leave_out_row": Verb(MANAGE, {"number": of("row")}, BATCH),
    "imports.take_in_row": Verb(MANAGE, {"number": of("left_row")}, BATCH),
    "imports.leave_out_problems": Verb(MANAGE, {}, {"batch": of("flawed")}),
    "imports.start_batch": Verb(MANAGE, {}, BATCH),
    "imports.cancel_batch": Verb(MANAGE, {}, BATCH),
    "given_up.continue_batch": Verb(MANAGE, {}, {"batch": of("stuck")}),
    "imports.retry_failed_rows": Verb(MANAGE, {}, {"batch": of("done")}),
    "imports.discard_batch": Verb(MANAGE, {}, BATCH),
    "invitations.invite_personal": Verb(
        MANAGE, {"people": lambda side: ["anna@people.example"], "key": key}, {"department": of("department")}
    ),
    "invitations.resend_invitations": Verb(
        MANAGE,
        {},
        {"invitations": lambda side: [side.invitation.pk], "members": lambda side: [side.waiting.pk]},
    ),
    "invitations.cancel_invitations": Verb(MANAGE, {}, {"invitations": lambda side: [side.invitation.pk]}),
    "invitations.change_invited_address": Verb(MANAGE, {"email": "anna@people.example"}, {"member": of("waiting")}),
    "invitations.change_personal_address": Verb(
        MANAGE, {"email": "anna@people.example"}, {"invitation": of("personal_invitation")}
    ),
    "members.change_member": Verb(
        MANAGE, {"first_name": "Anna", "last_name": "Berg"}, {"member": of("plain"), "department": of("department")}
    ),
    "members.assign_role": Verb(Capability.ASSIGN_ROLES, {"role": "credit_manager"}, {"member": of("plain")}),
    "members.move_members": Verb(MANAGE, {}, {"members": members_of("plain"), "department": of("empty")}),
    "members.block_members": Verb(MANAGE, {}, {"members": members_of("plain")}),
    "members.send_password_letter": Verb(MANAGE, {}, {"member": of("plain")}),
    "members.unblock_member": Verb(MANAGE, {}, {"member": of("stopped")}),
    "organization_settings.change_organization_settings": Verb(
        Capability.MANAGE_ORGANIZATION,
        {
            "name": "Third",
            "time_zone": "Europe/Paris",
            "language": "sv",
            "allow_personal_accounts": False,
            "show_colleagues": True,
        },
    ),
    "organization_settings.change_second_factor_rule": Verb(
        Capability.MANAGE_ORGANIZATION,
        {"required": True},
        when=lambda side: AuthenticatorAppFactory(user=side.administrator.user),
    ),
    "closing.ask_to_close": Verb(Capability.MANAGE_ORGANIZATION, {"name": of("organization.name")}, when=clear_the_way),
    "closing.call_closing_off": Verb(
        Capability.MANAGE_ORGANIZATION,
        when=lambda side: Organization.objects.filter(pk=side.organization.pk).update(closes_at=timezone.now()),
    ),
    "notices.choose_notices": Verb(Capability.OPEN_CONSOLE, {"wanted": lambda side: ["credit.wallet"]}),
    "notices.set_notices_at_first": Verb(Capability.MANAGE_ORGANIZATION, {"wanted": lambda side: ["credit.wallet"]}),
    "factors.reset_second_factor": Verb(
        Capability.ASSIGN_ROLES,
        {},
        {"member": of("plain")},
        when=lambda side: AuthenticatorAppFactory(user=side.plain.user),
    ),
    "addresses.review_addresses": Verb(
        MANAGE,
        {
            "content": lambda side: f"{side.invitation.email},anna@people.example\n".encode(),
            "file_name": "a.csv",
            "key": key,
        },
    ),
    "addresses.change_addresses": Verb(MANAGE, {}, {"batch": of("addresses")}),
    "addresses.discard_addresses": Verb(MANAGE, {}, {"batch": of("addresses")}),
    "amounts.review_amounts": Verb(
        Capability.MANAGE_CREDIT,
        {"content": b"E-mail,Amount\nanna@people.example,5\n", "file_name": "a.csv", "key": key},
    ),
    "amounts.read_amounts_again": Verb(
        Capability.MANAGE_CREDIT, {"encoding": "cp850"}, {"batch": of("guessed_amounts")}
    ),
    "amounts.allocate_file": Verb(
        Capability.MANAGE_CREDIT,
        {
            "content": lambda side: f"E-mail,Amount\n{side.plain.email},5\n".encode(),
            "file_name": "a.csv",
            "key": key,
        },
    ),
    "amounts.allocate_amounts": Verb(Capability.MANAGE_CREDIT, {}, {"batch": of("amounts")}),
    "amounts.discard_amounts": Verb(Capability.MANAGE_CREDIT, {}, {"batch": of("amounts")}),
    "allocation.start_allocation": Verb(
        Capability.MANAGE_CREDIT,
        {"amount": Decimal("12.50"), "key": key, "asked": lambda side: {"all": True}, "expected": 1},
        {"members": members_of("plain")},
    ),
    "allocation.allocate_credit": Verb(
        Capability.MANAGE_CREDIT, {"amount": Decimal("12.50"), "key": key}, {"members": lambda side: [side.plain]}
    ),
    "idle_credit.reactivate_credit": Verb(Capability.MANAGE_CREDIT, {}, {"member": of("plain")}),
    "orders.place_order": Verb(Capability.MANAGE_CREDIT, {"amount": Decimal(50), "key": key}),
    "orders.cancel_order": Verb(Capability.MANAGE_CREDIT, {}, {"order": of("order")}),
    "card_checkouts.order_by_card": Verb(Capability.MANAGE_CREDIT, {"amount": Decimal(50), "key": key}),
    "card_checkouts.ask_for_checkout": Verb(Capability.MANAGE_CREDIT, {}, {"order": of("card_order")}),
    "card_checkouts.ask_to_save_card": Verb(Capability.MANAGE_CREDIT, {"key": key}),
    "card_checkouts.remove_card": Verb(Capability.MANAGE_CREDIT),
    "wallet_recharges.save_wallet_recharge": Verb(
        Capability.MANAGE_CREDIT, {"amount": Decimal(50), "below": Decimal(10), "monthly_limit": Decimal(100)}
    ),
    "wallet_recharges.stop_wallet_recharge": Verb(Capability.MANAGE_CREDIT),
    "alerts.change_alerts": Verb(Capability.MANAGE_CREDIT, {"low_wallet": Decimal(75)}),
    "billing.change_billing": Verb(Capability.MANAGE_CREDIT, {"fields": lambda side: BILLING}),
    "runs.start_run": Verb(
        MANAGE,
        {"kind": "block_members", "expected": 1, "key": key, "facts": lambda side: {"reason": ""}},
        {"members": members_of("plain")},
    ),
    "runs.cancel_run": Verb(MANAGE, {}, {"batch": of("run")}),
}
VERBS |= VERBS_OF_VOICE
WISH = ReportWish("Other", "never", "csv")
VERBS |= {
    "saved_reports.save_report": Verb(
        Capability.VIEW_REPORTS, {"report": "usage", "query": "", "wish": WISH, "key": key}
    ),
    "saved_reports.change_report": Verb(Capability.VIEW_REPORTS, {"wish": WISH}, {"saved": of("saved")}),
    "saved_reports.delete_report": Verb(Capability.VIEW_REPORTS, {}, {"saved": of("saved")}),
    "saved_reports.stop_report": Verb(Capability.VIEW_REPORTS, {}, {"saved": of("saved")}),
}
# Those that need no role, and why.
OWN_ACCOUNT = "somebody's own account: the actor's, and no other can be named"
OWN_PASSKEY = "a passkey of the actor's own account: another's is refused, as is tried below"
LINK = "whoever holds the link, which is signed and looked at again"
INSTALLATION = "those who run the installation"
WITHOUT_ROLE = {
    "help_feedback.give_help_feedback": "anybody: it is about the help, and nothing is kept of who says it",
    "accounts.sign_in_user": "whoever knows the password",
    "accounts.request_password_reset": "anybody: the letter goes to the account's own address",
    "accounts.reset_password": LINK,
    "accounts.change_password": OWN_ACCOUNT,
    "accounts.choose_first_password": OWN_ACCOUNT,
    "accounts.verify_address": LINK,
    "accounts.resend_verification": OWN_ACCOUNT,
    "accounts.confirm_who": OWN_ACCOUNT,
    "demo.seed_demo": "development machines",
    "factors.add_app": OWN_ACCOUNT,
    "factors.add_passkey": OWN_ACCOUNT,
    "factors.remove_app": OWN_ACCOUNT,
    "factors.remove_passkey": OWN_PASSKEY,
    "factors.rename_passkey": OWN_PASSKEY,
    "factors.renew_recovery_codes": OWN_ACCOUNT,
    "factors.reset_personal_second_factor": INSTALLATION,
    "factors.use_code": "whoever is signing in and has shown the password",
    "factors.use_passkey": "whoever has the passkey",
    "sessions.end_session": OWN_ACCOUNT,
    "sessions.end_other_sessions": OWN_ACCOUNT,
    "idle_credit.reactivate_own_credit": OWN_ACCOUNT,
    "feature_settings.set_own_feature": OWN_ACCOUNT,
    "joining.accept_business_invitation": LINK,
    "joining.accept_personal_invitation": LINK,
    "joining.join_with_new_account": LINK,
    "joining.decline_invitation": LINK,
    "joining.note_opened": LINK,
    "joining.tell_inviter": LINK,
    "operators.appoint_operator": INSTALLATION,
    "operators.create_operator": INSTALLATION,
    "orders.confirm_order": INSTALLATION,
    "orders.receive_payment": INSTALLATION,
    "orders.refund_order": INSTALLATION,
    "billing.record_vat_check": INSTALLATION,
    "billing.change_seller": INSTALLATION,
    "operators.dismiss_operator": INSTALLATION,
    "organizations.create_organization": INSTALLATION,
    "organizations.set_up_organization": "as the setting SETUP says",
    "profile.change_profile": OWN_ACCOUNT,
    "profile.change_language": OWN_ACCOUNT,
    "profile.change_address": OWN_ACCOUNT,
    "consents.decide_call_detail": OWN_ACCOUNT,
    "profile.leave_organization": OWN_ACCOUNT,
    **dict.fromkeys(INSTALLATION_OF_VOICE, INSTALLATION),
    **dict.fromkeys(OWN_ACCOUNT_OF_VOICE, OWN_ACCOUNT),
}


def all_verbs() -> dict[str, Callable[..., Any]]:
    """Every function of a service module that somebody acts by."""
    found = {}
    for services in [importlib.import_module(f"{app}.services") for app in OURS]:
        for module_info in pkgutil.iter_modules(services.__path__):
            module = importlib.import_module(f"{services.__name__}.{module_info.name}")
            for name, function in inspect.getmembers(module, inspect.isfunction):
                public = not name.startswith("_") and inspect.getmodule(function) is module
                if public and "actor" in inspect.signature(function).parameters and name != "setup_is_open":
                    found[f"{module_info.name}.{name}"] = function
    return found


ALL = all_verbs()


def test_every_verb_is_in_the_table():
    assert set(ALL) - set(VERBS) - set(WITHOUT_ROLE) == set(), "describe these verbs here"
    assert (set(VERBS) | set(WITHOUT_ROLE)) - set(ALL) == set(), "these verbs are gone"
    assert not set(VERBS) & set(WITHOUT_ROLE)


@pytest.mark.parametrize("name", VERBS)
def test_the_table_names_every_argument_that_could_belong_to_another(name):
    verb, parameters = VERBS[name], set(inspect.signature(ALL[name]).parameters)

    assert parameters >= {"actor", "organization", *verb.given, *verb.objects}
    objects = {
        "order",
        "member",
        "members",
        "department",
        "into",
        "parent",
        "successor",
        "batch",
        "invitation",
        "invitations",
        "tenure",
        "token",
        *OBJECTS_OF_VOICE,
        "saved",
    }
    assert parameters & objects == set(verb.objects)


def values(pairs: Mapping[str, Value], side: Side) -> dict[str, Any]:
    return {name: value(side) if callable(value) else value for name, value in pairs.items()}


def call(name: str, actor: Actor, side: Side, **others: Any) -> object:
    verb = VERBS[name]
    arguments = {**values(verb.given, side), **values(verb.objects, side), **others}
    return ALL[name](actor=actor, organization=side.organization, **arguments)


def people_without(world: Any, needs: Capability) -> dict[str, Actor]:
    """Those who may not do what needs a capability in one's own company."""
    own, other = world.own, world.other
    actors = {role: Actor.of_member(getattr(own, role)) for role in ROLES if needs not in ROLES[role]}
    actors |= {f"other's {role}": Actor.of_member(getattr(other, role)) for role in ROLES}
    actors |= {state: Actor.of_member(getattr(own, state)) for state in ("blocked", "left", "invited")}
    actors["stranger"] = Actor.of_person(world.people["stranger"].user)
    actors["visitor"] = Actor.visitor()
    return actors


@pytest.mark.parametrize("name", VERBS)
def test_who_may_not_is_refused_before_anything_is_written(world, name):
    for person, actor in people_without(world, VERBS[name].needs).items():
        with rolled_back(), written() as tables:
            with pytest.raises(PermissionDenied):
                call(name, actor, world.own)
            assert tables == [], person


@pytest.mark.parametrize("name", VERBS)
def test_who_may_can(world, name):
    with rolled_back():
        VERBS[name].when(world.own)
        with written() as tables:
            call(name, Actor.of_member(world.own.administrator), world.own)

    assert tables


MIXED = [(name, argument) for name, verb in VERBS.items() for argument in verb.objects]


@pytest.mark.parametrize(("name", "argument"), MIXED)
@pytest.mark.parametrize("who", ["administrator", "system"])
def test_what_belongs_to_another_company_is_left_alone(world, name, argument, who):
    own, other = world.own, world.other
    actor = Actor.system() if who == "system" else Actor.of_member(own.administrator)
    # Of several ways to name something, the foreign one alone is tried.
    rest = {each: [] for each in ("invitations", "members") if name.endswith("resend_invitations") and each != argument}
    foreign = values(VERBS[name].objects, other)[argument]
    before = rows()

    with rolled_back():
        try:
            outcome = call(name, actor, own, **rest, **{argument: foreign})
        except (PermissionDenied, DomainError):
            outcome = 0
        after = rows()

    assert outcome == 0
    assert after == before


@pytest.mark.parametrize("name", [name for name, why in WITHOUT_ROLE.items() if why == INSTALLATION])
def test_only_those_who_run_the_installation_may(world, name):
    company = Company(name="X", slug="x", country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    own = {"organization": world.own.organization}
    arguments: dict[str, dict[str, Any]] = {
        "operators.appoint_operator": {"skype_name": "stranger.one"},
        "operators.create_operator": {
            "skype_name": "another.one",
            "email": "anna@people.example",
            "first_name": "",
            "last_name": "",
            "password": NEW_PASSWORD,
        },
        "prices.set_prices": {"product": product("premium")(world.own), "prices": {"EUR": Decimal(5)}},
        "operators.dismiss_operator": {"skype_name": "operator.one"},
        "organizations.create_organization": {
            "company": company,
            "founder": Founder(skype_name="another.one", email="anna@people.example", password=PASSWORD),
        },
        "factors.reset_personal_second_factor": {"user": world.people["stranger"].user},
        "orders.confirm_order": {**own, "order": world.own.order, "amount": world.own.order.gross},
        "orders.receive_payment": {**own, "amount": Decimal(50), "reference": "statement 7"},
        "orders.refund_order": {
            **own,
            "order": world.own.paid_order,
            "amount": Decimal(60),
            "reason": "",
            "key": uuid4(),
        },
        "billing.record_vat_check": {
            **own,
            "vat_id": "FR40303265045",
            "valid": True,
            "checked_on": date(2026, 11, 22),
            "reference": "VIES 1",
        },
        "billing.change_seller": {"fields": {"name": "Another"}},
        "disclaimers.publish_disclaimer": {"country": "FR", "text_en": "A", "text_fr": "B", "text_sv": "C"},
        "disclaimers.change_country_rule": {
            "country": "FR",
            "address_first": True,
            "area_match": "none",
            "place_needed": False,
            "emergency_numbers": "112",
        },
        "postcodes.load_postcodes": {"country": "GB"},
        "porting.advance_port_order": {**own, "order": world.own.port_order, "state": "contacting"},
        "porting.complete_port_order": {**own, "order": world.own.port_approved},
        "quotas.set_number_quota": {**own, "numbers": 7, "reason": "Test"},
        "rate_uploads.upload_rates": {
            "owner": world.own.organization,
            "file": BytesIO(RATES),
            "file_name": "rates.csv",
            "decimals": 4,
        },
        "rate_uploads.look_at_upload": {"upload": world.own.rate_upload},
        "rate_uploads.load_upload": {"upload": world.own.rate_upload},
        "rate_uploads.drop_upload": {"upload": world.own.rate_upload},
        "rates.load_rates": {**own, "rows": [row_of(entry("44", Rate(per_minute=Decimal(1))))]},
        "stock.load_numbers": {"rows": [StockRow(1, "+12065550123", "US", "", "Seattle", "user", None, "")]},
    }
    refused = people_without(world, Capability.RUN_INSTALLATION)
    assert {"administrator", "other's administrator"} <= set(refused)
    for actor in refused.values():
        with rolled_back(), written() as tables:
            with pytest.raises(PermissionDenied):
                ALL[name](actor=actor, **arguments[name])
            assert tables == []
    with rolled_back():
        AuthenticatorAppFactory(user=world.people["stranger"].user)
        ALL[name](actor=Actor.operator(world.people["operator"].user), **arguments[name])


@pytest.mark.parametrize("name", [name for name, why in WITHOUT_ROLE.items() if why == OWN_PASSKEY])
def test_nobody_touches_the_passkey_of_another(world, name):
    with rolled_back():
        passkey = PasskeyFactory(user=world.other.plain.user)
        arguments = {"name": "Mine"} if name.endswith("rename_passkey") else {"password": NEW_PASSWORD}
        before = rows()
        for actor in (Actor.of_person(world.people["stranger"].user), Actor.of_member(world.other.administrator)):
            with rolled_back(), suppress(PermissionDenied, DomainError):
                ALL[name](actor=actor, passkey=passkey, **arguments)
                assert rows() == before
