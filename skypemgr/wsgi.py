import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")

django_application = get_wsgi_application()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request; in production the client is whom the proxy names, not the proxy itself."""
    # The proxy sets this header whatever the client sent, and web answers nobody but the proxy.
    if not settings.LOCAL and (client := environ.get("HTTP_X_REAL_IP")):
        environ["REMOTE_ADDR"] = client
    return django_application(environ, start_response)
