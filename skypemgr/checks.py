import datetime as dt
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.operations import CreateExtension
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.mail import mailers
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host
from redis import Redis

from skypemgr.celery import app
from skypemgr.installation import Findings, installation_check
from skypemgr.loopback import is_loopback

OLDEST_POSTGRESQL = 150_000
LARGEST_SKEW = dt.timedelta(seconds=2)
SHORTEST_SECRET = 50


@installation_check
def database_is_recent() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0])
    if version < OLDEST_POSTGRESQL:
        yield f"PostgreSQL {version // 10_000} is too old; 15 is the oldest that works."


@installation_check
def migrations_are_applied() -> Findings:
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if missing:
        yield f"Migrations are missing: {', '.join(missing)}. Run manage.py migrate."


@installation_check
def extensions_are_present() -> Findings:
    operations = [
        operation
        for migration in MigrationExecutor(connection).loader.disk_migrations.values()
        for operation in migration.operations
    ]
    needed = {operation.name for operation in operations if isinstance(operation, CreateExtension)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        present = {name for (name,) in cursor.fetchall()}
    for name in sorted(needed - present):
        yield f"The extension {name} is missing in the database. Run: CREATE EXTENSION {name};"


@installation_check
def role_is_no_superuser() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            yield "The database role is a superuser, whom no rule of the database binds. Use a role of its own."


@installation_check
def clocks_agree() -> Findings:
    with connection.cursor() as cursor:
        before = dt.datetime.now(dt.UTC)
        cursor.execute("SELECT clock_timestamp()")
        database = cursor.fetchone()[0]
        after = dt.datetime.now(dt.UTC)
    if not before - LARGEST_SKEW <= database <= after + LARGEST_SKEW:
        yield f"The clock of the database says {database:%H:%M:%S}, that of this machine {after:%H:%M:%S}."


@installation_check
def broker_keeps_what_it_is_given() -> Findings:
    with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=5) as broker:
        memory = broker.info("memory")
    if memory["maxmemory"] and memory["maxmemory_policy"] != "noeviction":
        yield f"The broker forgets messages when its memory is full ({memory['maxmemory_policy']}): set noeviction."


@installation_check
def workers_answer() -> Findings:
    # On one machine everything runs under `up`, and commands work without it too.
    if not settings.LOCAL and not app.control.ping(timeout=3):
        yield "No worker answers. Start one: celery --app skypemgr worker."


@installation_check
def mail_server_answers() -> Findings:
    mailer = mailers.default
    mailer.open()
    mailer.close()
    return ()


@installation_check
def letters_travel_encrypted() -> Findings:
    options = settings.MAILERS["default"].get("OPTIONS", {})
    host = options.get("host", "")
    if host and not options.get("use_ssl") and not options.get("use_tls") and not is_loopback(host):
        yield f"Letters travel in the clear to {host}: SMTP_URL begins with smtps:// or smtp+tls://."


@installation_check
def static_files_are_collected() -> Findings:
    if settings.LOCAL:
        return
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage) or staticfiles_storage.read_manifest() is None:
        yield f"No static files are collected in {settings.STATIC_ROOT}. Run manage.py collectstatic."


@installation_check
def translations_are_compiled() -> Findings:
    for folder in settings.LOCALE_PATHS:
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
            compiled = source.with_suffix(".mo")
            if not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns:
                yield f"{source.relative_to(folder)} is not compiled. Run manage.py compile_translations."


@installation_check
def secret_is_long() -> Findings:
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        yield f"SECRET_KEY has {len(settings.SECRET_KEY)} characters; it needs {SHORTEST_SECRET} or more."


@installation_check
def addresses_agree() -> Findings:
    address = urlsplit(settings.BASE_URL)
    if not address.hostname or not validate_host(address.hostname, settings.ALLOWED_HOSTS):
        yield f"Links lead to {settings.BASE_URL} (BASE_URL), whose host is not among ALLOWED_HOSTS."
    if not settings.LOCAL and address.scheme != "https":
        yield f"BASE_URL is {settings.BASE_URL}; in production it begins with https://."
