from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "members"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from members import checklist, pages, timetable  # noqa: PLC0415

        pages.register()
        checklist.register()
        timetable.register()
