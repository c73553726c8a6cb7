from django.apps import AppConfig


class TelephonyConfig(AppConfig):
    name = "telephony"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from telephony import (  # noqa: PLC0415
            assignment_letters,
            assignment_uses,
            checklist,
            closing,
            demo,
            fee_causes,
            leaving,
            license_alerts,
            members_list,
            number_uses,
            pages,
            port_letters,
            seat_runs,
            timetable,
        )

        assignment_letters.register()
        assignment_uses.register()
        checklist.register()
        closing.register()
        demo.register()
        leaving.register()
        fee_causes.register()
        license_alerts.register()
        members_list.register()
        number_uses.register()
        pages.register()
        port_letters.register()
        seat_runs.register()
        timetable.register()
