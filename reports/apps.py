from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        # The registry names models, which exist only from here on.
        from members.access import Capability  # noqa: PLC0415
        from members.registry import MemberTab, NavigationEntry, PersonalPanel, registry  # noqa: PLC0415
        from reports import letters, timetable  # noqa: PLC0415
        from reports.views.my_usage import render_own_usage  # noqa: PLC0415

        letters.register()
        timetable.register()
        registry.add(
            NavigationEntry(
                key="overview",
                label=_("Overview"),
                icon="overview",
                url_name="reports:dashboard",
                capability=Capability.OPEN_CONSOLE,
                order=10,
            ),
            NavigationEntry(
                key="reports",
                label=_("Reports"),
                icon="reports",
                url_name="reports:usage",
                capability=Capability.VIEW_REPORTS,
                order=60,
                children=[
                    ("usage", pgettext_lazy("calls", "Usage"), "reports:usage", Capability.VIEW_REPORTS),
                    ("spending", _("Spending"), "reports:spending", Capability.VIEW_REPORTS),
                    ("allocations", _("Allocations"), "reports:allocations", Capability.VIEW_REPORTS),
                    ("purchases", _("Purchases"), "reports:purchases", Capability.VIEW_REPORTS),
                    ("holdings", _("Numbers and licenses"), "reports:holdings", Capability.VIEW_REPORTS),
                    ("calls", _("Calls"), "reports:call_list", Capability.VIEW_REPORTS),
                    ("saved", _("Saved reports"), "reports:saved_list", Capability.VIEW_REPORTS),
                ],
            ),
            MemberTab(
                key="usage",
                label=pgettext_lazy("calls", "Usage"),
                url_name="reports:member_usage",
                capability=Capability.VIEW_REPORTS,
                order=50,
            ),
            PersonalPanel(key="usage", order=15, render=render_own_usage),
        )
