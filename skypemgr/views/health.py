from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from redis import Redis, RedisError


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Say that this process answers, without asking anybody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether work can be done: 503 while database or broker do not answer."""
    missing = [
        name for name, answers in {"database": database_answers, "broker": broker_answers}.items() if not answers()
    ]
    text = f"no answer: {', '.join(missing)}\n" if missing else "ok\n"
    return HttpResponse(text, content_type="text/plain", status=503 if missing else 200)


def database_answers() -> bool:
    """Whether the database answers within the limits of a web request."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def broker_answers() -> bool:
    """Whether the broker answers within a second."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as broker:
            return bool(broker.ping())
    except RedisError:
        return False
