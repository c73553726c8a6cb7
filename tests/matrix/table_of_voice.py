"""The URLs of ``telephony``, as ``table`` reads them."""

from operator import attrgetter as of
from typing import Any

from telephony.selectors.acknowledgments import standings_of
from tests.matrix.page import (
    NOT_SAVED,
    RUNNING,
    VOICE,
    Page,
    address_as_typed,
    address_list,
    assignment_list,
    calls_file,
    key,
    port_as_typed,
    rates_file,
)


def stamp(side: Any) -> object:
    """What somebody with a number has to have read."""
    [standing] = standings_of(side.organization, [side.holder])
    return standing.stamp


# What the form sends that gives somebody the number that nobody has.
NEW_NUMBER = {"number": of("phone_number.number"), "emergency_address": of("american.pk"), "key": key}

TABLE_OF_VOICE: dict[str, Page] = {
    "telephony:unassigned_calls": Page(access=VOICE, get=200),
    "telephony:give_calls": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"account": "2001"},
        send={"person": of("plain.user.skype_name")},
        logs=("calls.resolved",),
    ),
    "telephony:unrated_calls": Page(access=VOICE, get=200),
    "telephony:rate_calls": Page(access=VOICE, post=302, unlogged="finds none that has a rate by now"),
    "telephony:rerate_calls": Page(
        access=VOICE,
        get=200,
        post=200,
        send={"first": "2026-10-01", "last": "2026-10-31"},
        unlogged="finds none that costs otherwise by now",
    ),
    "telephony:call_imports": Page(
        access=VOICE,
        get=200,
        post=302,
        send={"file": calls_file, "format": "skypemgr", "time_zone": "UTC", "key": key},
        logs=("calls.imported",),
    ),
    "telephony:call_import": Page(access=VOICE, get=200, at={"pk": of("call_import.pk")}),
    "telephony:call_import_progress": Page(access=VOICE, get=200, at={"pk": of("call_import.pk")}),
    "telephony:call_import_start": Page(
        access=VOICE, post=302, at={"pk": of("call_tried.pk")}, logs=("calls.imported",)
    ),
    "telephony:call_import_continue": Page(
        access=VOICE, post=302, at={"pk": of("call_import.pk")}, unlogged="only lets workers try again"
    ),
    "telephony:call_import_drop": Page(
        access=VOICE, post=302, at={"pk": of("call_import.pk")}, logs=("calls.imported",)
    ),
    "my_phone:phone": Page(access="signed_in", get=200),
    "my_phone:acknowledge": Page(
        access="signed_in",
        post=302,
        at={"slug": of("organization.slug")},
        send={"stamp": stamp},
        unlike={"inside": (0, 302), "signed_in": (0, 404)},
        logs=("emergency_calls.read",),
        logged_for=frozenset({"credit_manager"}),
    ),
    "telephony_ops:stock": Page(access="operator", get=200),
    "telephony_ops:quota_list": Page(access="operator", get=200, names_all=RUNNING),
    "telephony_ops:quota": Page(
        access="operator",
        get=200,
        post=302,
        at={"slug": of("organization.slug")},
        send={"numbers": "70", "reason": "A new site"},
        logs=("number_quota.set",),
        names_all=RUNNING,
    ),
    "telephony_ops:price_list": Page(access="operator", get=200),
    "telephony_ops:price": Page(
        access="operator",
        get=200,
        post=302,
        at={"code": "premium"},
        send={"EUR": "5.50", "USD": "5", "GBP": "4", "SEK": "50"},
        unlogged="belongs to no organization; says who changed it and when",
    ),
    "telephony_ops:rate_deck_list": Page(
        access="operator",
        get=200,
        post=302,
        send={"file": rates_file, "decimals": 4},
        names_all=RUNNING,
        unlogged="belongs to no organization; is gone when it is loaded",
    ),
    "telephony_ops:rate_upload": Page(
        access="operator",
        get=200,
        post=302,
        at={"pk": of("rate_upload.pk")},
        names_all=RUNNING,
        logs=("rates.loaded",),
        # Loaded to see what would come of it, and taken back.
        notes=frozenset(
            {
                "telephony_prefixrate",
                "telephony_rate_stage",
                "telephony_ratedeck",
                "telephony_ratedeckversion",
                "telephony_raterange",
            }
        ),
    ),
    "telephony_ops:rate_upload_drop": Page(
        access="operator",
        post=302,
        at={"pk": of("rate_upload.pk")},
        unlogged="belongs to no organization; nothing was loaded",
    ),
    "telephony_ops:rate_deck": Page(
        access="operator", get=200, at={"pk": of("rate_version.deck_id")}, names_all=RUNNING
    ),
    "telephony_ops:rate_comparison": Page(
        access="operator", get=200, at={"pk": of("rate_version.pk")}, names_all=RUNNING
    ),
    "telephony:features": Page(access=VOICE, get=200),
    "telephony:buy_licenses": Page(
        access=VOICE,
        get=200,
        post=302,
        send={"product": "premium", "quantity": 2, "months": 1, "price": "4.99", "key": key},
        logs=("license.bought",),
    ),
    "telephony:license": Page(access=VOICE, get=200, at={"pk": of("license.pk")}),
    "telephony:license_renewal": Page(
        access=VOICE, post=302, at={"pk": of("license.pk")}, send={"quantity": 0}, logs=("license.renewal_changed",)
    ),
    "telephony:product": Page(access=VOICE, get=200, at={"code": "voicemail"}),
    "telephony:product_export": Page(access=VOICE, get=200, at={"code": "voicemail"}),
    "telephony:members_assign": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"member": of("plain.pk")},
        send={"member": of("plain.pk"), "product": "premium", "count": "1"},
        foreign={"member": of("plain.pk")},
        logs=("license.assigned",),
    ),
    "telephony:members_unassign": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"member": of("plain.pk")},
        send={"member": of("plain.pk"), "product": "voicemail", "count": "1"},
        foreign={"member": of("plain.pk")},
        logs=("license.unassigned",),
    ),
    "telephony:member_features": Page(access=VOICE, get=200, at={"skype_name": of("plain.user.skype_name")}),
    "telephony:member_assign": Page(
        access=VOICE,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={"product": "premium"},
        logs=("license.assigned",),
    ),
    "telephony:member_unassign": Page(
        access=VOICE,
        post=302,
        at={"skype_name": of("plain.user.skype_name")},
        send={"product": "voicemail"},
        logs=("license.unassigned",),
    ),
    "telephony:member_setting": Page(
        access=VOICE,
        post=302,
        at={"skype_name": of("caller.user.skype_name")},
        send={"kind": "forwarding", "number": "+33199004510"},
        logs=("feature.set",),
    ),
    "my_features:settings": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "signed_in": (404, 0)},
    ),
    "my_features:setting": Page(
        access="signed_in",
        post=422,
        at={"slug": of("organization.slug"), "kind": "connect"},
        send={"name": "Office", "username": "office"},
        unlike={"inside": (0, 422), "signed_in": (0, 404)},
        unlogged="nobody here has the feature",
    ),
    "telephony:member_phone": Page(access=VOICE, get=200, at={"skype_name": of("holder.user.skype_name")}),
    "telephony:member_number": Page(
        access=VOICE,
        get=200,
        post=302,
        at={"skype_name": of("holder.user.skype_name")},
        send={**NEW_NUMBER, "cooling_days": "3"},
        logs=("number.unassigned", "number.assigned"),
    ),
    "telephony:member_where": Page(
        access=VOICE,
        get=200,
        post=302,
        at={"skype_name": of("holder.user.skype_name")},
        send={"emergency_address": of("elsewhere.pk"), "place": of("american_place.pk")},
        logs=("number.moved",),
    ),
    "telephony:voice_user_list": Page(access=VOICE, get=200),
    "telephony:voice_user_export": Page(access=VOICE, get=200),
    "telephony:voice_user_print": Page(access=VOICE, get=200),
    "telephony:assign": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"member": of("caller.pk")},
        send={**NEW_NUMBER, "member": of("caller.pk")},
        foreign={"member": of("caller.pk")},
        logs=("number.assigned",),
    ),
    "telephony:take_back": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"member": of("holder.pk")},
        send={"member": of("holder.pk"), "cooling_days": "0"},
        foreign={"member": of("holder.pk")},
        logs=("number.unassigned",),
    ),
    "telephony:voice": Page(access=VOICE, get=200),
    "telephony:readiness": Page(access=VOICE, get=200),
    "telephony:readiness_export": Page(access=VOICE, get=200),
    "telephony:number_list": Page(access=VOICE, get=200),
    "telephony:number_export": Page(access=VOICE, get=200),
    "telephony:numbers_add": Page(
        access=VOICE,
        get=200,
        post=302,
        send={"area": of("area.pk"), "quantity": "1", "key": key},
        logs=("numbers.reserved",),
    ),
    "telephony:numbers_acquire": Page(
        access=VOICE,
        post=302,
        send={"reservation": of("reservation.pk"), "number": of("held_number.number"), "key": key},
        foreign={"reservation": of("reservation.pk")},
        logs=("number.acquired",),
    ),
    "telephony:reservation_cancel": Page(
        access=VOICE, post=302, at={"pk": of("reservation.pk")}, logs=("reservation.canceled",)
    ),
    "telephony:numbers_release": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"number": of("phone_number.pk")},
        send={"number": of("phone_number.pk"), "count": "1"},
        foreign={"number": of("phone_number.pk")},
        logs=("number.released",),
    ),
    "telephony:numbers_tag": Page(
        access=VOICE,
        get=200,
        post=302,
        query={"number": of("phone_number.pk")},
        send={"number": of("phone_number.pk"), "count": "1", "tag": "Reception", "act": "add", "key": key},
        foreign={"number": of("phone_number.pk")},
        logs=("number.tagged",),
    ),
    "telephony:number_detail": Page(
        access=VOICE,
        get=200,
        post=302,
        at={"digits": of("phone_number.digits")},
        send={"tag": "Reception"},
        logs=("number.tagged",),
    ),
    "telephony:number_untag": Page(
        access=VOICE,
        post=302,
        at={"digits": of("phone_number.digits")},
        send={"tag": of("tag.name")},
        logs=("number.untagged",),
    ),
    "telephony:assign_file": Page(
        access=VOICE, get=200, post=200, send={"file": assignment_list}, unlogged="is shown, and given by another page"
    ),
    "telephony:assign_file_save": Page(
        access=VOICE, post=302, send={"token": of("assignment_file")}, logs=("number.assigned",)
    ),
    "telephony:assign_template": Page(access=VOICE, get=200),
    "telephony:assign_corrections": Page(
        access=VOICE, post=200, send={"token": of("assignment_rows")}, unlogged="gives back the file that was sent"
    ),
    # Emergency addresses
    "emergency:address_list": Page(access=VOICE, get=200),
    "emergency:address_export": Page(access=VOICE, get=200),
    "emergency:address_add": Page(access=VOICE, get=200, post=200, send=address_as_typed(), unlogged=NOT_SAVED),
    "emergency:address_save": Page(
        access=VOICE, post=302, send=address_as_typed(token=of("address_seal")), logs=("emergency_address.added",)
    ),
    "emergency:address_detail": Page(access=VOICE, get=200, at={"pk": of("address.pk")}),
    "emergency:address_change": Page(
        access=VOICE,
        get=200,
        post=200,
        at={"pk": of("address.pk")},
        send=address_as_typed(version=1),
        unlogged=NOT_SAVED,
    ),
    "emergency:address_change_save": Page(
        access=VOICE,
        post=302,
        at={"pk": of("address.pk")},
        send=address_as_typed(version=1, token=of("address_seal")),
        logs=("emergency_address.changed",),
    ),
    "emergency:address_retire": Page(
        access=VOICE, get=200, post=302, at={"pk": of("address.pk")}, logs=("emergency_address.retired",)
    ),
    "emergency:place_add": Page(
        access=VOICE, post=302, at={"pk": of("address.pk")}, send={"name": "3rd floor"}, logs=("place.added",)
    ),
    "emergency:place_change": Page(
        access=VOICE,
        get=200,
        post=302,
        at={"pk": of("address.pk"), "place_pk": of("place.pk")},
        send={"name": "3rd floor"},
        logs=("place.changed",),
    ),
    "emergency:place_remove": Page(
        access=VOICE, post=302, at={"pk": of("address.pk"), "place_pk": of("place.pk")}, logs=("place.removed",)
    ),
    "emergency:file_review": Page(
        access=VOICE, get=200, post=200, send={"file": address_list}, unlogged="is shown, and saved by another page"
    ),
    "emergency:file_save": Page(
        access=VOICE, post=302, send={"token": of("address_file")}, logs=("emergency_address.added",)
    ),
    "emergency:disclaimer_list": Page(access=VOICE, get=200),
    "emergency:disclaimer_detail": Page(access=VOICE, get=200, at={"country": "FR"}),
    "emergency:disclaimer_accept": Page(
        access=VOICE, post=302, at={"country": "FR"}, send={"version": 1}, logs=("disclaimer.accepted",)
    ),
    "emergency_ops:disclaimer_list": Page(access="operator", get=200),
    "emergency_ops:disclaimer_detail": Page(access="operator", get=200, at={"country": "FR"}),
    "emergency_ops:disclaimer_publish": Page(
        access="operator",
        post=302,
        at={"country": "FR"},
        send={"text_en": "New", "text_fr": "Neuf", "text_sv": "Ny", "version": 1},
        unlogged="belongs to no organization; every version that was is kept",
    ),
    "emergency_ops:rule_change": Page(
        access="operator",
        post=302,
        at={"country": "FR"},
        send={"area_match": "warn", "emergency_numbers": "112"},
        unlogged="belongs to no organization; says who changed it and when",
    ),
    # Porting
    "porting:order_list": Page(access=VOICE, get=200),
    "porting:order_add": Page(
        access=VOICE,
        get=200,
        post=302,
        send=port_as_typed(key=key),
        logs=("port_order.added",),
        foreign={"emergency_address": of("address.pk")},
    ),
    "porting:order_detail": Page(access=VOICE, get=200, at={"pk": of("port_order.pk")}),
    "porting:order_change": Page(
        access=VOICE,
        get=200,
        post=302,
        at={"pk": of("port_rejected.pk")},
        send=port_as_typed(key=key),
        foreign={"emergency_address": of("address.pk")},
        logs=("port_order.changed",),
    ),
    "porting:order_cancel": Page(
        access=VOICE, get=200, post=302, at={"pk": of("port_order.pk")}, logs=("port_order.canceled",)
    ),
    "porting:order_move": Page(
        access=VOICE,
        post=302,
        at={"pk": of("port_approved.pk")},
        send={"transfer_on": "2099-01-01"},
        logs=("port_order.moved",),
    ),
    "porting:order_letter": Page(access=VOICE, get=200, at={"pk": of("port_order.pk")}),
    "porting:order_numbers": Page(access=VOICE, get=200, at={"pk": of("port_order.pk")}),
    "porting_ops:order_list": Page(access="operator", get=200, names_all=RUNNING),
    "porting_ops:order_detail": Page(access="operator", get=200, at={"pk": of("port_order.pk")}, names_all=RUNNING),
    "porting_ops:order_letter": Page(access="operator", get=200, at={"pk": of("port_order.pk")}, names_all=RUNNING),
    "porting_ops:order_contact": Page(
        access="operator", post=302, at={"pk": of("port_order.pk")}, logs=("port_order.advanced",), names_all=RUNNING
    ),
    "porting_ops:order_approve": Page(
        access="operator",
        post=302,
        at={"pk": of("port_contacting.pk")},
        send={"transfer_on": "2099-01-01"},
        logs=("port_order.advanced",),
        names_all=RUNNING,
    ),
    "porting_ops:order_reject": Page(
        access="operator",
        post=302,
        at={"pk": of("port_order.pk")},
        send={"reason": "Another account number"},
        logs=("port_order.advanced",),
        names_all=RUNNING,
    ),
    "porting_ops:order_complete": Page(
        access="operator",
        post=302,
        at={"pk": of("port_approved.pk")},
        logs=("number.ported", "port_order.advanced"),
        names_all=RUNNING,
    ),
}
