from django.conf import settings

from skypemgr.celery import app


def test_every_entry_of_the_timetable_is_a_task_that_workers_know():
    app.loader.import_default_modules()

    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
