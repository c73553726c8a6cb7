import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from members.models import Heartbeat, JobRun, Letter
from members.services.jobs import show_life
from skypemgr import checks
from skypemgr.management.commands.check_installation import find_failures
from tests.skypemgr.processes import start


def failures() -> dict[str | None, str]:
    """What does not hold, by the name of its check."""
    return {failure.id: failure.msg for failure in find_failures()}


@pytest.fixture(autouse=True)
def translations(db: None) -> None:
    call_command("compile_translations", verbosity=0)


def test_everything_holds_on_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_installation", "--json")

    assert json.loads(capsys.readouterr().out) == {"failures": []}


def test_a_missing_migration_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")

    assert "sessions.0001_initial" in failures()["installation.migrations_are_applied"]


def test_a_missing_extension_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")

    assert "CREATE EXTENSION pg_trgm" in failures()["installation.extensions_are_present"]


def test_a_broker_that_does_not_answer_is_a_failure(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert "could not be checked" in failures()["installation.broker_keeps_what_it_is_given"]


@pytest.mark.parametrize(
    ("host", "encryption", "clear"),
    [
        ("192.0.2.1", "", True),
        ("192.0.2.1", "use_tls", False),
        ("192.0.2.1", "use_ssl", False),
        ("localhost", "", False),
    ],
)
def test_letters_that_would_leave_this_machine_in_the_clear_are_a_failure(
    settings: Settings, host: str, encryption: str, clear: bool
) -> None:
    options = {"host": host, "port": 1, **({encryption: True} if encryption else {})}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}

    assert bool(list(checks.letters_travel_encrypted())) is clear


def test_a_mail_server_that_does_not_answer_is_a_failure(settings: Settings) -> None:
    options = {"host": "127.0.0.1", "port": 1, "timeout": 5}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}

    assert "Connection refused" in failures()["installation.mail_server_answers"]


def test_a_short_secret_is_a_failure(settings: Settings) -> None:
    settings.SECRET_KEY = "short"

    assert "5 characters" in failures()["installation.secret_is_long"]


def test_links_that_lead_elsewhere_are_a_failure(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["other.example"]

    assert "not among ALLOWED_HOSTS" in failures()["installation.addresses_agree"]


def test_a_translation_that_is_not_compiled_is_named(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n')
    settings.LOCALE_PATHS = [tmp_path]

    assert "fr/LC_MESSAGES/django.po" in failures()["installation.translations_are_compiled"]

    call_command("compile_translations", verbosity=0)
    assert failures() == {}


def test_letters_that_do_not_leave_are_a_failure() -> None:
    Letter.objects.create(
        kind=Letter.Kind.SKYPE_NAMES, email="a@example.com", due_at=timezone.now() - dt.timedelta(minutes=11)
    )

    assert "1 letters have waited" in failures()["installation.letters_leave"]


def test_a_job_that_was_given_up_is_named() -> None:
    JobRun.objects.create(job="check_invariants", period="2026-11-22T07", attempts=5, last_error="InvariantBroken: x")
    JobRun.objects.create(job="check_invariants", period="2026-11-22T08", attempts=4, last_error="InvariantBroken: x")

    found = failures()["installation.jobs_succeed"]

    assert "run_jobs --retry" in found


def test_workers_that_begin_nothing_are_named_in_production(settings: Settings) -> None:
    settings.LOCAL = False
    show_life(name="worker")
    Heartbeat.objects.create(name="mail", at=timezone.now() - dt.timedelta(minutes=3))

    assert "no worker has begun to send letters" in failures()["installation.workers_work"]


def test_production_also_needs_workers_https_and_collected_files(settings: Settings) -> None:
    settings.LOCAL = False
    settings.BASE_URL = "http://127.0.0.1"

    found = failures()

    assert "No worker answers" in found["installation.workers_answer"]
    assert "begins with https://" in found["installation.addresses_agree"]
    assert "manage.py collectstatic" in found["installation.static_files_are_collected"]
    assert "security.W008" in found


def test_a_failure_ends_the_command_with_code_1_and_is_told_as_json(folder: Path) -> None:
    checked = start("check_installation", "--json", folder=folder, ALLOWED_HOSTS="other.example")

    output, _ = checked.communicate(timeout=60)

    assert checked.returncode == 1
    found: dict[str, Any] = json.loads(output)
    assert {"installation.migrations_are_applied", "installation.addresses_agree"} <= {
        failure["check"] for failure in found["failures"]
    }


def test_a_server_that_cannot_start_is_a_failure(folder: Path) -> None:
    folder.mkdir()
    (folder / "pg").write_text("in the way")

    checked = start("check_installation", "--json", folder=folder)

    output, _ = checked.communicate(timeout=60)
    assert checked.returncode == 1
    assert output.strip() == f"PostgreSQL can't keep its data in {folder / 'pg'}, where something else is."
