# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, nobody is told of an incident, or everybody again and again."""

from __future__ import annotations

import json
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from helpers import HOST, module, playbook

ID = "circuit_breaker-20261124T030000Z-0a1b2c3d"
SECRET = "s3cretT0ken"  # noqa: S105 it must not be in any output


@pytest.fixture
def pages():
    """What a contact's web service was sent; its URL is in ``contacts``."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        received.append(f"json://user:{SECRET}@localhost:{server.server_port}/")
        yield received
        server.shutdown()


def escalate(pages):
    """A tick; its run, and the titles of what it sent."""
    url = pages[0]
    contacts = {level: [{"name": f"{level} by mail", "url": url}] for level in ("L1", "L2", "L3", "L4")}
    before = len(pages)
    run = playbook("escalate", "-e", json.dumps({"aurora_contacts": contacts}))
    assert SECRET not in run.output
    return run, [page["title"] for page in pages[before:]]


def opened(age_seconds):
    run = {"id": ID, "run": uuid.uuid4().hex, "severity": "P0", "age_seconds": age_seconds}
    assert not module(HOST, "incident", {"state": "ended", "verdict": "escalated", "incident": run})["failed"]


def test_each_level_that_is_due_is_paged_once(pages):
    opened(age_seconds=7300)  # longer than L3's two hours, shorter than L4's four
    run, titles = escalate(pages)
    assert run.status == 0
    assert [title.split()[1] for title in titles] == ["L1", "L2", "L3"]
    assert all(HOST in title for title in titles)
    again, nothing = escalate(pages)
    assert (again.status, nothing) == (0, [])
    assert any(ID in line and "acknowledged by nobody" in line for line in again.report)
    told = module(HOST, "incident_info", {"id": ID})["incidents"][0]["levels"]
    assert {level: page["state"] for level, page in told.items()} == dict.fromkeys(("L1", "L2", "L3"), "paged")


def test_a_page_that_nobody_took_is_no_page(pages):
    opened(age_seconds=0)
    taken, pages[0] = pages[0], "json://localhost:9/"
    run, titles = escalate(pages)
    assert (run.status != 0, titles) == (True, [])
    assert module(HOST, "incident_info", {"id": ID})["incidents"][0]["levels"]["L1"]["state"] == "paging"
    pages[0] = taken


def test_a_closed_incident_pages_nobody(pages):
    opened(age_seconds=7300)
    assert not module(HOST, "incident", {"state": "closed", "id": ID, "who": "olena", "text": "by hand"})["failed"]
    run, titles = escalate(pages)
    assert (run.status, titles) == (0, [])
    assert run.report == ["no incident is open"]
