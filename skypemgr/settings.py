"""Everything that differs between installations comes from the environment; `docs/settings.md` lists it.

Local mode (the default) keeps its data and its own secret under ``var/`` and runs on embedded servers.
``SKYPEMGR_ENV=production`` makes every value that has no safe default a fatal omission.
"""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from skypemgr import logs

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent


# Core
ENVIRONMENT = env.str("SKYPEMGR_ENV", default="local")
if ENVIRONMENT not in {"local", "production"}:
    raise ImproperlyConfigured(f"SKYPEMGR_ENV is {ENVIRONMENT!r}; it must be 'local' or 'production'.")
LOCAL = ENVIRONMENT == "local"
VAR_DIR = Path(env.str("APP_VAR", default=str(BASE_DIR / "var"))).resolve()
DEBUG = False


def _setting(name: str, *, local: str = "") -> str:
    """The value of an environment variable; in local mode ``local`` stands in for one that is not set."""
    value = env.str(name, default="") or (local if LOCAL else "")
    if not value:
        raise ImproperlyConfigured(f"{name} must be set when SKYPEMGR_ENV={ENVIRONMENT}.")
    return value


def _local_secret() -> str:
    """The secret of this machine, made once; two commands that start at once agree on it."""
    path = VAR_DIR / "secret"
    try:
        VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(f"No data can be kept in {VAR_DIR} ({error.strerror}): set APP_VAR.") from error
    if not path.exists():
        draft = VAR_DIR / f"secret.{secrets.token_hex(8)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


SECRET_KEY = _setting("SECRET_KEY", local=_local_secret() if LOCAL else "")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
BASE_URL = _setting("BASE_URL", local="http://127.0.0.1:8000").rstrip("/")
HTTPS = urlsplit(BASE_URL).scheme == "https"
ALLOWED_HOSTS = [host.strip() for host in _setting("ALLOWED_HOSTS", local="127.0.0.1,localhost,[::1]").split(",")]
ROOT_URLCONF = "skypemgr.urls"
WSGI_APPLICATION = "skypemgr.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# Apps
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "pgtrigger",
    "skypemgr",
    "members",
    "credit",
    "telephony",
    "reports",
]


# Web
MIDDLEWARE = [
    # First those that say something about every answer, whoever gives it.
    "skypemgr.answers.AnswerMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "skypemgr.middleware.RequestGuardMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "members.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "members.middleware.SessionLimitsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["skypemgr.lean_templates.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "skypemgr.context.frame",
                "members.context.organization_frame",
            ],
            "builtins": ["skypemgr.templatetags.look", "django.templatetags.i18n"],
        },
    }
]
FORM_RENDERER = "skypemgr.forms.Renderer"
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static" if LOCAL else BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
CSRF_FAILURE_VIEW = "skypemgr.views.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000


# Data
EMBEDDED_DATABASE = LOCAL and not env.str("DATABASE_URL", default="")
EMBEDDED_REDIS = LOCAL and not env.str("REDIS_URL", default="")
if EMBEDDED_DATABASE:
    DATABASES: dict[str, dict[str, Any]] = {
        "default": {
            "ENGINE": "skypemgr.database",
            "HOST": str(VAR_DIR / "pg"),
            "PORT": "5432",
            "NAME": "app",
            "USER": "app",
        }
    }
else:
    DATABASES = {"default": env.db_url_config(_setting("DATABASE_URL"), engine="skypemgr.database")}
# Web sets a limit for each statement; `manage.py` sets none, and a batch its own.
STATEMENT_TIMEOUT = env.int("DATABASE_STATEMENT_TIMEOUT", default=5_000)
TRANSACTION_TIMEOUT = env.int("DATABASE_TRANSACTION_TIMEOUT", default=100_000 if STATEMENT_TIMEOUT else 0)
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=3,
    # Of prepared cursors (skypemgr.database.prepared); all others send text. A pooler may not know of them.
    prepare_threshold=0 if env.bool("DATABASE_PREPARE", default=True) else None,
    # A peer that is gone, as the kernel notices it on TCP: 10 s with something under way, 25 s with nothing.
    tcp_user_timeout=10_000,
    keepalives=1,
    keepalives_idle=10,
    keepalives_interval=5,
    keepalives_count=3,
    options=f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout=3000 "
    "-c idle_in_transaction_session_timeout=15000 -c client_connection_check_interval=5000",
)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Only the threads of a web process share a pool; a forked worker could not.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=0)
if DATABASE_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": DATABASE_POOL_SIZE,
        "timeout": 5,
        # After an outage the next try comes within seconds.
        "reconnect_timeout": 3,
    }
REDIS_URL = f"unix://{quote(str(VAR_DIR / 'valkey.sock'))}?db=0" if EMBEDDED_REDIS else _setting("REDIS_URL")


# Background work: PostgreSQL is the memory, the broker only wakes workers (decision 3)
def _broker_url(url: str) -> str:
    # Kombu knows a unix socket by another name than redis-py does.
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


CELERY_BROKER_URL = _broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 5,
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1_000
# What one task may take; and a process that keeps half of it when its task has ended is replaced (in kB).
WORKER_MEMORY_MB = env.int("WORKER_MEMORY_MB", default=1_024)
CELERY_WORKER_MAX_MEMORY_PER_CHILD = WORKER_MEMORY_MB * 1_024 // 2 or None
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
# Letters wait for a mail server that may be slow, and imports compute: neither may stand in the other's way. A worker
# that is told no queue takes both.
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"work": {}, "mail": {}}
CELERY_TASK_ROUTES = {"members.send_letters": {"queue": "mail"}}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "send-letters": {"task": "members.send_letters", "schedule": 5.0, "options": {"expires": 10}},
    "advance-batches": {"task": "members.advance_batches", "schedule": 5.0, "options": {"expires": 10}},
    "advance-uploads": {"task": "telephony.advance_uploads", "schedule": 5.0, "options": {"expires": 10}},
    "recharge-members": {"task": "credit.recharge_members", "schedule": 5.0, "options": {"expires": 10}},
    "look-after-cards": {"task": "credit.look_after_cards", "schedule": 5.0, "options": {"expires": 10}},
    "watch-wallets": {"task": "credit.watch_wallets", "schedule": 30.0, "options": {"expires": 60}},
    "run-jobs": {"task": "members.run_jobs", "schedule": 20.0, "options": {"expires": 30}},
}


# Mail
def _mailer() -> dict:
    url = env.str("SMTP_URL", default="") if LOCAL else _setting("SMTP_URL")
    if not url:
        # Without a mail server letters are kept under var/ and read at /outbox/.
        return {"BACKEND": "members.gateways.mail.LocalMailbox", "OPTIONS": {"folder": VAR_DIR / "letters"}}
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps", "smtp+tls"} or not parts.hostname:
        raise ImproperlyConfigured("SMTP_URL must look like smtp://host:port, smtps://… or smtp+tls://….")
    return {
        "BACKEND": "members.gateways.mail.MailServer",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[parts.scheme],
            "username": unquote(parts.username or "") or None,
            "password": unquote(parts.password or "") or None,
            "use_ssl": parts.scheme == "smtps",
            "use_tls": parts.scheme == "smtp+tls",
            "timeout": 20,
        },
    }


MAILERS = {"default": _mailer()}
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Skype Manager <skypemgr@localhost>")


# Cards
STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="").rstrip("/")
if STRIPE_API_KEY and not STRIPE_WEBHOOK_SECRET:
    raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET must be set beside STRIPE_API_KEY: it signs what Stripe tells.")


# Languages
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("sv", "Svenska")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
USE_TZ = True
TIME_ZONE = "UTC"


# Security
AUTH_USER_MODEL = "members.User"
# A Skype Name is unique without regard to case, which a constraint on lower(skype_name) sees to.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["members.authentication.SkypeNameBackend"]
# A link that was asked for is used within a day, or asked for again.
PASSWORD_RESET_TIMEOUT = 24 * 3600
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Alone, and beside a second factor (decision 10).
SHORTEST_PASSWORD, SHORTEST_PASSWORD_WITH_FACTOR = 15, 8
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "members.authentication.LengthValidator",
        "OPTIONS": {"minimum": SHORTEST_PASSWORD, "with_factor": SHORTEST_PASSWORD_WITH_FACTOR, "maximum": 256},
    },
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("skype_name", "first_name", "last_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
# A session ends when nobody uses it, and at the latest after some hours: fewer for whoever administers something.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=60)
SESSION_HOURS = env.int("SESSION_HOURS", default=24)
ADMIN_SESSION_HOURS = env.int("ADMIN_SESSION_HOURS", default=12)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# For so long after showing who one is, dangerous things are done without asking again.
PROOF_MINUTES = env.int("PROOF_MINUTES", default=15)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
KNOWN_BROWSER_COOKIE_NAME = "__Host-browser" if HTTPS else "browser"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if not LOCAL else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "manifest-src": [CSP.SELF],
}


# Logging
LOGGING = logs.configuration(machine=not LOCAL, level=env.str("LOG_LEVEL", default="INFO"))


# Our own
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="")
if SECURITY_CONTACT and not SECURITY_CONTACT.startswith(("mailto:", "https://", "tel:")):
    raise ImproperlyConfigured("SECURITY_CONTACT must begin with mailto:, https:// or tel:.")
# A worker that was given an address serves its own metrics there.
METRICS_BIND = env.str("METRICS_BIND", default="")
SETUP = env.str("SETUP", default="open" if LOCAL else "first")
if SETUP not in {"open", "first", "operator"}:
    raise ImproperlyConfigured(f"SETUP is {SETUP!r}; it must be 'open', 'first' or 'operator'.")
INVITATION_DAYS = env.int("INVITATION_DAYS", default=14)
LETTERS_PER_DAY = env.int("LETTERS_PER_DAY", default=5_000)
# Of credit, without VAT, in the currency of the organization.
ORDER_LIMIT = env.int("ORDER_LIMIT", default=10_000)
ORDERS_PER_MONTH_LIMIT = env.int("ORDERS_PER_MONTH_LIMIT", default=50_000)
ORDER_DAYS = env.int("ORDER_DAYS", default=30)
# For so long numbers of the stock are held for whoever reserves them.
NUMBER_HOLD_SECONDS = env.int("NUMBER_HOLD_SECONDS", default=600)
if NUMBER_HOLD_SECONDS < 1:
    raise ImproperlyConfigured(f"NUMBER_HOLD_SECONDS is {NUMBER_HOLD_SECONDS}; it must be 1 at least.")
CLOSING_DAYS = env.int("CLOSING_DAYS", default=14)
CARD_MESSAGE_DAYS = env.int("CARD_MESSAGE_DAYS", default=90)
if CARD_MESSAGE_DAYS < 30:
    # So long can a message be sent again, and must be known.
    raise ImproperlyConfigured(f"CARD_MESSAGE_DAYS is {CARD_MESSAGE_DAYS}; it must be 30 at least.")
CREDIT_INACTIVE_DAYS = env.int("CREDIT_INACTIVE_DAYS", default=0)
if CREDIT_INACTIVE_DAYS != 0 and CREDIT_INACTIVE_DAYS <= 7:
    # So long before it a letter has to warn.
    raise ImproperlyConfigured(f"CREDIT_INACTIVE_DAYS is {CREDIT_INACTIVE_DAYS}; it must be 0 or more than 7.")
# The articles of /help/, and what those who run the installation say beside them, in each language that has it.
HELP_FOLDER = BASE_DIR / "help"
HELP_NOTICE = {
    "en": env.str("HELP_NOTICE", default=""),
    "fr": env.str("HELP_NOTICE_FR", default=""),
    "sv": env.str("HELP_NOTICE_SV", default=""),
}
HELP_NOTICE_URL = env.str("HELP_NOTICE_URL", default="")
if HELP_NOTICE_URL and not HELP_NOTICE_URL.startswith(("mailto:", "https://", "http://")):
    raise ImproperlyConfigured("HELP_NOTICE_URL must begin with https://, http:// or mailto:.")
if any(HELP_NOTICE.values()) and not HELP_NOTICE["en"]:
    raise ImproperlyConfigured("HELP_NOTICE must be set beside its translations: it stands where one is missing.")
# A folder in which tests name the place where a process dies (decision 16).
KILL_POINTS = env.str("KILL_POINTS", default="")
if KILL_POINTS and not LOCAL:
    raise ImproperlyConfigured("KILL_POINTS is for tests: it ends processes, and must not be set in production.")
IMPORT_ROW_LIMIT = env.int("IMPORT_ROW_LIMIT", default=100_000)
