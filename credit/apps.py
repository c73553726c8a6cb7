from django.apps import AppConfig


class CreditConfig(AppConfig):
    name = "credit"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from credit import alerts, allocating, checklist, closing, demo, letters, pages, recharge_runs, timetable  # noqa: PLC0415

        alerts.register()
        checklist.register()
        closing.register()
        demo.register()
        pages.register()
        allocating.register()
        recharge_runs.register()
        letters.register()
        timetable.register()
