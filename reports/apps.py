from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        # The registry names models, which exist only from here on.
        from members.access import Capability  # noqa: PLC0415
        from members.registry import NavigationEntry, registry  # noqa: PLC0415

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
                children=[("usage", pgettext_lazy("calls", "Usage"), "reports:usage", Capability.VIEW_REPORTS)],
            ),
        )
