# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an Alertmanager that behaves badly hangs a remediation, or gets a token that is not its own.

What a real one does is in tests/integration.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.modules import alertmanager_silence

SECRET = "s3cretT0ken"  # noqa: S105 it is what the tests look for
OPTIONS = {
    "state": "present",
    "username": None,
    "password": None,
    "token": None,
    "key": "circuit_breaker-x-1",
    "alert": "CircuitBreakerOpen",
    "hosts": ["aurora1"],
    "ends_seconds": 3600.0,
    "comment": "worked on",
    "created_by": "aurora.runbook",
    "timeout_seconds": 5.0,
}
A_YEAR_AHEAD = "Wed, 24 Nov 2027 18:00:00 GMT"


class Server:
    """Answers each request with what ``answer`` makes of its method; keeps what it was asked."""

    def __init__(self, answer: Callable[[str], tuple[int, dict, bytes]]) -> None:
        self.asked: list[tuple[str, str, dict]] = []
        self.go_on = Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.command, self.headers.get("Authorization", ""), json.loads(body or b"{}")))
                status, headers, text = answer(self.command)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)
                if headers.get("X-Hang"):
                    self.wfile.flush()
                    outer.go_on.wait()

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 the names of http.server

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("localhost", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable]:
    servers = []

    def start(answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def silence(url: str, check_mode: bool = False, **options) -> dict:
    return alertmanager_silence.run({**OPTIONS, "url": url, **options}, check_mode)


def well(method: str) -> tuple[int, dict, bytes]:
    body = b"[]" if method == "GET" else b'{"silenceID": "a-1"}'
    return 200, {"Date": A_YEAR_AHEAD}, body


def test_the_end_is_counted_by_the_clock_of_alertmanager(serve):
    server = serve(well)
    result = silence(server.url)
    assert (result["changed"], result["silence"], result["until"]) == (True, "a-1", "2027-11-24T19:00:00Z")
    assert server.asked[1][2]["endsAt"] == "2027-11-24T19:00:00Z"


def alerts(found):
    """Alertmanager with these instances of the alert, or an answer of its own to the question for them."""
    told = found if isinstance(found, bytes) else json.dumps([{"labels": {"instance": one}} for one in found]).encode()
    gets = []

    def in_turn(method):
        if method == "GET":
            gets.append(method)
            return 200, {"Date": A_YEAR_AHEAD}, b"[]" if len(gets) == 1 else told  # the silences come first
        return well(method)

    return in_turn


@pytest.mark.parametrize(
    ("found", "matched", "message"),
    [
        (["aurora1:9000", "aurora1:8001"], 2, "silenced"),
        (["aurora1:9000"], 1, "silenced"),
        ([], 0, "silence_matches_none"),
        (b"<html>", None, "silence_unknown"),
        (b'{"status": "error"}', None, "silence_unknown"),
    ],
)
def test_it_says_how_many_alerts_it_keeps_quiet_and_claims_nothing_where_that_is_none(serve, found, matched, message):
    server = serve(alerts(found))
    result = silence(server.url)
    assert (result["changed"], result["silence"], result["matched"]) == (True, "a-1", matched)
    assert result["instances"] == (sorted(found) if isinstance(found, list) else [])
    assert result["done"][0]["message"] == message
    counts = [said["values"]["count"] for said in result["done"] if said["message"] == "silence_matches"]
    assert counts == ([matched] if matched else [])


def test_check_mode_asks_and_changes_nothing(serve):
    server = serve(well)
    result = silence(server.url, check_mode=True)
    assert (result["changed"], result["silence"]) == (True, "")
    assert result["done"][0]["message"] == "would_silence"
    assert [method for method, *_rest in server.asked] == ["GET"]


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"token": SECRET}, f"Bearer {SECRET}"),
        ({"username": "u", "password": "п"}, "Basic dTrQvw=="),
        ({}, ""),
    ],
)
def test_credentials_are_sent_as_they_should(serve, options, header, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login other password other\n" if options else "", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(well)
    silence(server.url, **options)
    assert {sent for _method, sent, _body in server.asked} == {header}


def test_a_redirect_does_not_take_the_token_along(serve):
    other = serve(well)
    server = serve(lambda _method: (302, {"Location": f"{other.url}/api/v2/silences"}, b""))
    with pytest.raises(RunbookError, match="redirects are not followed"):
        silence(server.url, token=SECRET)
    assert other.asked == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {}, b"<html>"), "did not answer with JSON"),
        ((200, {}, b'{"silences": []}'), "not a list of silences"),
        ((200, {"Date": "soon"}, b"[]"), "did not answer with JSON"),
        ((401, {}, b"who?"), "check token"),
        ((503, {}, b"not ready\x1b[2J"), r"503 to GET /api/v2/silences: not ready \[2J"),
        ((200, {"X-Hang": "1"}, b"["), "no answer within its limit|timed out"),
    ],
)
def test_a_bad_answer_is_refused_in_words(serve, answer, said):
    server = serve(lambda _method: answer)
    with pytest.raises(RunbookError, match=said):
        silence(server.url, timeout_seconds=1.0)
    assert [method for method, *_rest in server.asked] == ["GET"], "something was changed on a bad answer"


def test_an_endless_answer_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(alertmanager_silence, "MAX_ANSWER", 1000)
    server = serve(lambda _method: (200, {}, b"[" + b" " * 2000 + b"]"))
    with pytest.raises(RunbookError, match="more than 1000 bytes"):
        silence(server.url)


@pytest.mark.parametrize(
    "options",
    [
        {"url": f"http://user:{SECRET}@localhost"},
        {"url": f"ftp://localhost/{SECRET}"},
        {"url": f"http://[{SECRET}"},
        {"token": f"{SECRET}\n"},
        {"ends_seconds": 59.0},
        {"ends_seconds": 86401.0},
        {"ends_seconds": float("nan")},
        {"timeout_seconds": 0.0},
        {"key": "a b"},
        {"created_by": " "},
        {"hosts": [".*"]},
    ],
)
def test_what_is_refused_is_refused_before_anything_is_asked(serve, options):
    server = serve(well)
    with pytest.raises(RunbookError) as refused:
        silence(**{"url": server.url, **options})
    assert SECRET not in str(refused.value)
    assert server.asked == []


def test_the_token_is_in_nothing_that_ansible_says(serve):
    server = serve(lambda _method: (403, {}, f"bad token {SECRET}, Bearer {SECRET}".encode()))
    options = {name: value for name, value in OPTIONS.items() if value is not None}
    asked = json.dumps({**options, "url": server.url, "token": SECRET})
    argv = ["ansible", "localhost", "-i", "localhost,", "-c", "local", "-m", "aurora.runbook.alertmanager_silence"]
    run = subprocess.run(
        [*argv, "-e", "ansible_inject_invocation=true", "-vvv", "-a", asked],
        capture_output=True,
        text=True,
        check=False,
    )
    said = run.stdout[run.stdout.index("localhost | ") :]
    assert "check token" in said
    assert "module_args" in said
    assert SECRET not in said


def test_one_that_ended_meanwhile_is_ended(serve):
    found = {
        "id": "a-1",
        "status": {"state": "active"},
        "comment": f"x [aurora.runbook {OPTIONS['key']}]",
        "createdBy": "aurora.runbook",
        "startsAt": "2027-11-24T17:00:00Z",
        "endsAt": "2027-11-24T19:00:00Z",
        "matchers": [],
    }
    server = serve(lambda method: (200, {}, json.dumps([found]).encode()) if method == "GET" else (404, {}, b""))
    result = silence(server.url, state="absent", alert=None, hosts=None)
    assert (result["changed"], result["ended"], result["until"]) == (True, ["a-1"], "")
    assert result["done"][0]["text"] == "silences of circuit_breaker-x-1 that were ended: 1"
    assert [method for method, *_rest in server.asked] == ["GET", "DELETE"]
