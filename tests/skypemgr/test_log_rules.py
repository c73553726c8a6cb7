"""Rules about the code: what may be logged, and that nothing waits for ever."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from skypemgr.logs import FIELDS

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("skypemgr", "members", "credit", "telephony", "reports")
SOURCES = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
# What names a person or opens a door; and the request, whose path and headers do either.
FORBIDDEN = re.compile(
    r"\b(email|mail_address|first_name|last_name|full_name|skype_name|display_name|login|password|token|secret|code"
    r"|path|path_info|get_full_path|META|COOKIES|GET|POST|body|headers|user_agent|REMOTE_ADDR|client_address)\b"
)


def calls(source: str) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def log_calls(source: str) -> Iterator[ast.Call]:
    for call in calls(source):
        is_log = isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS
        if is_log and ast.unparse(call.func.value) in {"logger", "log", "logging"}:
            yield call


def forbidden(source: str) -> list[int]:
    """Lines that log what may not stand in a log."""
    found = []
    for call in log_calls(source):
        extra = [keyword.value for keyword in call.keywords if keyword.arg == "extra"]
        if any(FORBIDDEN.search(ast.unparse(part)) for part in [*call.args[1:], *extra]):
            found.append(call.lineno)
    return found


def unknown_fields(source: str) -> list[str]:
    """Fields of log lines that the schema doesn't know, and would drop."""
    return [
        key.value
        for call in log_calls(source)
        for keyword in call.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict)
        for key in keyword.value.keys
        if isinstance(key, ast.Constant) and key.value not in FIELDS
    ]


PATIENT = {"HTTPConnection", "HTTPSConnection", "urlopen", "create_connection", "SMTP", "SMTP_SSL"}


def endless(source: str) -> list[int]:
    """Lines that wait for another machine without an end."""
    found = []
    for call in calls(source):
        name = ast.unparse(call.func)
        keywords = {keyword.arg for keyword in call.keywords}
        if name.rpartition(".")[2] in PATIENT and "timeout" not in keywords:
            found.append(call.lineno)
        if name == "Redis.from_url" and not {"socket_timeout", "socket_connect_timeout"} <= keywords:
            found.append(call.lineno)
        if name.partition(".")[0] in {"requests", "httpx", "urllib3"}:
            found.append(call.lineno)
    return found


def places(wrong) -> list[str]:
    return [f"{path.relative_to(ROOT)}: {found}" for path in SOURCES for found in wrong(path.read_text())]


def test_there_is_something_to_look_at() -> None:
    assert sum(len(list(log_calls(path.read_text()))) for path in SOURCES) >= 10


def test_nobody_is_named_in_a_log() -> None:
    assert places(forbidden) == []


def test_every_field_of_a_log_line_is_in_the_schema() -> None:
    assert places(unknown_fields) == []


def test_nothing_waits_for_another_machine_for_ever() -> None:
    assert places(endless) == []


def test_what_breaks_these_rules_is_found() -> None:
    assert forbidden("logger.info('x %s', member.email)") == [1]
    assert forbidden("logger.info('x', extra={'count': len(request.POST)})") == [1]
    assert unknown_fields("logger.info('x', extra={'colour': 1})") == ["colour"]
    assert endless("http.client.HTTPConnection('x')") == [1]
    assert endless("requests.get('x', timeout=1)") == [1]
    assert endless("Redis.from_url(url, socket_timeout=1)") == [1]
    assert forbidden("logger.info('x %s', member.pk)") == []


def test_nothing_is_printed() -> None:
    printing = [f"{path.relative_to(ROOT)}:{call.lineno}" for path in SOURCES for call in calls(path.read_text())
                if ast.unparse(call.func) in {"print", "pprint.pprint"}]  # fmt: skip

    assert printing == []
