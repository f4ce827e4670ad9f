# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request with limits, made with the standard library's light client. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, NoAnswerError

MAX_BODY = 4 << 20
NO_WAY = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # this host has no route to addresses of a kind
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Response:
    """Status, lower-case headers and body of an answer, how long it took, and the addresses that did not answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    dead: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def connect(host: str, port: int, timeout: float) -> tuple[socket.socket, tuple[str, ...]]:
    """A connection to the first address of a name that takes one, and the addresses before it that are dead.

    All addresses together have ``timeout`` seconds, in equal shares of what is left, so that a dead one leaves time for
    the next. Raises the OSError of the last one, but prefers one that is not only due to a missing route from this
    host.
    """
    deadline = time.monotonic() + timeout
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = list(dict.fromkeys((family, address) for family, _type, _protocol, _name, address in infos))
    failed: dict[str, OSError] = {}
    for index, (family, address) in enumerate(found):
        share = max(0.001, (deadline - time.monotonic()) / (len(found) - index))
        try:
            sock = _connected(family, address, share)
        except OSError as error:
            failed[address[0]] = error
        else:
            sock.settimeout(timeout)
            return sock, tuple(name for name, error in failed.items() if _is_dead(name, error))
    telling = [error for name, error in failed.items() if _is_dead(name, error)]
    raise [OSError(f"{host} has no address"), *failed.values(), *telling][-1]


def _connected(family: int, address: tuple, timeout: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def _is_dead(address: str, error: OSError) -> bool:
    """Whether the address is at fault: not if this host has no IPv6, and not if a service listens only on 127.0.0.1."""
    return error.errno not in NO_WAY and address != "::1"


def fetch(
    url: str,
    timeout: float,
    headers: dict[str, str] | None = None,
    context: ssl.SSLContext | None = None,
    sock: socket.socket | None = None,
    method: str = "GET",
) -> Response:
    """GET url, following no redirect, within timeout seconds and MAX_BODY bytes. Raises FetchError.

    After the request was sent, the error is a NoAnswerError, also for an answer that is cut.

    ``sock`` is an existing connection, already secured if the URL is https. Other methods are sent without a body.
    """
    try:
        target = urlsplit(url)
        host, port = target.hostname, target.port
    except ValueError as error:
        raise FetchError(f"{url!r} is not a URL: {error}") from None
    if target.scheme not in ("http", "https") or not host:
        raise FetchError(f"{url!r} is not an http:// or https:// URL")
    started = time.monotonic()
    connection = http.client.HTTPConnection(host, port or PORTS[target.scheme], timeout=timeout)
    connection.default_port = PORTS[target.scheme]  # otherwise the header Host would name the port
    connection.response_class = _Answer
    guard, error_of, dead = None, FetchError, ()
    try:
        connection.sock = sock
        if not sock:
            connection.sock, dead = connect(host, connection.port, timeout)
            if target.scheme == "https":
                connection.sock = (context or tls_context()).wrap_socket(connection.sock, server_hostname=host)
        # The socket's own timeout restarts with each byte, so a slow sender is cut off when its time is up.
        left = max(0.0, started + timeout - time.monotonic())
        guard = threading.Timer(left, _cut, [connection.sock])
        guard.daemon = True
        guard.start()
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        error_of = NoAnswerError
        connection.request(method, path, headers={"User-Agent": "aurora.runbook", **(headers or {})})
        answer = connection.getresponse()
        body = _read(answer, url)
        seconds = time.monotonic() - started
        if seconds > timeout:
            raise NoAnswerError(f"{url} was still sending its answer after {timeout:g} s")
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body, seconds, dead)
    except OSError as error:
        raise error_of(f"{url} did not answer: {_why(error, guard, started + timeout)}") from error
    except (http.client.HTTPException, ValueError) as error:
        raise error_of(f"{url} did not answer: {_why(error, guard, started + timeout)}") from None
    finally:
        if guard:
            guard.cancel()
        connection.close()


def _why(error: Exception, guard: threading.Timer | None, deadline: float) -> str:
    """What went wrong. A connection that our own guard cut has timed out, whatever the error looks like."""
    late = guard is not None and time.monotonic() >= deadline
    return "timed out" if late else str(error) or type(error).__name__


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def tls_context() -> ssl.SSLContext:
    """Verify against the authorities that Python trusts, including those in SSL_CERT_FILE or SSL_CERT_DIR.

    If all of them are in a directory, they are looked up there as needed, because reading them all costs 60 ms of CPU.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and paths.capath and any(name.endswith(".0") for name in os.listdir(paths.capath)):
        context.load_verify_locations(capath=paths.capath)
    else:
        context.load_default_certs()
    return context


def fetch_page(url: str, timeout: float = 5.0) -> str:
    """The text at a URL that answers 2xx. Raises FetchError."""
    return _answered(url, timeout).text


def fetch_metrics(url: str, timeout: float = 5.0, headers: dict[str, str] | None = None) -> str:
    """A metrics page. Raises FetchError, also for a page that was cut.

    Every line of the text format ends with a newline, and OpenMetrics ends with ``# EOF``. If a server sends neither a
    length nor chunks (HTTP/1.0), only this shows that a page is complete.
    """
    answer = _answered(url, timeout, headers)
    text = answer.text
    last = text[text.rfind("\n", 0, -1) + 1 :]
    openmetrics = "openmetrics" in answer.headers.get("content-type", "").lower()
    if last.rstrip("\n") != "# EOF" and (openmetrics or not last.endswith("\n")):
        raise NoAnswerError(f"{url} did not answer: its page was cut off")
    return text


def _answered(url: str, timeout: float, headers: dict[str, str] | None = None) -> Response:
    answer = fetch(url, timeout, headers)
    if not answer.ok:
        raise FetchError(f"{url} answered {answer.status}")
    return answer


class _Lines(io.BufferedReader):
    """The lines that a server sends. An unfinished line is an error, not the end of the headers as in http.client."""

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if not line:
            raise http.client.RemoteDisconnected("Remote end closed connection before its answer was whole")
        if not line.endswith(b"\n"):
            raise http.client.IncompleteRead(line)
        return line


class _Answer(http.client.HTTPResponse):
    """An answer whose status, headers and chunk sizes are complete."""

    def __init__(self, *arguments: object, **options: object):
        super().__init__(*arguments, **options)
        self.fp = _Lines(self.fp.detach())


def _read(answer: http.client.HTTPResponse, url: str) -> bytes:
    """Read a whole body in pieces, so that an endless one cannot fill our memory.

    read1() does not notice a body that is shorter than its Content-Length.
    """
    length, pieces, size = answer.length, [], 0
    while size != length:
        piece = answer.read1(65536 if length is None else min(65536, length - size))
        if not piece and length is not None:
            raise http.client.IncompleteRead(b"", length - size)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            raise NoAnswerError(f"{url} sent more than {MAX_BODY} bytes")
    return b"".join(pieces)
