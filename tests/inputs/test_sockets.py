"""What only a socket shows: requests that no client library would send, to the web server as it runs everywhere.

Each is answered with a refusal or closed, and the next person is served as if nothing had happened.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.site import Site, collect_static_files, running_site

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /healthz HTTP/1.1\r\n"
POST = b"POST /theme/ HTTP/1.1\r\n" + HOST
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"

# 501: a coding the server does not know.
REFUSALS = {*range(400, 500), 501}
REFUSED: dict[str, bytes] = {
    "a length and a coding": POST + FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + FORM + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nx=yyyy",
    "two lengths in one": POST + FORM + b"Content-Length: 5, 6\r\n\r\nx=yyyy",
    "a negative length": POST + FORM + b"Content-Length: -1\r\n\r\n",
    "a length with a sign": POST + FORM + b"Content-Length: +5\r\n\r\nx=yyy",
    "a length in hex": POST + FORM + b"Content-Length: 0x5\r\n\r\nx=yyy",
    "a length with a line": POST + FORM + b"Content-Length: 1_0\r\n\r\nx=yyyyyyyy",
    "an unknown coding": POST + FORM + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding twice": POST + FORM + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a coding that is not last": POST + FORM + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a coding before a tab": POST + FORM + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": POST + FORM + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx=y\r\n0\r\n\r\n",
    "a chunk of negative size": POST + FORM + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
    "folded headers": GET + HOST + b"X-A: b\r\n c\r\n\r\n",
    "a space before the colon": GET + HOST + b"X-A : b\r\n\r\n",
    "a header without a name": GET + HOST + b": b\r\n\r\n",
    "a header without a colon": GET + HOST + b"X-A\r\n\r\n",
    "NUL in a header": GET + HOST + b"X-A: a\0b\r\n\r\n",
    "NUL in a name": GET + HOST + b"X\0A: b\r\n\r\n",
    "a bare CR in a header": GET + HOST + b"X-A: a\rb\r\n\r\n",
    "NUL in the line": b"GET /health\0z HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "an unknown version": b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
    "no method": b" /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method of signs": b"G(T /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n",
    "a long line": b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long header": GET + HOST + b"X-A: " + b"x" * 20_000 + b"\r\n\r\n",
    "a cookie of 16 kB": b"GET /me/ HTTP/1.1\r\n" + HOST + b"Cookie: session=" + b"x" * 16_000 + b"\r\n\r\n",
    "many headers": GET + HOST + b"".join(b"X-%d: x\r\n" % number for number in range(500)) + b"\r\n",
    "two hosts": b"GET /me/ HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "another host": b"GET /me/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "another host in an absolute form": b"GET http://evil.example/me/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "ten gigabytes, declared": POST + FORM + b"Content-Length: 10000000000\r\n\r\nx=y",
    "ten gigabytes of a file, declared": POST
    + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000000\r\n\r\n--b\r\n",
    "no form": POST + b"Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nx=y",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}
SERVED: dict[str, bytes] = {
    "a trace": b"TRACE /theme/ HTTP/1.1\r\n" + HOST + b"X-Secret: s3cret\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n",
    "the old version": b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
    "an absolute form": b"GET http://127.0.0.1/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "two slashes": b"GET //evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "nothing but slashes": b"GET ////////// HTTP/1.1\r\n" + HOST + b"\r\n",
    "a crowd of cookies": b"GET /me/ HTTP/1.1\r\n"
    + HOST
    + b"Cookie: "
    + b"; ".join(b"c%d=x" % number for number in range(100))
    + b"\r\n\r\n",
    "a thousand ranges": GET + HOST + b"Range: bytes=" + b",".join([b"0-"] * 1_000) + b"\r\n\r\n",
    "raw bytes in a path": b"GET /\xff\xfe\x80/ HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(collect_static_files(Path(tmp_path_factory.mktemp("static")))) as site:
        yield site


def connected(site: Site, *, seconds: float = 10) -> socket.socket:
    address = urlsplit(site.url)
    assert address.port is not None
    return socket.create_connection(("127.0.0.1", address.port), timeout=seconds)


def answer_to(site: Site, request: bytes) -> bytes:
    """Everything the server says to ``request`` before it closes, or falls silent with the request answered."""
    with closing(connected(site, seconds=3)) as client:
        client.sendall(request)
        said = b""
        try:
            while piece := client.recv(65_536):
                said += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return said


def status_of(said: bytes) -> int:
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/") else 0


def is_well(site: Site) -> bool:
    return status_of(answer_to(site, GET + HOST + b"Connection: close\r\n\r\n")) == 200


def closing_request(request: bytes) -> bytes:
    head, gap, body = request.partition(b"\r\n\r\n")
    return head + b"\r\nConnection: close" + gap + body if gap else request


@pytest.mark.django_db(transaction=True)
def test_what_could_be_read_in_two_ways_is_refused_or_closed(web: Site) -> None:
    wrong = []
    for label, request in REFUSED.items():
        said = answer_to(web, closing_request(request))
        # One answer, since a second one would be to a request that was smuggled in.
        if not (said == b"" or status_of(said) in REFUSALS) or said.count(b"HTTP/1.1 ") > 1:
            wrong.append(f"{label}: {said[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert is_well(web)


@pytest.mark.django_db(transaction=True)
def test_what_is_only_unusual_is_answered_without_a_fault(web: Site) -> None:
    wrong = []
    for label, request in SERVED.items():
        said = answer_to(web, closing_request(request))
        away = b"\nLocation: //" in said.replace(b"\r", b"") or b"Location: http://evil" in said
        if not (said == b"" or 200 <= status_of(said) < 500) or away or b"s3cret" in said:
            wrong.append(f"{label}: {said[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert is_well(web)


@pytest.mark.django_db(transaction=True)
def test_what_our_pages_refuse_carries_their_headers_over_the_wire(web: Site) -> None:
    for request, status in (
        (REFUSED["ten gigabytes, declared"], 413),
        (REFUSED["no form"], 415),
        (REFUSED["another host"], 400),
        (SERVED["a trace"], 405),
        (b"GET /%00/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /nowhere/at/all/ HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    ):
        said = answer_to(web, closing_request(request))
        assert status_of(said) in (status, 302), said[:300]
        head = said.partition(b"\r\n\r\n")[0].lower()
        for header in (b"content-security-policy:", b"x-content-type-options: nosniff", b"cache-control:"):
            assert header in head, (request[:60], header)


@pytest.mark.django_db(transaction=True)
def test_what_the_server_itself_refuses_carries_them_too_and_quotes_nothing(web: Site) -> None:
    secret = b"s3cret"
    for request, status in (
        (b"G(" + secret + b" / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (GET + HOST + secret + b"\r\n\r\n", 400),
        (b"GET /" + secret * 2_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (REFUSED["an unknown coding"].replace(b"xchunked", secret), 501),
    ):
        said = answer_to(web, request)
        assert status_of(said) == status, said[:300]
        head, _gap, body = said.partition(b"\r\n\r\n")
        for header in (
            b"content-security-policy: default-src 'none';",
            b"x-content-type-options: nosniff",
            b"x-frame-options: deny",
            b"referrer-policy: same-origin",
            b"cross-origin-opener-policy: same-origin",
            b"cache-control: private, no-store",
            b"x-request-id:",
            b"content-length: %d" % len(body),
        ):
            assert header in head.lower(), (request[:60], header)
        assert secret not in said


@pytest.mark.django_db(transaction=True)
def test_bodies_that_end_too_soon_or_never_take_nobodys_place(web: Site) -> None:
    begun = POST + FORM + b"Content-Length: 1000\r\n\r\n"
    slow = [connected(web), connected(web)]
    try:
        for client in slow:
            client.sendall(begun + b"x")
        time.sleep(0.2)
        assert is_well(web)
        for client in slow:
            client.sendall(b"y")
        assert is_well(web)
    finally:
        for client in slow:
            client.close()
    # Cut off: there is nobody to answer, and nothing goes wrong.
    assert is_well(web)
    assert "Internal Server Error" not in web.log(), web.log()[-3_000:]
