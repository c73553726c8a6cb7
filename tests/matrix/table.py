"""Every URL: who may ask it for what, and what it answers. Read by ``test_urls``; a URL that is not here is red.

To add a page, add its line. Where nothing is said, the rules of the house hold: visitors are sent to sign in,
strangers find nothing (404), members without the capability are refused (403), other methods are not allowed (405),
and what is refused changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter as of
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from members.access import Capability
from tests.factories import PASSWORD
from tests.matrix.world import NEW_PASSWORD

type Value = str | int | bool | Callable[[Any], object]

OPEN = Capability.OPEN_CONSOLE
VIEW = Capability.VIEW_MEMBERS
MANAGE = Capability.MANAGE_MEMBERS
ROLES = Capability.ASSIGN_ROLES
LOG = Capability.VIEW_AUDIT
CREDIT = Capability.MANAGE_CREDIT
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


OWN_BUSINESS = "is about somebody's own account, which belongs to no organization"
NOTHING_YET = "is still a draft, of which nothing has come"
RUNNING = "operators run the installation"
COUNTED = "is a reply that stands on the list of invitations"

# Who sees members, and may not do what a change of many did.
NOT_THEIR_KIND = dict.fromkeys(["credit_manager", "voice_manager", "reports_viewer"], (403, 0))
NOT_THEIRS_TO_STOP = dict.fromkeys(["credit_manager", "voice_manager", "reports_viewer"], (0, 403))

TABLE: dict[str, Page] = {
    # Asked by monitors and browsers
    "healthz": Page(access="open", get=200),
    "readyz": Page(access="open", get=200),
    # Neither is there unless the settings say so.
    "metrics": Page(access="open", get=404),
    "security_txt": Page(access="open", get=404),
    "set_theme": Page(access="open", post=302, send={"theme": "dark"}, unlogged="is a cookie"),
    "styleguide": Page(access="open", get=200),
    # Asked by programs, which bring a token; nobody's session counts
    "api:token": Page(access="token", get=200),
    "api:member_list": Page(access="token", get=200),
    # Everybody
    "home": Page(access="public", get=302),
    "set_language": Page(access="public", post=302, send={"language": "sv"}, unlogged=OWN_BUSINESS),
    "help": Page(access="public", get=200),
    "help_article": Page(
        access="public",
        get=200,
        post=302,
        at={"slug": "allocate-credit"},
        send={"useful": "yes", "comment": "Shorter than I thought.", "key": key},
        unlogged="is said by nobody in particular",
    ),
    "setup": Page(
        access="public",
        get=200,
        post=302,
        send={"name": "Third", "country": "FR", "currency": "EUR", "language": "en"},
        unlogged=NOTHING_YET,
    ),
    "setup_account": Page(
        access="public",
        get=200,
        post=302,
        send={"skype_name": "founder.new", "email": "founder@people.example", "password": NEW_PASSWORD},
        unlogged=NOTHING_YET,
    ),
    "setup_check": Page(access="public", get=200, post=302, send={"key": key}, logs=("organization.set_up",)),
    "accounts:sign_in": Page(
        access="public",
        get=200,
        post=302,
        unlike={"signed_in": (302, 302)},
        send={"login": of("plain.user.skype_name"), "password": PASSWORD},
        unlogged="changes nothing of anybody",
    ),
    "accounts:sign_out": Page(access="public", post=302, unlogged="changes nothing of anybody"),
    "accounts:reset_request": Page(
        access="public",
        get=200,
        post=302,
        send={"login": of("plain.user.skype_name")},
        unlogged="writes a letter, whether or not there is such an account",
    ),
    "accounts:reset_sent": Page(access="public", get=200),
    "accounts:reset_password": Page(
        access="public",
        get=200,
        post=302,
        at={"uid": of("reset_uid"), "token": of("reset_token")},
        send={"password": NEW_PASSWORD},
        logs=("password.changed",),
        made_up=410,
    ),
    "accounts:verify_address": Page(
        access="public", get=200, post=302, at={"token": of("address_token")}, unlogged=OWN_BUSINESS, made_up=410
    ),
    # The second step of signing in, and passkeys, which the host name of the tests has none of
    "accounts:second_step": Page(
        access="public", get=302, post=302, send={"code": "000000"}, unlogged="is nothing without the first step"
    ),
    "accounts:passkey": Page(access="public", post=422, unlogged="opens nothing without a passkey"),
    "accounts:passkey_options": Page(access="public", post=409, unlogged="is a question"),
    # A machine, which signs what it says; nobody here does
    "stripe_messages": Page(access="public", post=400, unlogged="is refused unsigned", signed=True),
    # Whoever holds a link
    "join:invitation": Page(
        access="public",
        get=200,
        unlike={"signed_in": (409, 0)},
        at={"token": of("token")},
        link=True,
        notes=frozenset({"members_invitation"}),
    ),
    "join:accept": Page(
        access="public",
        get=302,
        post=302,
        unlike={"signed_in": (302, 409)},
        at={"token": of("token")},
        link=True,
        send={"first_name": "Anna", "password": NEW_PASSWORD},
        logs=("member.joined",),
    ),
    "join:decline": Page(
        access="public",
        post=302,
        unlike={"business": (0, 409)},
        at={"token": of("personal_token")},
        link=True,
        logs=("invitation.declined",),
    ),
    "join:tell_inviter": Page(access="public", post=302, at={"token": of("token")}, link=True, unlogged=COUNTED),
    # Whoever is signed in
    "accounts:choose": Page(access="signed_in", get=200),
    "accounts:first_password": Page(
        access="first_password",
        get=200,
        post=302,
        send={"first_name": "Anna", "password": NEW_PASSWORD},
        logs=("member.joined",),
    ),
    "accounts:resend_verification": Page(access="signed_in", post=302, unlogged=OWN_BUSINESS),
    "me:home": Page(access="signed_in", get=200),
    "me:settings": Page(
        access="signed_in",
        get=200,
        post=302,
        send={"first_name": "Anna", "last_name": "Berg", "language": "sv"},
        logs=("member.changed",),
        logged_for=frozenset({"inside", "blocked", "invited"}),
    ),
    "me:change_address": Page(
        access="signed_in",
        post=302,
        send={"address-email": "anna@people.example", "address-password": PASSWORD},
        unlike={"invited": (0, 422)},
        logs=("address.changed",),
        logged_for=frozenset({"business"}),
    ),
    "me:change_password": Page(
        access="signed_in",
        post=302,
        send={"password-password": PASSWORD, "password-new_password": NEW_PASSWORD},
        unlike={"invited": (0, 422)},
        logs=("password.changed",),
        logged_for=frozenset({"business"}),
    ),
    "me:personal_data": Page(access="signed_in", post=200, unlogged="changes nothing: it is a file"),
    "me:leave": Page(
        access="signed_in",
        get=200,
        post=302,
        at={"slug": of("organization.slug")},
        unlike={
            "reports_viewer": (200, 302),
            "blocked": (200, 302),
            "inside": (200, 422),
            "signed_in": (404, 404),
        },
        logs=("member.left",),
    ),
    "me:call_detail": Page(
        access="signed_in",
        get=200,
        post=302,
        at={"slug": of("organization.slug")},
        send={"given": "yes"},
        unlike={"reports_viewer": (200, 302), "inside": (200, 422), "blocked": (200, 422), "signed_in": (404, 404)},
        logs=("consent.given",),
    ),
    "me:seen": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "blocked": (200, 0), "signed_in": (404, 0)},
    ),
    "me:colleagues": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "signed_in": (404, 0)},
    ),
    "my_credit:statement": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "left": (200, 0), "signed_in": (404, 0)},
    ),
    "my_credit:export": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "left": (200, 0), "signed_in": (404, 0)},
    ),
    "my_credit:reactivate": Page(
        access="signed_in",
        post=302,
        at={"slug": of("organization.slug")},
        unlike={"inside": (0, 302), "left": (0, 302), "signed_in": (0, 404)},
        logs=("credit.reactivated",),
        logged_for=frozenset({"member"}),
    ),
    "accounts:confirm": Page(
        access="signed_in",
        get=200,
        post=302,
        send={"way": "password", "password": PASSWORD},
        unlike={"invited": (200, 422)},
        unlogged="changes nothing of anybody",
    ),
    "me:security": Page(access="signed_in", get=200),
    "me:app_add": Page(
        access="signed_in",
        get=200,
        post=422,
        unlike={"operator": (302, 422)},
        send={"code": "000000"},
        unlogged="is a wrong code",
    ),
    "me:app_remove": Page(
        access="signed_in",
        get=302,
        post=302,
        unlike={"operator": (200, 302)},
        send={"password": PASSWORD},
        unlogged=OWN_BUSINESS,
    ),
    "me:passkey_add": Page(access="signed_in", get=200, post=422, send={"name": "Phone"}, unlogged="has no passkey"),
    "me:passkey_options": Page(access="signed_in", post=409, unlogged="is a question"),
    "me:passkey_rename": Page(
        access="signed_in",
        get=404,
        post=404,
        unlike={"administrator": (200, 302)},
        at={"pk": of("passkey.pk")},
        send={"name": "Phone"},
        unlogged="is a name for oneself",
    ),
    "me:passkey_remove": Page(
        access="signed_in",
        get=404,
        post=404,
        unlike={"administrator": (200, 302)},
        at={"pk": of("passkey.pk")},
        send={"password": PASSWORD},
        logs=("factor.removed",),
        logged_for=frozenset({"administrator"}),
    ),
    "me:recovery_codes": Page(
        access="signed_in",
        get=302,
        post=302,
        unlike={"administrator": (200, 200), "operator": (200, 200)},
        logs=("recovery_codes.renewed",),
        logged_for=frozenset({"administrator"}),
    ),
    "me:recovery_codes_file": Page(
        access="signed_in", post=404, send={"codes": "abcd-efgh-2345"}, unlogged="is a file of what one has"
    ),
    "me:session_end": Page(
        access="signed_in", post=404, at={"pk": of("session.pk")}, unlogged="is the session of somebody else"
    ),
    "me:sessions_end_others": Page(access="signed_in", post=302, unlogged="ends nothing where nothing else is"),
    # Those who run the installation, and development machines
    "ops:organization_list": Page(access="operator", get=200, names_all=RUNNING),
    "ops:feedback_list": Page(access="operator", get=200),
    "ops:feedback_export": Page(access="operator", get=200),
    "credit_ops:order_list": Page(access="operator", get=200, names_all=RUNNING),
    "credit_ops:order_detail": Page(access="operator", get=200, at={"number": of("order.number")}, names_all=RUNNING),
    "credit_ops:order_confirm": Page(
        access="operator",
        post=302,
        at={"number": of("order.number")},
        send={"amount": "120"},
        logs=("order.paid",),
        names_all=RUNNING,
    ),
    "credit_ops:order_refund": Page(
        access="operator",
        post=302,
        at={"number": of("paid_order.number")},
        send={"amount": "60", "key": key},
        logs=("order.refunded",),
        names_all=RUNNING,
    ),
    "credit_ops:vat_id_list": Page(access="operator", get=200, names_all=RUNNING),
    "credit_ops:vat_id": Page(
        access="operator",
        get=200,
        post=302,
        at={"slug": of("organization.slug")},
        send={"valid": "yes", "checked_on": "2026-11-22", "reference": "VIES 1"},
        logs=("vat_id.checked",),
        names_all=RUNNING,
    ),
    "credit_ops:seller": Page(
        access="operator",
        get=200,
        post=302,
        send={"name": "Third", "payment_days": "14"},
        unlogged="belongs to no organization; every seller that was is kept",
    ),
    "outbox": Page(access="local", get=200),
    "outbox_letter": Page(access="local", get=200, at={"name": of("letter")}),
    "outbox_letter_source": Page(access="local", get=200, at={"name": of("letter")}),
    # Inside an organization
    "reports:dashboard": Page(access=OPEN, get=200),
    "members:member_list": Page(access=VIEW, get=200),
    "members:members_columns": Page(access=VIEW, post=302, send={"column": "email"}, unlogged="is a cookie"),
    "members:member_export": Page(access=VIEW, get=200),
    "members:member_workbook": Page(access=VIEW, get=200),
    "members:members_export": Page(access=VIEW, get=200, query={"member": of("plain.pk")}),
    "members:members_move": Page(
        access=MANAGE,
        get=200,
        post=302,
        query={"member": of("plain.pk")},
        send={"member": of("plain.pk"), "to": of("empty.pk")},
        foreign={"member": of("plain.pk"), "to": of("department.pk")},
        logs=("member.moved",),
    ),
    "members:members_resend": Page(
        access=MANAGE,
        get=200,
        post=302,
        query={"member": of("waiting.pk")},
        send={"member": of("waiting.pk")},
        foreign={"member": of("waiting.pk")},
        logs=("invitation.resent",),
    ),
    "members:members_block": Page(
        access=MANAGE,
        get=200,
        post=302,
        query={"member": of("plain.pk")},
        send={"member": of("plain.pk"), "reason": "Lost phone"},
        foreign={"member": of("plain.pk")},
        logs=("member.blocked",),
    ),
    "members:import_add": Page(
        access=MANAGE, get=200, post=302, send={"addresses": "anna@people.example", "key": key}, unlogged=NOTHING_YET
    ),
    "members:import_add_business": Page(
        access=MANAGE, get=200, post=302, send={"addresses": "anna@people.example", "key": key}, unlogged=NOTHING_YET
    ),
    "members:invite_personal": Page(
        access=MANAGE,
        get=200,
        post=302,
        send={"people": "anna@people.example", "department": of("empty.pk"), "key": key},
        foreign={"department": of("department.pk")},
        logs=("invitation.sent",),
    ),
    "members:invitation_list": Page(access=MANAGE, get=200),
    "members:invitation_export": Page(access=MANAGE, get=200),
    "members:invitations_renew": Page(
        access=MANAGE,
        get=200,
        post=302,
        query={"invitation": of("invitation.pk")},
        send={"invitation": of("invitation.pk")},
        foreign={"invitation": of("invitation.pk")},
        logs=("invitation.resent",),
    ),
    "members:invitations_cancel": Page(
        access=MANAGE,
        get=200,
        post=302,
        query={"invitation": of("invitation.pk")},
        send={"invitation": of("invitation.pk")},
        foreign={"invitation": of("invitation.pk")},
        logs=("invitation.canceled",),
    ),
    "members:invitation_address": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"pk": of("personal_invitation.pk")},
        send={"email": "anna@people.example"},
        logs=("address.changed",),
    ),
    "members:invitation_resend": Page(
        access=MANAGE, post=302, at={"pk": of("invitation.pk")}, logs=("invitation.resent",)
    ),
    "members:invitation_cancel": Page(
        access=MANAGE, post=302, at={"pk": of("invitation.pk")}, logs=("invitation.canceled",)
    ),
    "members:department_list": Page(access=VIEW, get=200),
    "members:department_add": Page(
        access=MANAGE,
        get=200,
        post=302,
        query={"parent": of("department.pk")},
        send={"name": "Werft", "parent": of("department.pk")},
        foreign={"parent": of("department.pk")},
        logs=("department.added",),
    ),
    "members:department_detail": Page(access=VIEW, get=200, at={"pk": of("department.pk")}),
    "members:department_merge": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"pk": of("empty.pk")},
        send={"into": of("department.pk")},
        foreign={"into": of("department.pk")},
        logs=("department.merged",),
    ),
    "members:department_change": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"pk": of("empty.pk")},
        send={"name": "Werft", "parent": of("department.pk")},
        foreign={"parent": of("department.pk")},
        logs=("department.changed",),
    ),
    "members:department_delete": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"pk": of("empty.pk")},
        send={"successor": of("department.pk")},
        foreign={"successor": of("department.pk")},
        logs=("department.deleted",),
    ),
    "members:import_list": Page(access=MANAGE, get=200),
    "members:import_detail": Page(access=MANAGE, get=200, at={"pk": of("flawed.pk")}),
    "members:import_progress": Page(access=MANAGE, get=200, at={"pk": of("reading.pk")}),
    "members:import_encoding": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"pk": of("guessed.pk")},
        send={"encoding": "cp850"},
        logs=("batch.read_again",),
    ),
    "members:import_create": Page(
        access=MANAGE,
        post=302,
        at={"pk": of("draft.pk")},
        logs=("batch.started", "member.added", "batch.finished"),
    ),
    "members:import_cancel": Page(access=MANAGE, post=302, at={"pk": of("draft.pk")}, logs=("batch.canceled",)),
    "members:import_continue": Page(access=MANAGE, post=302, at={"pk": of("stuck.pk")}, logs=("batch.continued",)),
    "members:import_retry": Page(
        access=MANAGE,
        post=302,
        at={"pk": of("done.pk")},
        logs=("batch.started", "member.added", "batch.finished"),
    ),
    "members:import_outcome": Page(access=MANAGE, get=200, at={"pk": of("done.pk")}),
    "members:import_row": Page(
        access=MANAGE,
        post=302,
        at={"pk": of("flawed.pk"), "number": of("wrong_row")},
        send={"email": "anna@people.example", "first_name": "Anna", "last_name": "Berg"},
        unlogged=NOTHING_YET,
    ),
    "members:import_leave_out": Page(
        access=MANAGE, post=302, at={"pk": of("draft.pk"), "number": of("row")}, unlogged=NOTHING_YET
    ),
    "members:import_leave_out_problems": Page(
        access=MANAGE, post=302, at={"pk": of("flawed.pk")}, unlogged=NOTHING_YET
    ),
    "members:import_take_in": Page(
        access=MANAGE, post=302, at={"pk": of("draft.pk"), "number": of("left_row")}, unlogged=NOTHING_YET
    ),
    "members:run_list": Page(access=VIEW, get=200),
    "members:run_detail": Page(access=VIEW, unlike=NOT_THEIR_KIND, get=200, at={"pk": of("run.pk")}),
    "members:run_progress": Page(access=VIEW, unlike=NOT_THEIR_KIND, get=200, at={"pk": of("run.pk")}),
    "members:run_cancel": Page(
        access=VIEW, unlike=NOT_THEIRS_TO_STOP, post=302, at={"pk": of("run.pk")}, logs=("run.canceled",)
    ),
    "members:run_continue": Page(
        access=VIEW, unlike=NOT_THEIRS_TO_STOP, post=302, at={"pk": of("stuck_run.pk")}, logs=("run.continued",)
    ),
    "members:run_outcome": Page(access=VIEW, unlike=NOT_THEIR_KIND, get=200, at={"pk": of("run.pk")}),
    "credit:wallet": Page(access=CREDIT, get=200),
    "credit:alerts": Page(access=CREDIT, get=200, post=302, send={"low_wallet": "75"}, logs=("alerts.changed",)),
    "credit:wallet_statement": Page(access=CREDIT, get=200),
    "credit:wallet_statement_export": Page(access=CREDIT, get=200),
    "credit:buy": Page(access=CREDIT, get=200, post=302, send={"amount": "50", "key": key}, logs=("order.placed",)),
    "credit:buy_by_card": Page(
        access=CREDIT, post=302, send={"amount": "50", "key": key, "save_card": "on"}, logs=("order.placed",)
    ),
    "credit:order_card": Page(
        access=CREDIT, post=302, at={"number": of("card_order.number")}, unlogged="asks for a page to pay on"
    ),
    "credit:card": Page(
        access=CREDIT,
        get=200,
        post=302,
        send={"amount": "50", "below": "10", "monthly_limit": "100"},
        logs=("wallet_recharge.saved",),
    ),
    "credit:wallet_recharge_stop": Page(access=CREDIT, post=302, logs=("wallet_recharge.stopped",)),
    "credit:card_remove": Page(access=CREDIT, post=302, logs=("card.removed", "wallet_recharge.stopped")),
    "credit:card_save": Page(access=CREDIT, post=302, send={"key": key}, unlogged="asks for a page to save a card on"),
    "credit:card_leave": Page(access=CREDIT, get=200, at={"pk": of("saving.pk")}),
    "credit:billing": Page(
        access=CREDIT,
        get=200,
        post=302,
        send={
            "name": "Third",
            "street": "1 rue Neuve",
            "city": "Lyon",
            "country": "FR",
            "email": "bills@people.example",
        },
        logs=("billing.changed",),
    ),
    "credit:purchase_list": Page(access=CREDIT, get=200),
    "credit:purchase_export": Page(access=CREDIT, get=200),
    "credit:order": Page(access=CREDIT, get=200, at={"number": of("order.number")}),
    "credit:order_cancel": Page(access=CREDIT, post=302, at={"number": of("order.number")}, logs=("order.canceled",)),
    "credit:invoice": Page(access=CREDIT, get=200, at={"number": of("invoice.number")}),
    "credit:invoice_pdf": Page(access=CREDIT, get=200, at={"number": of("invoice.number")}),
    "credit:member_credit": Page(access=CREDIT, get=200, at={"skype_name": of("plain.user.skype_name")}),
    "credit:allocate": Page(access=CREDIT, get=200),
    "credit:amounts_add": Page(
        access=CREDIT,
        post=302,
        send={"file": amounts, "key": key},
        unlogged=NOTHING_YET,
    ),
    "credit:amounts_review": Page(access=CREDIT, get=200, at={"pk": of("amounts.pk")}),
    "credit:amounts_encoding": Page(
        access=CREDIT,
        get=200,
        post=302,
        at={"pk": of("guessed_amounts.pk")},
        send={"encoding": "cp850"},
        unlogged=NOTHING_YET,
    ),
    "credit:amounts_allocate": Page(access=CREDIT, post=302, at={"pk": of("amounts.pk")}, logs=("credit.allocated",)),
    "credit:amounts_discard": Page(access=CREDIT, post=302, at={"pk": of("amounts.pk")}, unlogged=NOTHING_YET),
    "credit:members_allocate": Page(
        access=CREDIT,
        get=200,
        post=302,
        query={"member": of("plain.pk")},
        send={"member": of("plain.pk"), "amount": "12.50", "reason": "", "key": key, "count": 1},
        foreign={"member": of("plain.pk")},
        logs=("credit.allocated",),
    ),
    "credit:member_add": Page(
        access=CREDIT,
        get=302,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={"amount": "12.50", "reason": "Trip", "key": key},
        logs=("credit.allocated",),
    ),
    "credit:member_reactivate": Page(
        access=CREDIT, post=302, at={"skype_name": of("plain.user.skype_name")}, logs=("credit.reactivated",)
    ),
    "credit:member_statement": Page(access=CREDIT, get=200, at={"skype_name": of("plain.user.skype_name")}),
    "credit:member_statement_export": Page(access=CREDIT, get=200, at={"skype_name": of("plain.user.skype_name")}),
    "credit:member_recharge": Page(
        access=CREDIT,
        get=302,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={"amount": "20", "below": "5", "monthly_limit": "60"},
        logs=("recharge.activated",),
    ),
    "credit:members_recharge": Page(
        access=CREDIT,
        get=200,
        post=302,
        query={"member": of("plain.pk")},
        send={"member": of("plain.pk"), "amount": "20", "below": "5", "monthly_limit": "60"},
        foreign={"member": of("plain.pk")},
        logs=("recharge.activated",),
    ),
    "credit:members_recharge_off": Page(
        access=CREDIT,
        get=200,
        post=302,
        query={"member": of("careful.pk")},
        send={"member": of("careful.pk")},
        foreign={"member": of("careful.pk")},
        logs=("recharge.stopped",),
    ),
    "credit:member_recharge_off": Page(
        access=CREDIT, post=302, at={"skype_name": of("careful.user.skype_name")}, logs=("recharge.stopped",)
    ),
    "members:role_table": Page(access=VIEW, get=200),
    "members:member_profile": Page(
        access=VIEW,
        get=200,
        post=302,
        posting=MANAGE,
        at={"skype_name": of("plain.user.skype_name")},
        send={
            "first_name": "Anna",
            "last_name": "Berg",
            "email": of("plain.email"),
            "department": of("department.pk"),
        },
        foreign={"department": of("department.pk")},
        logs=("member.changed",),
    ),
    "members:member_history": Page(access=LOG, get=200, at={"skype_name": of("stopped.user.skype_name")}),
    "members:member_role": Page(
        access=ROLES,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={"role": "credit_manager"},
        logs=("member.role_changed",),
    ),
    "members:member_address": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"skype_name": of("waiting.user.skype_name")},
        send={"email": "anna@people.example"},
        logs=("address.changed",),
    ),
    "members:member_block": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={"reason": "Lost phone"},
        logs=("member.blocked",),
    ),
    "members:member_unblock": Page(
        access=MANAGE, post=302, at={"skype_name": of("stopped.user.skype_name")}, logs=("member.unblocked",)
    ),
    "members:member_hand_over": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={
            "email": "anna@people.example",
            "first_name": "Anna",
            "last_name": "Berg",
            "key": key,
        },
        logs=("member.handed_over",),
    ),
    "members:predecessor_data": Page(
        access=MANAGE,
        post=200,
        at={"skype_name": of("heir.user.skype_name"), "key": of("tenure.pk")},
        logs=("predecessor.data_exported",),
    ),
    "members:predecessor_erase": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"skype_name": of("heir.user.skype_name"), "key": of("tenure.pk")},
        logs=("predecessor.erased",),
    ),
    "members:member_password": Page(
        access=MANAGE, post=302, at={"skype_name": of("plain.user.skype_name")}, logs=("password.letter_sent",)
    ),
    "members:member_erase": Page(
        access=MANAGE, get=200, post=302, at={"skype_name": of("gone.user.skype_name")}, logs=("member.erased",)
    ),
    "members:member_data": Page(
        access=MANAGE, post=200, at={"skype_name": of("plain.user.skype_name")}, logs=("member.data_exported",)
    ),
    "members:member_second_factor": Page(
        access=ROLES,
        get=200,
        post=302,
        at={"skype_name": of("careful.user.skype_name")},
        logs=("factors.reset",),
    ),
    "members:audit_list": Page(access=LOG, get=200),
    "members:audit_verification": Page(access=LOG, get=200),
    "members:audit_export": Page(access=LOG, get=200),
    "members:organization_settings": Page(
        access=SETTINGS,
        get=200,
        post=302,
        send={"name": "Kornblom Nya", "time_zone": "Europe/Stockholm", "language": "sv"},
        logs=("organization.changed",),
    ),
    "members:administrator_list": Page(access=ROLES, get=200, query={"q": "Plain"}),
    "members:administrator_add": Page(
        access=ROLES,
        post=302,
        send={"skype_name": of("plain.user.skype_name"), "role": "credit_manager"},
        foreign={"skype_name": of("plain.user.skype_name")},
        logs=("member.role_changed",),
    ),
    "members:administrator_remove": Page(
        access=ROLES,
        get=200,
        post=302,
        at={"skype_name": of("credit_manager.user.skype_name")},
        logs=("member.role_changed",),
    ),
    "members:notices": Page(
        access=OPEN,
        get=200,
        post=302,
        send={"notice": "credit.wallet"},
        logs=("notices.chosen",),
        logged_for=frozenset({"administrator", "credit_manager"}),
    ),
    "members:notices_at_first": Page(
        access=SETTINGS, post=302, send={"notice": "credit.wallet"}, logs=("notices.set",)
    ),
    "members:organization_closing": Page(
        access=SETTINGS,
        get=200,
        post=422,
        send={"name": of("organization.name"), **{f"agreed_{number}": "on" for number in range(9)}},
        unlogged="is refused while something has to end first; tests/members/test_closing.py",
    ),
    "members:closing_call_off": Page(
        access=SETTINGS, post=302, unlogged="has nothing to call off; tests/members/test_closing.py"
    ),
    "members:api_token_list": Page(access=SETTINGS, get=200),
    "members:api_token_add": Page(
        access=SETTINGS,
        get=200,
        post=200,
        send={"name": "Import", "scopes": "members:read", "days": "90", "key": key},
        logs=("api_token.made",),
    ),
    "members:api_token_revoke": Page(
        access=SETTINGS, get=200, post=302, at={"pk": of("api_token.pk")}, logs=("api_token.revoked",)
    ),
    "members:second_factor_rule": Page(
        access=SETTINGS, get=200, post=302, send={"required": "on"}, logs=("organization.changed",)
    ),
}
