"""The pages of features and Voice, as ``sights`` reads them."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import FilePayload, Page

from tests.browser.sight import Act, Sight, member, send, themselves
from tests.browser.world import World


def reserve_numbers(page: Page) -> None:
    page.locator("#id_quantity").fill("2")
    page.locator("form:has(#id_quantity) button").click()
    page.locator("details.disclosure summary").first.click()


def reserve_too_many(page: Page) -> None:
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("#id_quantity").fill("150")
    page.locator("form:has(#id_quantity) button").click()


def order_nothing(page: Page) -> None:
    page.locator("#id_name").fill("Lyon")
    page.locator("#id_numbers").fill("12")
    send(page)


def send_no_tag(page: Page) -> None:
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator("form:has(#id_tag) button").click()


def tick(*names: str, search: str, button: str) -> Callable[[Page], None]:
    """Search the list of those who can have a number, tick people on it, and go on with a button."""

    def act(page: Page) -> None:
        page.locator("#f-q").fill(search)
        page.locator("#f-q").press("Enter")
        page.wait_for_url(f"**q={search}*")
        for name in names:
            page.locator(f"tr:has-text('{name}') .row-select").check()
        page.locator(f".bulkbar button[formaction*='{button}']").click()

    return act


def find_no_address(page: Page) -> None:
    page.locator("#id_city").fill("Nowhere")
    page.locator("button[name=search][value=city]").click()


def owned_number(world: World, language: str) -> list[Any]:
    return [world.number.digits]


def send_bad_number(page: Page) -> None:
    page.locator("#forwarding_number").fill("12")
    page.locator("form:has(#forwarding_number) button").click()


def set_price(page: Page) -> None:
    page.locator("#id_EUR").fill("1.80")
    send(page)


def rate_deck(world: World, language: str) -> list[Any]:
    assert world.rate_version is not None
    return [world.rate_version.deck_id]


def rate_version(world: World, language: str) -> list[Any]:
    assert world.rate_version is not None
    return [world.rate_version.pk]


def rate_upload(world: World, language: str) -> list[Any]:
    assert world.rate_upload is not None
    return [world.rate_upload.pk]


def try_rating_again(page: Page) -> None:
    page.locator("button[name=try]").click()


def send_no_rates(page: Page) -> None:
    file: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": b"name,mail\n"}
    page.locator("#id_file").set_input_files(file)
    page.locator("form:has(#id_file) button").click()


def emergency_address(world: World, language: str) -> list[Any]:
    assert world.place is not None
    return [world.place.address.pk]


def type_address(page: Page) -> None:
    """One with slips that are corrected."""
    for name, value in [("name", "Lyon"), ("house_number", "12"), ("street", "r. de la République")]:
        page.locator(f"#id_{name}").fill(value)
    page.locator("#id_city").fill("LYON 2EME")
    page.locator("#id_postal_code").fill("69 002")
    send(page)


def type_box(page: Page) -> None:
    """One where nobody is found."""
    for name, value in [("name", "Lyon"), ("street", "BP 12"), ("city", "Lyon"), ("postal_code", "69002")]:
        page.locator(f"#id_{name}").fill(value)
    send(page)


def send_file(*rows: str) -> Act:
    """Have a file of these rows checked."""

    def act(page: Page) -> None:
        text = "\n".join(["person,number,emergency address,place", *rows])
        file: FilePayload = {"name": "numbers.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.locator("#id_file").set_input_files(file)
        page.locator("form:has(#id_file) button").click()

    return act


RIGHT_ROWS = (
    'iris.file,+33 1 99 00 46 50,"Paris, siège","3e étage, salle 12"',
    'lena.file,33199004651,"Paris, siège",',
)

SIGHTS_OF_VOICE = [
    Sight("telephony:rerate_calls"),
    Sight("telephony:rerate_calls", state="tried", act=try_rating_again),
    Sight("telephony:call_imports"),
    Sight("telephony:call_imports", "founder", "empty"),
    *(
        Sight("telephony:call_import", state=state, args=lambda world, _, state=state: [world.call_imports[state].pk])
        for state in ("running", "given-up", "tried", "done", "broken-off")
    ),
    Sight("telephony:unassigned_calls"),
    Sight("telephony:unassigned_calls", "founder", "empty"),
    Sight("telephony:give_calls", query="?account=2001"),
    Sight("telephony:unrated_calls"),
    Sight("telephony:unrated_calls", "founder", "empty"),
    Sight("me:home", "phoning", "with-number"),
    Sight("me:home", "idle", "number-to-read"),
    Sight("my_phone:phone", "phoning", "read"),
    Sight("my_phone:phone", "idle", "to-read"),
    Sight("my_phone:phone", "guest", "empty"),
    Sight("telephony:assign_file"),
    Sight("telephony:assign_file", state="review", act=send_file(*RIGHT_ROWS)),
    Sight(
        "telephony:assign_file",
        state="wrong",
        act=send_file(*RIGHT_ROWS, "nobody@people.example,12,Nowhere,", "iris.file,+33 1 99 00 46 50,,"),
    ),
    Sight("telephony:assign_file", state="refused", act=send_file(), status=422),
    Sight("telephony_ops:stock", "operator"),
    Sight("telephony_ops:stock", "operator", "nothing-found", query="?q=nowhere-at-all"),
    Sight("telephony_ops:quota_list", "operator", query="?q=archi"),
    Sight("telephony_ops:quota_list", "operator", "nothing-set"),
    Sight("telephony_ops:quota", "operator", args=lambda world, _: [world.company.slug]),
    Sight("telephony_ops:price_list", "operator"),
    Sight("telephony_ops:price", "operator", args=lambda world, _: ["premium"]),
    Sight("telephony_ops:price", "operator", "changed", args=lambda world, _: ["voicemail"], act=set_price),
    Sight("telephony_ops:rate_deck_list", "operator"),
    Sight("telephony_ops:rate_deck_list", "operator", "refused", act=send_no_rates, status=422),
    Sight("telephony_ops:rate_deck", "operator", args=rate_deck, query="?number=%2B33199004510&seconds=61"),
    Sight("telephony_ops:rate_deck", "operator", "nothing-found", args=rate_deck, query="?q=nowhere-at-all"),
    Sight("telephony_ops:rate_comparison", "operator", args=rate_version),
    Sight("telephony_ops:rate_upload", "operator", args=rate_upload),
    Sight("telephony:voice"),
    Sight("telephony:voice", "founder", "closed", status=403),
    Sight("telephony:readiness"),
    Sight("telephony:readiness", state="nobody", query="?reason=elsewhere"),
    Sight("telephony:readiness", "founder", "closed", status=403),
    Sight("telephony:number_list"),
    Sight("telephony:number_list", state="nothing-found", query="?q=99999999"),
    Sight("telephony:number_detail", args=owned_number),
    Sight("telephony:number_detail", state="refused", args=owned_number, act=send_no_tag, status=422),
    Sight("telephony:numbers_release", query="?all=1"),
    Sight("telephony:numbers_tag", query="?all=1"),
    Sight("telephony:numbers_add"),
    Sight("telephony:numbers_add", state="elsewhere", query="?country=US"),
    Sight("telephony:numbers_add", state="refused", act=reserve_too_many, status=422),
    Sight("telephony:numbers_add", state="held", act=reserve_numbers),
    Sight("emergency_ops:disclaimer_list", "operator"),
    Sight("emergency_ops:disclaimer_detail", "operator", args=lambda world, _: ["FR"]),
    Sight("emergency:address_list"),
    Sight("emergency:address_list", "founder", "closed", status=403),
    Sight("emergency:address_list", state="nothing-found", query="?q=nothing-at-all"),
    Sight("emergency:address_add"),
    Sight("emergency:address_add", state="corrected", act=type_address),
    Sight("emergency:address_add", state="refused", act=type_box, status=422),
    Sight("emergency:address_detail", args=emergency_address),
    Sight("emergency:address_change", args=emergency_address),
    Sight("emergency:address_retire", args=emergency_address),
    Sight("emergency:place_change", args=lambda world, _: [world.place.address.pk, world.place.pk]),
    Sight("emergency:file_review"),
    Sight("emergency:disclaimer_list"),
    Sight("emergency:disclaimer_detail", state="accepted", args=lambda world, _: ["FR"]),
    Sight("emergency:disclaimer_detail", state="to-accept", args=lambda world, _: ["US"]),
    Sight("porting:order_list"),
    Sight("porting:order_list", state="narrowed", query="?state=contacting"),
    Sight("porting:order_add"),
    Sight("porting:order_add", state="refused", act=order_nothing, status=422),
    *(
        Sight("porting:order_detail", state=state, args=lambda world, _, state=state: [world.port_orders[state].pk])
        for state in ("approved", "rejected", "completed")
    ),
    Sight("porting:order_change", args=lambda world, _: [world.port_orders["rejected"].pk]),
    Sight("porting:order_cancel", args=lambda world, _: [world.port_orders["processing"].pk]),
    Sight("porting_ops:order_list", "operator"),
    Sight("porting_ops:order_list", "operator", "nothing-found", query="?q=nowhere-at-all"),
    *(
        Sight(
            "porting_ops:order_detail",
            "operator",
            state,
            args=lambda world, _, state=state: [world.port_orders[state].pk],
        )
        for state in ("processing", "approved", "canceled")
    ),
    Sight("telephony:voice_user_list"),
    Sight("telephony:voice_user_list", state="nothing-found", query="?q=nobody-at-all"),
    # Nobody is ticked, which leads to the list.
    Sight("telephony:assign", act=tick("wanda.waits", search="waits", button="assign")),
    Sight(
        "telephony:assign", state="several", act=tick("wanda.waits", "walter.waits", search="waits", button="assign")
    ),
    Sight("telephony:assign", state="refused", act=tick("camille.rousseau", search="rousseau", button="assign")),
    Sight("telephony:take_back", act=tick("camille.rousseau", search="rousseau", button="take-back")),
    Sight("telephony:voice_user_print"),
    Sight("telephony:member_phone", args=member("active")),
    Sight("telephony:member_phone", state="without", args=member("blocked")),
    Sight("telephony:member_number", args=member("active")),
    Sight("telephony:member_where", args=member("active")),
    Sight("telephony:member_where", state="nothing-found", args=member("active"), act=find_no_address),
    Sight("telephony:features"),
    Sight("telephony:features", "founder", "empty"),
    Sight("telephony:buy_licenses"),
    Sight("telephony:buy_licenses", state="price", query="?product=premium&quantity=3&months=3"),
    Sight("telephony:buy_licenses", state="lacking", query="?product=e5&quantity=900&months=12"),
    Sight(
        "telephony:buy_licenses", "founder", "not-offered", query="?product=calling-plan-domestic&quantity=3&months=1"
    ),
    *(
        Sight("telephony:license", state=state, args=lambda world, _, state=state: [world.licenses[state].pk])
        for state in ("active", "canceled", "grace", "asleep", "ended")
    ),
    Sight("telephony:product", args=lambda world, _: ["premium"]),
    Sight("telephony:product", state="asleep", args=lambda world, _: ["premium"], query="?license=premium.asleep"),
    Sight("telephony:product", state="nothing-found", args=lambda world, _: ["premium"], query="?q=nobody-at-all"),
    Sight("telephony:product", state="not-owned", args=lambda world, _: ["calling-plan-domestic"]),
    Sight("telephony:members_assign", query="?all=1"),
    Sight("telephony:members_assign", "founder", "empty", query="?all=1"),
    Sight("telephony:members_assign", state="missing", query="?all=1&product=premium"),
    Sight("telephony:members_assign", state="forecast", query="?all=1&state=active&product=voicemail"),
    Sight("telephony:members_unassign", query="?all=1"),
    Sight("telephony:members_unassign", state="forecast", query="?all=1&product=premium"),
    Sight("my_features:settings", "member", args=lambda world, language: [world.company.slug]),
    Sight(
        "my_features:settings",
        "member",
        "refused",
        args=lambda world, language: [world.company.slug],
        act=send_bad_number,
        status=422,
    ),
    Sight(
        "telephony:member_features",
        state="settings",
        args=lambda world, language: [world.people["member", language].skype_name],
    ),
    Sight("telephony:member_features", args=member("active")),
    Sight("telephony:member_features", "founder", "empty", args=themselves),
]
