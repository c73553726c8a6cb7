from datetime import date, datetime

from django.urls import path, register_converter

from reports.views import calls, dashboard, holdings, member_usage, report, saved, top


class DayConverter:
    """A day in an address: 2026-11-21."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007

    def to_url(self, value: date | str) -> str:
        return str(value)


register_converter(DayConverter, "day")

app_name = "reports"

urlpatterns = [
    path("", dashboard.overview, name="dashboard"),
    path("members/@<str:skype_name>/usage/", member_usage.member_usage, name="member_usage"),
    path("reports/top/", top.top, name="top"),
    path("reports/numbers/", holdings.holdings, name="holdings"),
    path("reports/numbers/export/", holdings.holding_export, name="holding_export"),
    path("reports/saved/", saved.saved_list, name="saved_list"),
    path("reports/saved/<int:pk>/", saved.saved_change, name="saved_change"),
    path("reports/saved/<int:pk>/delete/", saved.saved_delete, name="saved_delete"),
    path("reports/saved/<int:pk>/stop/", saved.saved_stop, name="saved_stop"),
    path("reports/calls/", calls.call_list, name="call_list"),
    path("reports/calls/export/", calls.call_export, name="call_export"),
    path("reports/calls/<day:day>/<int:key>/", calls.call, name="call"),
]
for name in ("usage", "spending", "allocations", "purchases"):
    urlpatterns += [
        path(f"reports/{name}/", report.report, {"name": name}, name=name),
        path(f"reports/{name}/export/", report.report_export, {"name": name}, name=f"{name}_export"),
        path(f"reports/{name}/save/", saved.report_save, {"name": name}, name=f"{name}_save"),
    ]
