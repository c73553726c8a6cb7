"""What the processes write to their logs: one JSON object for each line in production, plain lines locally.

A line never says who somebody is. People and organizations stand in it by id, pages by the name of their route;
what other libraries would say about a request (addresses, paths, values in the text of an error) is left out.
"""

import json
import logging
import re
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

from skypemgr.characters import printable

type Event = MutableMapping[str, Any]

# What `extra` may bring along, in the order of every line; anything else is dropped.
FIELDS = (
    "method",
    "route",
    "status",
    "seconds",
    "user",
    "organization",
    "request_id",
    "task",
    "task_id",
    "outcome",
    "scope",
    "reason",
    "letter",
    "batch",
    "job",
    "count",
    "seal",
    "sealed",
    "hash",
)
OURS = ("skypemgr", "members", "credit", "telephony", "reports")
# They say names of tasks, of signals and of our own servers.
TRUSTED = ("celery.beat", "celery.apps", "celery.bootsteps", "celery.worker.consumer", "celery.pool")
# We say the same in lines of our own, without what was asked for.
SILENT = ("django.request", "django.server", "celery.app.trace", "celery.worker.strategy", "celery.worker.request")

ADDRESS = re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;:]+")
CLIENT = re.compile(r"\bip=\S+")
TOKEN = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}\b")
SIGNAL = re.compile(r"SIG[A-Z0-9]+")
# Errors whose text speaks of servers and files, never of people.
TELLING = ("ConnectionError", "TimeoutError", "ImproperlyConfigured", "ImportError", "OperationalError", "PoolTimeout")


def configuration(*, machine: bool, level: str) -> dict[str, Any]:
    """The configuration of Python's logging: every library writes the same way, to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "machine": machine}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line"},
            # A logger without any handler would write to standard error by itself.
            "nowhere": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"handlers": ["nowhere"], "propagate": False} for name in SILENT},
            # Both bring handlers of their own.
            "django": {"handlers": [], "propagate": True},
            "gunicorn.error": {"handlers": [], "propagate": True},
            # A pool tells of each connection, and of the request that lacked one we tell ourselves.
            "psycopg.pool": {"level": "ERROR"},
            # It would write down which passkey was used.
            "fido2": {"level": "WARNING"},
            # It tells of each step on the way to a PDF.
            "weasyprint": {"level": "WARNING"},
        },
    }


def formatter(*, machine: bool) -> ProcessorFormatter:
    """What makes a line out of a record."""
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            add_log_level,
            add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            ExtraAdder(allow=FIELDS),
        ],
        processors=[_discreet, _as_json] if machine else [_as_text],
        pass_foreign_args=True,
    )


def bind(**fields: object) -> None:
    """Let every further line of this request or task carry these fields."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**fields)


def unbind() -> None:
    """Forget the fields of a request or task that is over."""
    structlog.contextvars.clear_contextvars()


def bound(field: str) -> Any:
    """What a field was bound to, or None."""
    return structlog.contextvars.get_contextvars().get(field)


# For machines


def _discreet(logger: object, method: str, event: Event) -> Event:
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog", None)
    args = event.pop("positional_args", None)
    if record.name.startswith("django.security."):
        event["event"] = f"A suspicious request was refused ({record.name.rpartition('.')[2]})."
    elif record.name.partition(".")[0] in OURS:
        event["event"] = _scrubbed(str(event["event"]))
    elif not _is_trusted(record):
        event["event"] = _scrubbed(_said_without_values(record, args))
    error = event.pop("exc_info", None)
    if error and error[1] is not None:
        event["errors"], event["frames"] = told_error(error[1])
    return event


def _is_trusted(record: logging.LogRecord) -> bool:
    # What gunicorn says when nothing is wrong is where it listens; what it warns of quotes requests.
    return record.name.startswith(TRUSTED) or (record.name == "gunicorn.error" and record.levelno <= logging.INFO)


def _scrubbed(text: str) -> str:
    return CLIENT.sub("", TOKEN.sub("[…]", ADDRESS.sub("[address]", text)))


def _said_without_values(record: logging.LogRecord, args: Any) -> str:
    def known(value: object) -> object:
        harmless = isinstance(value, int | float) or (isinstance(value, str) and SIGNAL.fullmatch(value))
        return value if harmless else "[…]"

    template = str(record.msg)
    if not args:
        return template
    try:
        if isinstance(args, Mapping):
            return template % {name: known(value) for name, value in args.items()}
        return template % tuple(known(value) for value in args)
    except (TypeError, ValueError):
        return template


def told_error(error: BaseException) -> tuple[list[dict[str, str]], list[str]]:
    """An error with what caused it, and where it was raised: kinds and places, no values of a request."""
    kinds: list[dict[str, str]] = []
    seen: BaseException | None = error
    while seen is not None and len(kinds) < 6:
        kinds.append(_told_kind(seen))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    frames = [
        f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    return kinds, frames[-20:]


def _told_kind(error: BaseException) -> dict[str, str]:
    told = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    facts = getattr(error, "diag", None)
    # The text of a database error may quote a row.
    told |= {
        name: value for name in ("sqlstate", "constraint_name", "table_name") if (value := getattr(facts, name, None))
    }
    if isinstance(error, OSError) and error.strerror:
        told["text"] = error.strerror
    elif any(kind.__name__ in TELLING for kind in type(error).__mro__) and not told.keys() & {"sqlstate"}:
        told["text"] = ADDRESS.sub("[address]", str(error))[:300]
    return told


def _short(path: str) -> str:
    return path.rpartition("site-packages/")[2] if "site-packages/" in path else "/".join(path.split("/")[-3:])


def _as_json(logger: object, method: str, event: Event) -> str:
    # ASCII alone: no line can be broken, nor a terminal be told anything.
    return json.dumps(event, default=str)


# For people


def _as_text(logger: object, method: str, event: Event) -> str:
    for name in ("_record", "_from_structlog", "positional_args"):
        event.pop(name, None)
    error = event.pop("exc_info", None)
    said = f"{event.pop('at')[:19]} {event.pop('level').upper():7} {event.pop('logger')} {event.pop('event')}"
    fields = "".join(f" {name}={value}" for name, value in event.items())
    line = printable(said + fields)
    if error and error[1] is not None:
        line += "\n" + "\n".join(map(printable, "".join(traceback.format_exception(error[1])).splitlines()))
    return line
