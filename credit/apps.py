from django.apps import AppConfig


class CreditConfig(AppConfig):
    name = "credit"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from credit import (  # noqa: PLC0415
            alerts,
            allocating,
            checklist,
            closing,
            demo,
            leaving,
            letters,
            pages,
            recharge_runs,
            timetable,
        )

        alerts.register()
        checklist.register()
        closing.register()
        demo.register()
        leaving.register()
        pages.register()
        allocating.register()
        recharge_runs.register()
        letters.register()
        timetable.register()
