"""Every page there is, in every state worth looking at: who looks, at what, in a world that has it all."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.test import RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import Page

from members.models import Member, Organization
from members.views import setup
from skypemgr.translations import begin_page
from skypemgr.views import errors
from telephony.models import Call
from tests.browser.sight import Args, Make, Sight, member, send, themselves
from tests.browser.sights_of_voice import SIGHTS_OF_VOICE
from tests.browser.world import World
from tests.factories import PASSWORD


def send_opinion(page: Page) -> None:
    """Say of a page of help what names somebody."""
    page.get_by_label("Yes").or_(page.get_by_label("Oui")).or_(page.get_by_label("Ja")).first.check()
    page.locator("textarea").fill("Write to me: nadia@architectes.example")
    page.locator("#feedback button").click()


def send_danger(page: Page) -> None:
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("main .button-danger-solid").first.click()


def send_no_address(page: Page) -> None:
    page.locator("#id_email").fill("")
    send(page)


def recharge_by_nothing(page: Page) -> None:
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("#recharge_amount").fill("")
    page.locator("#recharge_below").fill("-5")
    page.locator("section[aria-labelledby=auto-recharge] .button-primary").click()


def send_no_amount(page: Page) -> None:
    page.locator("main .input-money").first.fill("a lot")
    send(page)


def send_password(page: Page) -> None:
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("#password .button-primary").click()


def take_first_step(page: Page) -> None:
    page.goto(reverse("accounts:sign_in"))
    page.locator("#id_login").fill("careful.person")
    page.locator("#id_password").fill(PASSWORD)
    send(page)


def make_token(page: Page) -> None:
    page.locator("#id_name").fill("Export of the exchange")
    page.locator("[name=scopes][value='members:read']").check()
    send(page)


def own_passkey(world: World, language: str) -> list[Any]:
    return [world.people["careful", language].passkeys.get().pk]


def fill_company(page: Page) -> None:
    page.goto(reverse("setup"))
    page.locator("#id_name").fill("Ateliers du Quai")
    send(page)


def choose_account_they_have(page: Page) -> None:
    fill_company(page)
    page.goto(f"{reverse('setup_account')}?existing")


def fill_account(page: Page) -> None:
    fill_company(page)
    page.locator("#id_email").fill("helene@quai.example")
    page.locator("#id_password").fill("neuf lanternes sur le canal")
    send(page)


def send_without_token(page: Page) -> None:
    page.evaluate("for (const token of document.querySelectorAll('[name=csrfmiddlewaretoken]')) token.remove()")
    send(page)


def closed_setup() -> HttpResponse:
    request = RequestFactory().get(reverse("setup"))
    request.user = request.session = None
    with override_settings(SETUP="operator"):
        return setup._closed(request)


def closed_page() -> HttpResponse:
    request = RequestFactory().get("/maison-close/")
    request.user = request.session = None
    closed = Organization(name="Maison Close", slug="maison-close", closed_at=timezone.now())
    return render(request, "members/closed.html", {"closed": closed}, status=410)


def broken() -> HttpResponse:
    return errors.server_error(RequestFactory().get("/"))


def in_language(make: Make, language: str) -> str:
    """The page that ``make`` answers with."""
    with translation.override(language):
        begin_page()
        return make().content.decode()


def batch(key: str) -> Args:
    return lambda world, language: [world.batches[key].pk]


def predecessor(key: str) -> Args:
    """Whoever had the account of a member last."""
    return lambda world, language: [
        world.members[key].user.skype_name,
        Member.objects.get(pk=world.members[key].pk).predecessors[-1].pk,
    ]


def leaving(world: World, language: str) -> list[Any]:
    """What was done when somebody left."""
    found = world.leaving
    assert found is not None
    return [found.member.user.skype_name, found.pk]


def last_call(world: World, language: str) -> list[Any]:
    """The newest call that was charged for."""
    call = Call.objects.filter(organization=world.company, outcome="rated").order_by("-at").first()
    assert call is not None
    return [call.at.date(), call.id]


def send_too_many_days(page: Page) -> None:
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("[name=cooling-days]").fill("400")
    page.locator("main .button-danger-solid").click()


def link(key: str) -> Args:
    """The token of a link; of one that is different for each language, its key begins the same."""
    return lambda world, language: [world.links.get(key) or world.links[f"{key}_{language}"]]


def myself(world: World, language: str) -> list[Any]:
    return [world.people["administrator", language].skype_name]


def reset_link(world: World, language: str) -> list[Any]:
    return world.links["reset"].strip("/").split("/")[2:]


SIGHTS = [
    Sight("help", "visitor"),
    Sight("help", "visitor", "found", query="?q=credit"),
    Sight("help", "member", "nothing-found", query="?q=xyzzy"),
    Sight("help_article", "visitor", args=lambda world, language: ["allocate-credit"]),
    Sight("help_article", "visitor", "file", args=lambda world, language: ["csv-file"]),
    Sight(
        "help_article",
        "member",
        "refused",
        args=lambda world, language: ["allocate-credit"],
        act=send_opinion,
        status=422,
    ),
    Sight("setup", "visitor"),
    Sight("setup", "visitor", "refused", act=send, status=422),
    Sight("setup", "visitor", "closed", make=closed_setup),
    Sight("setup_account", "visitor", act=fill_company),
    Sight("setup_account", "visitor", "existing", act=choose_account_they_have),
    Sight("setup_account", "guest", "own", act=fill_company),
    Sight("setup_check", "visitor", act=fill_account),
    Sight("accounts:sign_in", "visitor"),
    Sight("accounts:sign_in", "visitor", "refused", act=send, status=422),
    Sight("accounts:choose", "guest"),
    Sight("accounts:first_password", "newcomer"),
    Sight("accounts:reset_request", "visitor"),
    Sight("accounts:reset_sent", "visitor"),
    Sight("accounts:reset_password", "visitor", args=reset_link),
    Sight("accounts:reset_password", "visitor", "refused", args=reset_link, act=send, status=422),
    Sight("accounts:reset_password", "visitor", "closed", args=lambda world, language: ["x", "y"], status=410),
    Sight("accounts:verify_address", "visitor", args=link("verify")),
    Sight("accounts:verify_address", "visitor", "confirmed", args=link("verified")),
    Sight("accounts:verify_address", "visitor", "closed", args=lambda world, language: ["x"], status=410),
    Sight("join:invitation", "visitor", args=link("open")),
    Sight("join:invitation", "visitor", "refused", args=link("open"), act=send, status=422),
    Sight("join:invitation", "visitor", "personal", args=link("personal")),
    Sight("join:invitation", "guest", "signed-in", args=link("guest")),
    Sight("join:invitation", "administrator", "somebody-else", args=link("open"), status=409),
    *(
        Sight("join:invitation", "visitor", state, args=link(state), status=410)
        for state in ("used", "canceled", "expired", "replaced", "asked", "declined")
    ),
    Sight("join:invitation", "visitor", "forged", args=lambda world, language: ["x"], status=404),
    Sight("me:home", "member"),
    Sight("me:home", "guest", "guest"),
    Sight("me:home", "traveler", "left-with-credit"),
    Sight("me:home", "idle", "inactive-credit"),
    Sight("me:settings", "member"),
    Sight("me:settings", "guest", "unconfirmed"),
    Sight("me:security", "member"),
    Sight("me:security", "careful", "with-factors"),
    Sight("me:security", "member", "refused", act=send_password, status=422),
    Sight("me:app_add", "member"),
    Sight("me:app_add", "member", "refused", act=send, status=422),
    Sight("me:app_remove", "careful"),
    Sight("me:passkey_add", "careful"),
    Sight("me:passkey_rename", "careful", args=own_passkey),
    Sight("me:passkey_remove", "careful", args=own_passkey),
    Sight("me:recovery_codes", "careful"),
    Sight("me:recovery_codes", "careful", "shown", act=send),
    Sight("accounts:confirm", "careful"),
    Sight("accounts:confirm", "careful", "refused", act=send, status=422),
    Sight("accounts:second_step", "visitor", act=take_first_step),
    Sight("members:audit_verification", "founder"),
    Sight("members:audit_verification"),
    Sight("members:audit_verification", state="checked", query="?check=1"),
    Sight("members:notices"),
    Sight("members:organization_closing"),
    Sight("members:organization_closing", "founder"),
    Sight("members:organization_closing", "founder", "refused", act=send_danger, status=422),
    Sight("members:organization_closing", state="closed", make=closed_page, status=410),
    Sight("members:administrator_list"),
    Sight("members:administrator_list", state="found", query="?q=a"),
    Sight("members:administrator_list", state="nobody-found", query="?q=zzzzzz"),
    Sight("members:administrator_remove", args=myself),
    Sight("members:api_token_list"),
    Sight("members:api_token_list", "founder"),
    Sight("members:api_token_add"),
    Sight("members:api_token_add", state="refused", act=send, status=422),
    Sight("members:api_token_add", state="made", act=make_token),
    Sight("members:api_token_revoke", args=lambda world, language: [world.token.pk]),
    Sight("members:second_factor_rule"),
    Sight("members:second_factor_rule", "careful", "with-factor"),
    Sight("members:member_second_factor", args=member("careful")),
    Sight("members:member_second_factor", state="nothing", args=member("active")),
    Sight("me:call_detail", "guest", args=lambda world, language: [world.company.slug]),
    Sight("me:call_detail", "guest", "agreed", args=lambda world, language: [world.start.slug]),
    Sight("me:call_detail", "member", "business", args=lambda world, language: [world.company.slug]),
    Sight("me:seen", "guest", args=lambda world, language: [world.company.slug]),
    Sight("me:seen", "member", args=lambda world, language: [world.company.slug]),
    Sight("me:colleagues", "member", args=lambda world, language: [world.company.slug]),
    Sight("me:colleagues", "member", "nobody", args=lambda world, language: [world.company.slug], query="?q=xyzzy"),
    Sight("me:leave", "guest", args=lambda world, language: [world.company.slug]),
    Sight("me:leave", "member", "business", args=lambda world, language: [world.company.slug]),
    Sight("outbox"),
    Sight("outbox", state="nothing-found", query="?q=nobody-at-all"),
    Sight("outbox_letter", args=lambda world, language: [world.letter]),
    Sight("ops:organization_list", "operator"),
    Sight("ops:organization_list", "operator", "nothing-found", query="?q=nobody-at-all"),
    Sight("ops:feedback_list", "operator"),
    Sight("ops:feedback_list", "operator", "one-page", query="?article=allocate-credit"),
    Sight("credit_ops:order_list", "operator"),
    Sight("credit_ops:order_list", "operator", "nothing-found", query="?q=nobody-at-all"),
    *(
        Sight(
            "credit_ops:order_detail",
            "operator",
            state,
            args=lambda world, _, state=state: [world.orders[state].number],
        )
        for state in ("waiting", "paid", "canceled", "refunded")
    ),
    Sight("credit_ops:vat_id_list", "operator"),
    Sight("credit_ops:vat_id_list", "operator", "nothing-found", query="?q=nobody-at-all"),
    Sight("credit_ops:vat_id", "operator", args=lambda world, _: [world.company.slug]),
    Sight("credit_ops:vat_id", "operator", "nothing", args=lambda world, _: [world.start.slug]),
    Sight("credit_ops:seller", "operator"),
    Sight("styleguide", "visitor", english_only=True),
    Sight("reports:dashboard"),
    Sight("reports:dashboard", "founder"),
    Sight("reports:usage"),
    Sight("reports:top"),
    Sight("reports:member_usage", args=member("active")),
    Sight("reports:usage", "founder", state="days", query="?by=day"),
    Sight("reports:usage", state="people", query="?by=member"),
    *(Sight(f"reports:{name}") for name in ("spending", "allocations", "purchases", "holdings")),
    *(Sight(f"reports:{name}", "founder", "empty") for name in ("spending", "allocations", "holdings")),
    Sight("reports:saved_list"),
    Sight("reports:saved_list", "founder", "empty"),
    *(Sight(f"reports:{name}_save") for name in ("usage", "spending", "allocations", "purchases")),
    Sight("reports:saved_change", args=lambda world, _: [world.saved.pk]),
    Sight("reports:saved_delete", args=lambda world, _: [world.saved.pk]),
    Sight("reports:call_list"),
    Sight("reports:call_list", "founder"),
    Sight("reports:call", args=last_call),
    Sight("my_usage:usage", args=lambda world, _: [world.company.slug]),
    Sight("my_usage:usage", "guest", "empty", args=lambda world, _: [world.company.slug]),
    Sight("members:member_list"),
    Sight("members:member_list", "founder"),
    Sight("members:member_list", state="invited", query="?state=invited"),
    Sight("members:member_list", state="filtered", query="?q=a&role=administrator"),
    Sight("members:member_list", state="nothing-found", query="?q=nobody-at-all"),
    Sight("members:member_list", state="wrong-days", query="?joined_from=2026-11-22&joined_to=2026-11-21"),
    Sight("members:members_move", query="?all=1"),
    Sight("members:members_move", state="forecast", query="?all=1&to=none"),
    Sight("members:members_resend", query="?all=1"),
    Sight("members:members_block", query="?all=1"),
    Sight("members:members_export", query="?all=1"),
    Sight("members:import_add"),
    Sight("members:import_add", state="refused", act=send, status=422),
    Sight("members:import_add_business"),
    Sight("members:invite_personal"),
    Sight("members:invite_personal", state="refused", act=send, status=422),
    *(
        Sight("members:invitation_list", state=state, query=f"?state={state}")
        for state in ("pending", "opened", "bounced", "expired", "replied", "accepted", "declined", "canceled")
    ),
    Sight("members:invitation_list", "founder"),
    Sight("members:invitations_renew", query="?all=1"),
    Sight("members:invitations_cancel", query="?all=1"),
    Sight("members:addresses_add"),
    Sight("members:addresses_add", state="refused", act=send, status=422),
    Sight("members:addresses_review", args=batch("addresses")),
    Sight("members:addresses_review", state="wrong", args=batch("wrong_addresses")),
    Sight("members:addresses_review", state="given-up", args=batch("discarded_addresses")),
    Sight("members:run_detail", state="addresses", args=batch("changed_addresses"), query="?show=all"),
    Sight("members:invitation_address", args=lambda world, language: [world.stranger]),
    Sight(
        "members:invitation_address",
        state="refused",
        args=lambda world, language: [world.stranger],
        act=send_no_address,
        status=422,
    ),
    Sight("members:department_list"),
    Sight("members:department_list", "founder"),
    Sight("members:department_add"),
    Sight("members:department_add", state="refused", act=send, status=422),
    Sight("members:department_detail", args=lambda world, language: [world.departments["nested"].parent_id]),
    Sight("members:department_detail", state="empty", args=lambda world, _: [world.departments["empty"].pk]),
    Sight("members:department_merge", args=lambda world, language: [world.departments["nested"].pk]),
    Sight("members:members_move", state="new", query="?all=1&to=new&new_name=Bois", status=200),
    Sight("members:department_change", args=lambda world, language: [world.departments["nested"].pk]),
    Sight("members:department_delete", args=lambda world, language: [world.departments["empty"].pk]),
    Sight("members:department_delete", state="parent", args=lambda world, _: [world.departments["nested"].parent_id]),
    Sight("members:run_list"),
    Sight("members:run_list", "founder"),
    *(
        Sight("members:run_detail", state=state, args=lambda world, _, state=state: [world.runs[state].pk])
        for state in ("running", "done", "canceled", "given_up")
    ),
    Sight("members:import_list"),
    Sight("members:import_list", "founder"),
    *(
        Sight("members:import_detail", state=state, args=batch(state))
        for state in (
            [
                "ready",
                "to_correct",
                "large",
                "reading",
                "running",
                "canceled",
                "done",
                "all_created",
                "refused",
                "given_up",
            ]
        )
    ),
    Sight("members:import_encoding", args=batch("legacy")),
    Sight("members:import_detail", state="legacy", args=batch("legacy")),
    Sight("members:import_detail", state="editing", args=batch("ready"), query="?edit=1"),
    Sight("members:import_detail", state="created", args=batch("done"), query="?show=created"),
    *(
        Sight("members:member_profile", state=state, args=member(state))
        for state in ("active", "invited", "blocked", "handed_over", "left", "erased")
    ),
    Sight("members:member_profile", state="oneself", args=myself),
    Sight("members:role_table"),
    Sight("members:member_history", args=member("blocked")),
    Sight("members:member_history", state="empty", args=myself),
    Sight("members:member_address", args=member("invited")),
    Sight("members:member_address", state="refused", args=member("invited"), act=send_no_address, status=422),
    Sight("members:member_address", state="joined", args=member("active")),
    Sight("members:member_block", args=member("active")),
    Sight("members:member_block", state="blocked", args=member("blocked")),
    Sight("members:member_leaving", args=member("active")),
    Sight("members:member_leaving", state="invited", args=member("invited")),
    Sight("members:member_leaving", state="left", args=member("left")),
    Sight("members:member_leaving", state="equipped", args=member("equipped")),
    Sight("members:member_leaving", state="refused", args=member("equipped"), act=send_too_many_days, status=422),
    Sight("members:leaving_detail", args=leaving),
    Sight("members:member_hand_over", args=member("active")),
    Sight("members:member_hand_over", state="blocked", args=member("blocked")),
    Sight("members:member_hand_over", state="handed_over", args=member("handed_over")),
    Sight("members:predecessor_erase", args=predecessor("handed_over")),
    Sight("members:member_erase", args=member("left")),
    Sight("members:member_erase", state="erased", args=member("erased")),
    Sight("members:audit_list"),
    Sight("members:audit_list", "founder"),
    Sight("members:audit_list", state="nothing-found", query="?q=nobody-at-all"),
    Sight("members:organization_settings"),
    Sight("credit:wallet"),
    Sight("credit:wallet", "founder"),
    Sight("credit:buy"),
    Sight("credit:buy", "founder", "no-billing-data"),
    Sight("credit:buy", state="price", query="?amount=250"),
    Sight("credit:buy", state="refused", query="?amount=x"),
    Sight("credit:billing"),
    Sight("credit:billing", "founder", "empty"),
    Sight("credit:billing", "founder", "refused", act=send, status=422),
    Sight("credit:purchase_list"),
    Sight("credit:purchase_list", "founder"),
    Sight("credit:purchase_list", state="nothing-found", query="?q=nothing-at-all"),
    *(
        Sight("credit:order", state=state, args=lambda world, _, state=state: [world.orders[state].number])
        for state in ("waiting", "paid", "canceled", "expired", "refunded")
    ),
    *(
        Sight("credit:invoice", state=state, args=lambda world, _, state=state: [world.invoices[state].number])
        for state in ("paid", "refunded")
    ),
    Sight("credit:invoice", state="no-pdf", args=lambda world, _: [world.invoices["paid"].number], query="?no-pdf"),
    Sight("credit:card"),
    Sight("credit:card", "founder", "no-cards"),
    Sight("credit:card_leave", args=lambda world, _: [world.saving.pk]),
    Sight("credit:alerts"),
    Sight("credit:alerts", "founder"),
    Sight("credit:alerts", state="refused", act=send_no_amount, status=422),
    Sight("credit:wallet_statement"),
    Sight("credit:wallet_statement", "founder"),
    Sight("credit:wallet_statement", state="nothing-found", query="?kind=refund"),
    Sight("credit:member_credit", args=member("active")),
    Sight("credit:member_credit", state="empty", args=member("blocked")),
    Sight("credit:members_recharge", query="?all=1&state=active"),
    Sight("credit:members_recharge", state="forecast", query="?all=1&amount=15&below=5&monthly_limit=60"),
    Sight("credit:members_recharge_off", query="?all=1"),
    Sight("credit:member_credit", state="recharge-waiting", args=member("invited")),
    Sight("credit:member_credit", state="recharge-refused", args=member("active"), act=recharge_by_nothing, status=422),
    Sight("credit:member_credit", state="left", args=member("left")),
    Sight("credit:member_credit", state="inactive", args=member("idle")),
    Sight("credit:member_credit", state="warned", args=member("warned")),
    Sight("credit:member_credit", state="refused", args=member("active"), act=send, status=422),
    Sight("credit:member_credit", "founder", "no-credit", args=themselves),
    Sight("credit:allocate"),
    Sight("credit:allocate", state="refused", query="?whom=department", status=422),
    Sight("credit:amounts_review", args=batch("amounts")),
    Sight("credit:amounts_review", state="wrong", args=batch("wrong_amounts")),
    Sight("credit:amounts_review", state="legacy", args=batch("legacy_amounts")),
    Sight("credit:amounts_encoding", args=batch("legacy_amounts")),
    Sight("credit:amounts_review", state="given-up", args=batch("discarded_amounts")),
    Sight("members:run_detail", state="amounts", args=batch("given_amounts"), query="?show=all"),
    Sight("credit:members_allocate", query="?all=1"),
    Sight("credit:members_allocate", state="shown", query="?all=1&amount=5.00"),
    Sight("credit:members_allocate", state="not-covered", query="?all=1&amount=9000.00"),
    Sight("credit:members_allocate", state="left", query="?all=1&state=left&amount=5.00"),
    Sight("credit:members_allocate", state="refused", query="?all=1&amount=x", status=422),
    Sight("credit:member_statement", args=member("active")),
    Sight("my_credit:statement", "member", args=lambda world, language: [world.company.slug]),
    Sight("my_credit:statement", "guest", "empty", args=lambda world, language: [world.company.slug]),
    Sight("fault", state="404", path="/architectes/nothing/", status=404),
    Sight("fault", "visitor", "404-visitor", path="/nothing/here/", status=404),
    Sight("fault", "member", "403", path="/architectes/", status=403),
    Sight("fault", "visitor", "403-form", path="/accounts/sign-in/", act=send_without_token, status=403),
    Sight("fault", "visitor", "400", path="/%00/", status=400),
    Sight("fault", "visitor", "500", make=broken),
    *SIGHTS_OF_VOICE,
]

# What is no page. Whoever asks an act for a page is told that it has none; the others answer with something else.
ACTS = {
    "telephony:rate_calls",
    "reports:saved_stop",
    "me:personal_data",
    "members:member_data",
    "members:closing_call_off",
    "members:notices_at_first",
    "members:predecessor_data",
    "members:administrator_add",
    "set_language",
    "set_theme",
    "accounts:sign_out",
    "accounts:resend_verification",
    "join:decline",
    "join:tell_inviter",
    "me:change_address",
    "me:change_password",
    "me:passkey_options",
    "me:recovery_codes_file",
    "me:session_end",
    "me:sessions_end_others",
    "accounts:passkey",
    "accounts:passkey_options",
    "members:invitation_resend",
    "members:invitation_cancel",
    "members:import_create",
    "members:run_cancel",
    "members:run_continue",
    "members:import_cancel",
    "members:import_continue",
    "members:import_retry",
    "members:import_row",
    "members:import_leave_out",
    "members:import_leave_out_problems",
    "members:import_take_in",
    "members:member_role",
    "members:member_password",
    "members:member_unblock",
    "credit:member_reactivate",
    "my_credit:reactivate",
    "my_features:setting",
    "telephony:member_setting",
    "credit:member_recharge_off",
    "credit:order_cancel",
    "credit:order_card",
    "credit:buy_by_card",
    "credit:wallet_recharge_stop",
    "credit:card_remove",
    "credit:card_save",
    "stripe_messages",
    "credit_ops:order_confirm",
    "credit_ops:order_refund",
    "members:addresses_change",
    "members:addresses_discard",
    "credit:amounts_add",
    "credit:amounts_allocate",
    "credit:amounts_discard",
    "members:members_columns",
    "my_phone:acknowledge",
    "telephony:assign_file_save",
    "telephony:call_import_start",
    "telephony:call_import_continue",
    "telephony:call_import_drop",
    "telephony:license_renewal",
    "telephony:member_assign",
    "telephony:member_unassign",
    "telephony:assign_corrections",
    "telephony:numbers_acquire",
    "telephony:number_untag",
    "telephony:reservation_cancel",
    "emergency:address_save",
    "emergency:address_change_save",
    "emergency:place_add",
    "emergency:place_remove",
    "emergency:file_save",
    "emergency:disclaimer_accept",
    "emergency_ops:disclaimer_publish",
    "emergency_ops:rule_change",
    "telephony_ops:rate_upload_drop",
    "porting:order_move",
    "porting_ops:order_contact",
    "porting_ops:order_approve",
    "porting_ops:order_reject",
    "porting_ops:order_complete",
}
ANSWERS = {
    "healthz": "text/plain",
    "readyz": "text/plain",
    "security_txt": "text/plain",
    "metrics": "text/plain",
    "outbox_letter_source": "text/plain",
    "members:member_export": "text/csv",
    "ops:feedback_export": "text/csv",
    "members:member_workbook": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "members:audit_export": "text/csv",
    "credit:member_statement_export": "text/csv",
    "credit:purchase_export": "text/csv",
    "telephony:number_export": "text/csv",
    "telephony:product_export": "text/csv",
    "telephony:readiness_export": "text/csv",
    "telephony:assign_template": "text/csv",
    "telephony:voice_user_export": "text/csv",
    "emergency:address_export": "text/csv",
    "porting:order_numbers": "text/csv",
    "porting:order_letter": "application/pdf",
    "porting_ops:order_letter": "application/pdf",
    "credit:invoice_pdf": "application/pdf",
    "credit:wallet_statement_export": "text/csv",
    **{f"reports:{name}_export": "text/csv" for name in ("usage", "spending", "allocations", "purchases", "holding")},
    "reports:call_export": "text/csv",
    "my_usage:export": "text/csv",
    "members:invitation_export": "text/csv",
    "my_credit:export": "text/csv",
    "members:import_outcome": "text/csv",
    "members:run_outcome": "text/csv",
    # Part of a page, which asks for it while a batch runs.
    "members:run_progress": "text/html",
    "members:import_progress": "text/html",
    "telephony:call_import_progress": "text/html",
}
# For programs, which bring a token: no browser sees them.
FOR_PROGRAMS = {"api:token", "api:member_list", "calls_api:import"}
# Lead elsewhere, to a page that is here.
WAYS = {"home", "my_usage:home", "join:accept", "credit:member_add", "credit:member_recharge"}
