import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from skypemgr.loopback import is_loopback

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")

django_application = get_wsgi_application()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request; in production the client is whom the proxy names, not the proxy itself.

    In local mode, where letters are open to read, nobody is answered who comes from another machine.
    """
    if settings.LOCAL:
        if not is_loopback(environ["REMOTE_ADDR"]):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Local mode answers this machine alone: see docs/settings.md.\n"]
    elif client := environ.get("HTTP_X_REAL_IP"):
        # The proxy sets this header whatever the client sent, and web answers nobody but the proxy.
        environ["REMOTE_ADDR"] = client
    return django_application(environ, start_response)
