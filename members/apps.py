from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "members"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from members import (  # noqa: PLC0415
            batch_kinds,
            checklist,
            closing_letters,
            closing_steps,
            facts,
            invitation_runs,
            leaving_steps,
            list_columns,
            pages,
            readdressing,
            sessions,
            timetable,
            undelivered,
        )

        batch_kinds.register()
        invitation_runs.register()
        readdressing.register()
        pages.register()
        list_columns.register()
        checklist.register()
        sessions.register()
        timetable.register()
        closing_letters.register()
        closing_steps.register()
        leaving_steps.register()
        facts.register()
        undelivered.register()
