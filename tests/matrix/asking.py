"""Asking for pages without a browser between: what came back, what was written, and nothing of it kept."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import connection, transaction
from django.test import RequestFactory

OURS = ("members", "credit", "telephony", "reports")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
# That somebody was here, and how often something was tried, is no change of anything.
NOTED = {"django_session", "members_usersession", "members_throttle"}
# A hundred thousand rows that came with the migrations.
LOADED = {"telephony_postcode"}
_WRITE = re.compile(
    r'\s*(?:WITH\b.*?)?\b(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|TRUNCATE|COPY)\s+(?!OF\b)"?(\w+)', re.DOTALL
)
_OF_ONE_ANSWER = {"Content-Length", "X-Request-ID"}
_TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")\w+')


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def is_html(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")

    def without(self, path: str) -> str:
        """Everything a reader could compare, but for the path that was asked for, and what is different each time."""
        heads = [f"{name}: {value}" for name, value in sorted(self.headers.items()) if name not in _OF_ONE_ANSWER]
        return _TOKEN.sub(r"\1", "\n".join([str(self.status), *heads, self.body])).replace(path, "")


class Asker:
    """The product as the web server calls it, middleware and all."""

    def __init__(self) -> None:
        self.handler = BaseHandler()
        self.handler.load_middleware()
        self.factory = RequestFactory()

    def ask(
        self,
        method: str,
        path: str,
        *,
        session: str = "",
        data: Mapping[str, Any] | None = None,
        check_csrf: bool = False,
        language: str = "",
    ) -> Answer:
        """The answer to one request; ``data`` are the fields of a form."""
        request = self.factory.post(path, data or {}) if method == "POST" else self.factory.generic(method, path)
        if session:
            request.COOKIES[settings.SESSION_COOKIE_NAME] = session
        if language:
            request.META["HTTP_ACCEPT_LANGUAGE"] = language
        request._dont_enforce_csrf_checks = not check_csrf
        response = self.handler.get_response(request)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        return Answer(response.status_code, dict(response.headers), content.decode(errors="replace"))


@contextmanager
def rolled_back() -> Iterator[None]:
    """A place to change things in; afterwards nothing has happened."""
    block = transaction.atomic()
    # As Django's own test cases mark theirs: services, which refuse to be nested, may begin inside.
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


@contextmanager
def written() -> Iterator[list[str]]:
    """The tables that a block writes to, in order, whether or not any row was found there."""
    tables: list[str] = []

    def note(execute, sql, params, many, context):
        if (found := _WRITE.match(sql)) and found[1] not in NOTED:
            tables.append(found[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield tables


def rows() -> dict[tuple[str, str], dict[str, Any]]:
    """Every row of our apps by its table and key, but for what was loaded."""
    found = {}
    with connection.cursor() as cursor:
        for model in (model for app in OURS for model in apps.get_app_config(app).get_models()):
            if model._meta.db_table not in NOTED | LOADED:
                query, params = model._base_manager.all().query.sql_with_params()
                cursor.execute(f"SELECT row_to_json(t)::text FROM ({query}) AS t", params)  # noqa: S608
                for (text,) in cursor.fetchall():
                    row = json.loads(text)
                    key = "/".join(str(row[field.column]) for field in model._meta.pk_fields)
                    found[model._meta.db_table, key] = row
    return found
