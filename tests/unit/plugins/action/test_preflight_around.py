# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, preflight hangs on a service that says nothing, shows a secret, or sends what it must not.

What is asked are real sockets of this machine.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import apprise
import pytest
import requests
from ansible_collections.aurora.runbook.plugins.action import preflight_around
from ansible_collections.aurora.runbook.plugins.module_utils.act import _notify

SECRET = "s3cretT0ken"  # noqa: S105 it is what the tests look for


class Service:
    """A web service that answers by path and keeps what it was asked: method, path, token and body."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.url, self.port = "", 0

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, object]:
        self.asked.append((method, path, token, body))
        return self.answers.get(path.partition("?")[0], (404, {}))


@pytest.fixture
def service() -> Iterator[Service]:
    kept = Service()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, answer = kept.answer(self.command, self.path, token, body)
            self.send_response(status)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815 as http.server wants them

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        kept.port, kept.url = server.server_port, f"http://localhost:{server.server_port}"
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield kept
        server.shutdown()


def asked(**given: object) -> dict:
    plain = {name: spec.get("default") for name, spec in preflight_around.SPEC.items()}
    return {**plain, "hosts": {"aurora1": ["aurora1"]}, "timeout_seconds": 2.0, "language": "en", **given}


def states(checks: list[dict]) -> set[tuple[str, str, str]]:
    return {(one["what"], one["state"], one["why"]["message"].removeprefix("ready_")) for one in checks}


# The webhook


def webhook(service: Service, **given: object) -> set[tuple[str, str, str]]:
    return states(preflight_around.webhook(asked(**given), {}, f"{service.url}/alerts"))


def test_the_webhook_is_never_sent_an_alert(service: Service) -> None:
    def wants_its_token(method: str, path: str, token: str, body: bytes) -> tuple[int, object]:
        service.asked.append((method, path, token, body))
        return 400 if token == SECRET else 401, {}

    service.answer = wants_its_token
    assert webhook(service, webhook_token=SECRET) == {("webhook", "ready", "")}
    assert webhook(service, webhook_token=f"{SECRET}2") == {("webhook", "not_ready", "webhook_refuses")}
    assert webhook(service) == {("webhook", "not_ready", "webhook_no_token")}
    assert {body for _method, _path, _token, body in service.asked} == {b""}


def test_a_webhook_that_says_nothing_is_given_up_and_its_secrets_are_not_shown(silent: int, closed: int) -> None:
    for port in (silent, closed):
        url = f"http://localhost:{port}/{SECRET}"
        checks = preflight_around.webhook(asked(webhook_token=SECRET, timeout_seconds=0.5), {}, url)
        assert states(checks) == {("webhook", "unchecked", "no_webhook")}
        assert SECRET not in repr(checks)


def test_a_certificate_authority_that_is_none_is_said(service: Service) -> None:
    assert webhook(service, webhook_ca="-----BEGIN NONSENSE-----") == {("webhook", "unchecked", "no_webhook")}


# Alertmanager


def test_an_alertmanager_that_does_not_let_us_in_is_not_ready_and_one_that_is_none_is_unchecked(
    service: Service, closed: int
) -> None:
    def look(url: str = "") -> set[tuple[str, str, str]]:
        return states(preflight_around.alertmanager(asked(alertmanager_token=SECRET), {}, url or service.url))

    paths = ("/api/v2/status", "/api/v2/silences", "/api/v2/alerts")
    service.answers = dict.fromkeys(paths, (401, {}))
    assert look() == {("alertmanager", "not_ready", "alertmanager_refuses")}
    service.answers = dict.fromkeys(paths, (500, {}))
    assert look() == {("alertmanager", "unchecked", "no_alertmanager")}
    assert look(f"http://localhost:{closed}") == {("alertmanager", "unchecked", "no_alertmanager")}
    service.answers = dict.fromkeys(paths, (200, []))
    assert {(what, state) for what, state, _why in look()} >= {("alertmanager", "unchecked"), ("route", "unchecked")}
    assert {method for method, *_rest in service.asked} == {"GET"}


# Contacts


def contacts(**given: object) -> list[dict]:
    return preflight_around.contacts(asked(**given), {}, True)


def test_each_contact_is_judged_without_a_message_and_without_its_url(
    service: Service, silent: int, closed: int
) -> None:
    own = {"name": "own", "url": f"json://user:{SECRET}@localhost:{service.port}/{SECRET}"}
    levels = {
        "L1": [own, {"name": "down", "url": f"json://user:{SECRET}@localhost:{closed}/{SECRET}"}],
        "L2": [own, {"name": "hangs", "url": f"json://localhost:{silent}/{SECRET}"}],
        "L3": [{"name": "nonsense", "url": f"nosuchservice://{SECRET}"}, {"name": "empty", "url": ""}],
        "L4": [{"name": "nowhere", "url": f"pagerduty://{SECRET}@{SECRET}"}],
    }
    checks = contacts(contacts=levels, fallback_contacts=[own, {"nme": SECRET}])
    found = {one["about"]: (one["state"], one["why"]["message"].removeprefix("ready_")) for one in checks}
    assert found == {
        "own (L1, L2)": ("ready", "contact_unproven"),
        "down (L1)": ("not_ready", "contact_down"),
        "hangs (L2)": ("unchecked", "contact_some"),
        "nonsense (L3)": ("not_ready", "contact_unreadable"),
        "empty (L3)": ("not_ready", "contact_empty"),
        "nowhere (L4)": ("unchecked", "contact_nowhere"),
        "fallback": ("not_ready", "contact_list"),
    }
    assert {(method, path) for method, path, _token, _body in service.asked} == {("HEAD", "/")}
    assert SECRET not in repr(checks)


def test_a_test_page_is_one_message_to_each_contact_and_says_that_it_is_a_test(service: Service) -> None:
    service.answers = {"/take": (200, {}), "/refuse": (403, {})}
    levels = {
        "L1": [
            {"name": "takes", "url": f"json://localhost:{service.port}/take"},
            {"name": "refuses", "url": f"json://localhost:{service.port}/refuse"},
        ]
    }
    checks = contacts(contacts={**levels, "L2": levels["L1"]}, test_page=True)
    assert {(one["about"], one["state"]) for one in checks} == {
        ("takes (L1, L2)", "ready"),
        ("refuses (L1, L2)", "not_ready"),
    }
    sent = [json.loads(body) for method, _path, _token, body in service.asked if method == "POST"]
    assert [one["title"] for one in sent] == ["TEST: no incident"] * 2


@pytest.fixture
def mail() -> Iterator[Callable[[bytes], int]]:
    """Call it with what a mail server says first; its port."""
    sockets = []

    def serve(greeting: bytes) -> int:
        listening = socket.create_server(("localhost", 0))
        sockets.append(listening)

        def greet() -> None:
            connection, _address = listening.accept()
            with connection:
                connection.sendall(greeting)

        Thread(target=greet, daemon=True).start()
        return listening.getsockname()[1]

    yield serve
    for one in sockets:
        one.close()


@pytest.mark.parametrize(("greeting", "lost"), [(b"220 smtp.example.com\r\n", ""), (b"HTTP/1.1 400\r\n", "mail")])
def test_a_mail_server_is_known_by_its_greeting(mail: Callable, greeting: bytes, lost: str) -> None:
    url = f"mailto://user:{SECRET}@localhost:{mail(greeting)}?smtp=localhost&to=a@example.com"
    (found,) = _notify.reach(apprise, requests, [_notify.Channel("mail", url)], 2.0)
    assert found["problem"] == ""
    assert [lost in why and bool(lost) == bool(why) for why in found["services"].values()] == [True]


# Lists of AWX and EDA


def test_a_list_is_read_to_its_end_and_never_from_elsewhere(service: Service) -> None:
    pages = {"/a": (200, {"results": [1], "next": "/b"}), "/b": (200, {"results": [2], "next": None})}
    service.answers = pages
    assert preflight_around.things(service.url, "/a", SECRET, 2.0, True) == [1, 2]
    assert preflight_around.things(service.url, "/a", SECRET, 2.0, False) == [1]
    assert {token for _method, _path, token, _body in service.asked} == {SECRET}
    service.answers = {"/a": (200, {"results": [1], "next": "https://elsewhere.example.com/"})}
    found = preflight_around.things(service.url, "/a", SECRET, 2.0, True)
    assert found == "the link to its next page leads to another server"
    service.answers = {"/a": (200, {"results": [1], "next": "/a"})}
    assert preflight_around.things(service.url, "/a", SECRET, 2.0, True) == "it has more pages than this version reads"
    for answer in ((401, {}), (200, []), (200, {}), (200, 7), (200, {"results": 7})):
        service.answers = {"/a": answer}
        assert isinstance(preflight_around.things(service.url, "/a", SECRET, 2.0, True), str)
