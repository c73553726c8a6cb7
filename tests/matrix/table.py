"""Every URL: who may ask it for what, and what it answers. Read by ``test_urls``; a URL that is not here is red.

To add a page, add its line. Where nothing is said, the rules of the house hold: visitors are sent to sign in,
strangers find nothing (404), members without the capability are refused (403), other methods are not allowed (405),
and what is refused changes nothing.
"""

from operator import attrgetter as of

from tests.factories import PASSWORD
from tests.matrix.page import (
    COUNTED,
    LOG,
    MANAGE,
    NOT_THEIR_KIND,
    NOT_THEIRS_TO_STOP,
    NOTHING_YET,
    OPEN,
    OWN_BUSINESS,
    ROLES,
    RUNNING,
    SETTINGS,
    VIEW,
    Page,
    key,
)
from tests.matrix.table_of_credit import TABLE_OF_CREDIT
from tests.matrix.table_of_reports import TABLE_OF_REPORTS
from tests.matrix.table_of_voice import TABLE_OF_VOICE
from tests.matrix.world import NEW_PASSWORD

# Who looks at single calls is written down.

TABLE: dict[str, Page] = {
    **TABLE_OF_CREDIT,
    **TABLE_OF_REPORTS,
    **TABLE_OF_VOICE,
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
    "calls_api:import": Page(access="token", post=400, unlogged="sends nothing"),
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
    "outbox": Page(access="local", get=200),
    "outbox_letter": Page(access="local", get=200, at={"name": of("letter")}),
    "outbox_letter_source": Page(access="local", get=200, at={"name": of("letter")}),
    # Inside an organization
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
    "members:addresses_add": Page(
        access=MANAGE,
        get=200,
        post=302,
        send={"lines": lambda side: f"{side.invitation.email},anna@people.example", "key": key},
        unlogged=NOTHING_YET,
    ),
    "members:addresses_review": Page(access=MANAGE, get=200, at={"pk": of("addresses.pk")}),
    "members:addresses_change": Page(access=MANAGE, post=302, at={"pk": of("addresses.pk")}, logs=("address.changed",)),
    "members:addresses_discard": Page(access=MANAGE, post=302, at={"pk": of("addresses.pk")}, unlogged=NOTHING_YET),
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
    "members:member_leaving": Page(
        access=MANAGE,
        get=200,
        post=302,
        at={"skype_name": of("stopped.user.skype_name")},
        send={"key": key, "reason": "Retires"},
        logs=("member.leaver",),
    ),
    "members:leaving_detail": Page(
        access=MANAGE, get=200, at={"skype_name": of("plain.user.skype_name"), "key": of("leaving.pk")}
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
        logged_for=frozenset({"administrator", "credit_manager", "members_manager"}),
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
