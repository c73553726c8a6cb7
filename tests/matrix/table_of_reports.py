"""The URLs of ``reports``, as ``table`` reads them."""

from operator import attrgetter as of

from tests.matrix.page import LOOKED, OPEN, REPORTS, Page, key

TABLE_OF_REPORTS: dict[str, Page] = {
    "reports:dashboard": Page(access=OPEN, get=200),
    **{
        f"reports:{name}": Page(access=REPORTS, get=200)
        for report in ("usage", "spending", "allocations", "purchases")
        for name in (report, f"{report}_export")
    },
    "reports:member_usage": Page(
        access=REPORTS,
        get=200,
        at={"skype_name": of("plain.user.skype_name")},
        query={"month": "2026-10"},
        notes=LOOKED,
    ),
    "reports:top": Page(access=REPORTS, get=200),
    "reports:holdings": Page(access=REPORTS, get=200),
    "reports:holding_export": Page(access=REPORTS, get=200),
    "reports:call_list": Page(access=REPORTS, get=200, notes=LOOKED),
    "reports:call_export": Page(access=REPORTS, get=200, notes=LOOKED),
    "reports:saved_list": Page(access=REPORTS, get=200),
    **{
        f"reports:{name}_save": Page(
            access=REPORTS,
            get=200,
            post=302,
            send={"name": "Other", "sent": "never", "format": "csv", "key": key},
            logs=("report.saved",),
        )
        for name in ("usage", "spending", "allocations", "purchases")
    },
    "reports:saved_change": Page(
        access=REPORTS,
        get=200,
        post=302,
        at={"pk": of("saved.pk")},
        send={"name": "Other", "sent": "never", "format": "csv"},
        unlike=dict.fromkeys(["credit_manager", "reports_viewer"], (403, 403)),
        logs=("report.changed",),
    ),
    "reports:saved_delete": Page(
        access=REPORTS,
        get=200,
        post=302,
        at={"pk": of("saved.pk")},
        unlike=dict.fromkeys(["credit_manager", "reports_viewer"], (403, 403)),
        logs=("report.deleted",),
    ),
    "reports:saved_stop": Page(
        access=REPORTS,
        post=302,
        at={"pk": of("saved.pk")},
        logs=("report.stopped",),
        logged_for=frozenset({"administrator"}),
    ),
    "reports:call": Page(
        access=REPORTS,
        get=200,
        at={"day": lambda side: side.call.at.date(), "key": of("call.id")},
        notes=LOOKED,
    ),
    "my_usage:home": Page(access="signed_in", get=302),
    "my_usage:usage": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "left": (200, 0), "signed_in": (404, 0)},
    ),
    "my_usage:export": Page(
        access="signed_in",
        get=200,
        at={"slug": of("organization.slug")},
        unlike={"inside": (200, 0), "left": (200, 0), "signed_in": (404, 0)},
    ),
}
