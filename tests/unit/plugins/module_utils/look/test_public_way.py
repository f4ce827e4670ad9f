# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a dead host is taken for a wrong DNS record, or a closed port for a hanging feed."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.base._parallel import Finding
from ansible_collections.aurora.runbook.plugins.module_utils.look import _public_way

FINE = Finding("ok")


def broken(link):
    return Finding("failed", {"broken": link}, link)


def certificate(code):
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("found", "links"),
    [
        ({"dns": FINE, "tcp": FINE, "tls": FINE, "http": FINE}, ()),
        ({"dns": Finding("failed", problem="does not resolve")}, ("dns",)),
        ({"dns": Finding("timeout"), "tcp": FINE, "tls": FINE, "http": FINE}, ("dns",)),
        ({"dns": Finding("failed"), "tcp": broken("tcp_timeout")}, ("dns", "tcp_timeout")),
        ({"dns": FINE, "tcp": FINE, "tls": broken("certificate_expired")}, ("certificate_expired",)),
        ({"dns": FINE, "tcp": FINE, "tls": FINE, "http": broken("http_status")}, ("http_status",)),
        # The name leads elsewhere: that is a break where nobody serves it there although this host would.
        ({"dns": FINE, "tcp": FINE, "http": FINE, "by_name": FINE}, ()),
        ({"dns": FINE, "tcp": FINE, "http": FINE, "by_name": broken("tcp_timeout")}, ("dns",)),
        ({"dns": FINE, "tcp": broken("tcp_refused"), "by_name": broken("http_status")}, ("tcp_refused",)),
        ({}, ()),
    ],
)
def test_the_first_broken_link_is_named(found, links):
    assert _public_way.judge(found) == links
    for link in links:
        assert _public_way.finding(found, link).status != "ok"


@pytest.mark.parametrize(
    ("step", "error", "timed_out", "link", "what"),
    [
        ("tcp", ConnectionRefusedError(), False, "tcp_refused", None),
        ("tcp", socket.timeout(), True, "tcp_timeout", None),
        ("tcp", OSError(113, "No route to host"), False, "tcp_unreachable", None),
        ("tls", certificate(10), False, "certificate_expired", "expired"),
        ("tls", certificate(9), False, "tls", "not_yet_valid"),
        ("tls", certificate(62), False, "tls", "wrong_name"),
        ("tls", certificate(19), False, "tls", "untrusted"),
        ("tls", ssl.SSLError("wrong version number"), False, "tls", None),
        ("http", FetchError("x did not answer: timed out"), True, "http_timeout", None),
        ("http", FetchError("x did not answer: reset"), False, "http", None),
    ],
)
def test_an_error_is_told_from_the_others(step, error, timed_out, link, what):
    said = _public_way.fault(step, error, timed_out)
    assert (said["broken"], said.get("certificate")) == (link, what)


@pytest.mark.parametrize("url", ["", "aurora.example.com", "ftp://x", "https://", "https://x:port"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(RunbookError, match="refused"):
        _public_way.target(url, "/healthz")


def test_a_path_is_a_path():
    assert _public_way.target("https://x/", "/healthz") == _public_way.Target("https://x/healthz", "x", 443, True)
    with pytest.raises(RunbookError, match="path"):
        _public_way.target("https://x", "healthz")


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers["Host"])
        self.send_response({"/ok": 200}.get(self.path, 503))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Answer) as serving:
        serving.asked = []
        threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture(autouse=True)
def resolver(monkeypatch) -> None:
    """A resolver that asks nobody: numbers and localhost alone."""
    real = socket.getaddrinfo

    def resolve(name, *arguments, **options):
        if name[0].isdigit() or name == "localhost":
            return real(name, *arguments, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def look(url, path="/ok", address=""):
    return _public_way.look(_public_way.target(url, path), address, 5.0)


def test_a_host_is_asked_at_its_own_address_under_the_public_name(server):
    url = f"http://aurora.invalid:{server.server_port}"
    found = look(url, address="127.0.0.1")
    assert _public_way.judge(found) == ("dns",)  # the name is made to never resolve
    assert {step: finding.status for step, finding in found.items()} == {"dns": "failed", "tcp": "ok", "http": "ok"}
    assert server.asked == [f"aurora.invalid:{server.server_port}"]
    assert list(look(url)) == ["dns"]


def test_an_answer_that_is_not_2xx_is_a_broken_link(server):
    found = look(f"http://localhost:{server.server_port}", "/else")
    assert _public_way.judge(found) == ("http_status",)
    assert found["http"].data["status"] == 503


def test_a_name_that_leads_elsewhere_is_a_finding_of_its_own(server):
    found = look(f"http://127.0.0.1:{server.server_port}", address="127.0.0.2")
    assert found["dns"].data["wrong"] is True
    assert _public_way.judge(found) == ("tcp_refused",)  # there the name is served
    assert found["by_name"].status == "ok"


def test_an_address_that_is_none_is_refused():
    with pytest.raises(RunbookError, match="does not resolve"):
        look("http://localhost:1", address="nobody.invalid")
