from django.apps import AppConfig


class TelephonyConfig(AppConfig):
    name = "telephony"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from telephony import (  # noqa: PLC0415
            assignment_letters,
            assignment_uses,
            demo,
            leaving,
            number_uses,
            pages,
            port_letters,
            timetable,
        )

        assignment_letters.register()
        assignment_uses.register()
        demo.register()
        leaving.register()
        number_uses.register()
        pages.register()
        port_letters.register()
        timetable.register()
