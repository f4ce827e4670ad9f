# SPDX-License-Identifier: GPL-3.0-or-later
"""The path from a client to Aurora, link by link: name, connection, certificate, answer. Private to aurora.runbook.

Source: runbook 1, "Тріаж кроки" 1 and 3 and "Можливі причини".
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils.base import _http, _parallel
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.base._parallel import Finding

STEPS = ("tcp", "tls", "http")
# OpenSSL's reasons for refusing a certificate.
CERTIFICATE_FAULTS = {9: "not_yet_valid", 10: "expired", 62: "wrong_name", 64: "wrong_name"}


@dataclass(frozen=True)
class Target:
    """What clients request, and where they connect to for it."""

    url: str
    host: str
    port: int
    secure: bool


def target(url: str, path: str) -> Target:
    """The target of a base URL and a path. Raises RunbookError for an invalid URL or path."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RunbookError(f"url={url!r} is refused: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise RunbookError(f"url={url!r} is refused; expected http://NAME or https://NAME")
    if not path.startswith("/"):
        raise RunbookError(f"path={path!r} is refused; expected one that begins with /")
    secure = parts.scheme == "https"
    return Target(url.rstrip("/") + path, host, port or (443 if secure else 80), secure)


def look(way: Target, address: str, timeout: float) -> dict[str, Finding]:
    """Go to ``address`` ("": where the name leads), step by step until one fails; each has ``timeout`` seconds.

    ``dns`` is judged separately. If the name leads somewhere else, ``by_name`` tells whether clients are served there.
    """
    names = {"dns": way.host, **({"address": address} if address else {})}
    resolved = _parallel.run_all({step: (lambda name=name: _resolve(name), timeout) for step, name in names.items()})
    found = {"dns": resolved["dns"]}
    named = found["dns"].data.get("addresses", [])
    if not address:
        return {**found, **(_tried(_walk(way, way.host, timeout), named) if named else {})}
    expected = resolved["address"].data.get("addresses")
    if not expected:
        raise RunbookError(f"address={address!r} does not resolve: {resolved['address'].problem}")
    found.update(_tried(_walk(way, address, timeout), expected))
    if named:
        found["dns"].data["wrong"] = not set(named) & set(expected)
        if found["dns"].data["wrong"]:
            found["by_name"] = list(_walk(way, way.host, timeout).values())[-1]
    return found


def judge(found: Mapping[str, Finding]) -> tuple[str, ...]:
    """The broken links, the first one first; none if clients are served.

    A name that leads somewhere else is a broken link only if nobody serves it there although this host would.
    """
    links = [] if "dns" not in found or found["dns"].status == "ok" else ["dns"]
    links += [found[step].data["broken"] for step in STEPS if step in found and found[step].status != "ok"]
    if not links and "by_name" in found and found["by_name"].status != "ok":
        links.append("dns")
    return tuple(links)


def finding(found: Mapping[str, Finding], link: str) -> Finding:
    """The finding behind a broken link."""
    if link == "dns":
        return found["dns"] if found["dns"].status != "ok" else found["by_name"]
    return next(found[step] for step in STEPS if step in found and found[step].data.get("broken") == link)


def _resolve(name: str) -> dict:
    try:
        return {"addresses": sorted({info[4][0] for info in socket.getaddrinfo(name, None)})}
    except (OSError, UnicodeError) as error:
        raise RunbookError(f"{name} does not resolve: {getattr(error, 'strerror', '') or error}") from None


def _tried(walked: dict[str, Finding], addresses: list[str]) -> dict[str, Finding]:
    """If nobody took a connection, the addresses that were tried."""
    if walked["tcp"].status != "ok":
        walked["tcp"].data["addresses"] = addresses
    return walked


def _walk(way: Target, to: str, timeout: float) -> dict[str, Finding]:
    """Connect, negotiate TLS and send the request, in this order; the last finding is the first that failed."""
    found: dict[str, Finding] = {}
    step, started = "tcp", time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            sock, dead = _http.connect(to, way.port, timeout)
            sock = stack.enter_context(sock)
            taken = {"address": sock.getpeername()[0], "port": way.port}
            found[step] = _ok({**taken, **({"dead": list(dead)} if dead else {})}, started)
            if way.secure:
                step, started = "tls", time.monotonic()
                secured = _http.tls_context().wrap_socket(sock, server_hostname=way.host)
                sock = stack.enter_context(secured)
                found[step] = _ok({"days_left": _days_left(secured)}, started)
            step, started = "http", time.monotonic()
            answer = _http.fetch(way.url, timeout, sock=sock)
            found[step] = _ok({"status": answer.status}, started)
            if not answer.ok:
                data = {"status": answer.status, "broken": "http_status"}
                found[step] = Finding("failed", data, f"{way.url} answered {answer.status}", found[step].seconds)
        except (OSError, FetchError) as error:
            seconds = round(time.monotonic() - started, 3)
            data = {**fault(step, error, seconds >= timeout), **({"port": way.port} if step == "tcp" else {})}
            problem = getattr(error, "verify_message", "") or str(error) or type(error).__name__
            found[step] = Finding("failed", data, problem, seconds)
    return found


def fault(step: str, error: Exception, timed_out: bool) -> dict[str, str]:
    """Which link an error of a step means: connection refused or unanswered, or what is wrong with a certificate."""
    if step == "tcp":
        refused = isinstance(error, ConnectionRefusedError)
        slow = timed_out or isinstance(error, socket.timeout)  # it is no TimeoutError before Python 3.10
        return {"broken": "tcp_refused" if refused else "tcp_timeout" if slow else "tcp_unreachable"}
    if step == "http":
        return {"broken": "http_timeout" if timed_out else "http"}
    if not isinstance(error, ssl.SSLCertVerificationError):
        return {"broken": "tls"}
    what = CERTIFICATE_FAULTS.get(error.verify_code, "untrusted")
    return {"broken": "certificate_expired" if what == "expired" else "tls", "certificate": what}


def _days_left(secured: ssl.SSLSocket) -> float:
    return round((ssl.cert_time_to_seconds(secured.getpeercert()["notAfter"]) - time.time()) / 86400, 1)


def _ok(data: dict, started: float) -> Finding:
    return Finding("ok", data, "", round(time.monotonic() - started, 3))
