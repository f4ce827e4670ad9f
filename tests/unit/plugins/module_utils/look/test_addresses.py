# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a name that is served counts as down, or a company's own authority as no authority."""

from __future__ import annotations

import errno
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _http
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes, _public_way


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for the name aurora.test that is its own authority, with its key."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=aurora.test", "-addext", "subjectAltName=DNS:aurora.test"]
    subprocess.run([*argv, *names, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def serve(certificate: Path | None = None) -> HTTPServer:
    serving = HTTPServer(("127.0.0.1", 0), Answer)
    serving.asked = []
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        serving.socket = context.wrap_socket(serving.socket, server_side=True)
    threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
    return serving


@pytest.fixture(params=["http", "https"])
def served(request, certificate, monkeypatch) -> Iterator[tuple[str, HTTPServer]]:
    """The URL of a service under the name aurora.test, and the service."""
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    serving = serve(certificate if request.param == "https" else None)
    yield f"{request.param}://aurora.test:{serving.server_port}", serving
    serving.shutdown()
    serving.server_close()


@pytest.fixture
def name(monkeypatch):
    """Lead the name to addresses of the test's choice, and let connections to 127.0.0.9 hang."""

    def leads_to(*addresses):
        def resolve(_name, port, *_arguments, **_options):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    connect = socket.socket.connect

    def maybe(sock, address):
        if address[0] == "127.0.0.9":
            time.sleep(sock.gettimeout())
            raise socket.timeout("timed out")
        return connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", maybe)
    return leads_to


@pytest.mark.parametrize("dead", ["127.0.0.3", "127.0.0.9"], ids=["refuses", "is silent"])
def test_a_name_with_a_dead_address_is_served_by_the_next(served, name, dead):
    url, serving = served
    name(dead, "127.0.0.1")
    answer = _http.fetch(f"{url}/healthz", 1.0)
    assert (answer.status, answer.dead) == (200, (dead,))
    assert answer.seconds < 1.0
    assert serving.asked == [f"aurora.test:{serving.server_port}"]
    assert _probes.healthz(f"{url}/healthz", 1.0)["dead"] == [dead]
    assert _probes.exchange(url, 1.0, None)["dead"] == [dead]
    way = _public_way.look(_public_way.target(url, "/healthz"), "", 1.0)
    assert (_public_way.judge(way), way["tcp"].data["dead"]) == ((), [dead])
    if url.startswith("https"):
        assert _probes.certificate(url, 1.0, _http.tls_context())["dead"] == [dead]


@pytest.fixture
def without_ipv6(monkeypatch):
    """A host that has no way to addresses of IPv6, and one of IPv4 that says no."""

    def connected(family, address, timeout):
        raise OSError(errno.ENETUNREACH, "unreachable") if ":" in address[0] else ConnectionRefusedError("refused")

    monkeypatch.setattr(_http, "_connected", connected)

    def leads_to(*addresses):
        infos = [(0, 0, 0, "", (address, 1)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_rest, **_options: infos)

    return leads_to


@pytest.mark.parametrize(
    "addresses", [("192.0.2.1", "2001:db8::1"), ("2001:db8::1", "192.0.2.1"), ("::1", "127.0.0.1")]
)
def test_a_host_without_ipv6_hears_what_the_other_address_says(without_ipv6, addresses):
    without_ipv6(*addresses)
    with pytest.raises(ConnectionRefusedError):
        _http.connect("aurora.test", 1, 1.0)


def test_what_has_only_addresses_without_a_way_is_unreachable(without_ipv6):
    without_ipv6("2001:db8::1")
    with pytest.raises(OSError, match="unreachable"):
        _http.connect("aurora.test", 1, 1.0)


def test_an_address_without_a_way_is_not_dead(monkeypatch, without_ipv6):
    without_ipv6("2001:db8::1", "192.0.2.1", "127.0.0.1")
    real = _http._connected

    def connected(family, address, timeout):
        return socket.socket() if address[0] == "127.0.0.1" else real(family, address, timeout)

    monkeypatch.setattr(_http, "_connected", connected)
    sock, dead = _http.connect("aurora.test", 1, 1.0)
    sock.close()
    assert dead == ("192.0.2.1",)


def test_all_addresses_together_have_the_time_that_was_given(name):
    name("127.0.0.9", "127.0.0.9", "127.0.0.9", "127.0.0.9")
    started = time.monotonic()
    with pytest.raises(FetchError):
        _http.fetch("http://aurora.test:1/", 0.4)
    assert time.monotonic() - started < 0.8


def test_where_nobody_answers_all_addresses_are_named(name):
    name("127.0.0.3", "127.0.0.4")
    way = _public_way.look(_public_way.target("http://aurora.test:1", "/healthz"), "", 1.0)
    assert _public_way.judge(way) == ("tcp_refused",)
    assert way["tcp"].data["addresses"] == ["127.0.0.3", "127.0.0.4"]


def test_the_first_address_is_asked_alone_where_it_answers(served, name):
    name("127.0.0.1", "127.0.0.9")
    answer = _http.fetch(f"{served[0]}/healthz", 2.0)
    assert (answer.dead, answer.seconds < 1.0) == ((), True)


def as_python_does(url: str) -> bool:
    """Whether Python's own default context trusts a service."""
    host, port = url.removeprefix("https://").split(":")
    with socket.create_connection(("127.0.0.1", int(port)), 2) as plain:
        try:
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
                return True
        except ssl.SSLCertVerificationError:
            return False


@pytest.mark.parametrize(
    ("variables", "trusted"),
    [
        ({"SSL_CERT_FILE": "{file}"}, True),
        ({"SSL_CERT_DIR": "{folder}"}, True),
        ({"SSL_CERT_DIR": "{empty}:{folder}"}, True),
        ({"SSL_CERT_FILE": "{file}", "SSL_CERT_DIR": "{empty}"}, True),
        ({"SSL_CERT_FILE": "{nothing}"}, False),
        ({"SSL_CERT_DIR": "{empty}"}, False),
        ({}, False),
    ],
)
def test_the_authorities_are_those_that_python_trusts(certificate, name, monkeypatch, tmp_path, variables, trusted):
    name("127.0.0.1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / "ca.pem").write_text(Path(f"{certificate}.crt").read_text())
    subprocess.run(["openssl", "rehash", tmp_path / "folder"], check=True, capture_output=True)
    places = {"file": f"{certificate}.crt", "nothing": str(tmp_path / "nothing")}
    places |= {name: str(tmp_path / name) for name in ("folder", "empty")}
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    for variable, text in variables.items():
        monkeypatch.setenv(variable, text.format(**places))
    serving = serve(certificate)
    try:
        url = f"https://aurora.test:{serving.server_port}"
        assert as_python_does(url) is trusted
        way = _public_way.look(_public_way.target(url, "/"), "", 2.0)
        assert (_public_way.judge(way) == ()) is trusted
        contexts = [None, _http.tls_context()]
        for context in contexts:
            if trusted:
                assert _http.fetch(url, 2.0, context=context).status == 200
            else:
                with pytest.raises(FetchError, match="certificate"):
                    _http.fetch(url, 2.0, context=context)
    finally:
        serving.shutdown()
        serving.server_close()
