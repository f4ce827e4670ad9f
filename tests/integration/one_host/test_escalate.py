# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, nobody is told of an incident, or everybody again and again."""

from __future__ import annotations

import json
import os
import signal
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from helpers import HOST, finish, module, playbook, shell, start_playbook

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


def contacts(pages, before=()):
    """Arguments of a playbook that may page. ``before`` are channels tried first."""
    levels = {level: [*before, {"name": f"{level} by mail", "url": pages[0]}] for level in ("L1", "L2", "L3", "L4")}
    return "-e", json.dumps({"aurora_contacts": levels})


def run_with_contacts(pages, name, *arguments, before=()):
    """A playbook that may page; its run, and the titles of what it sent."""
    sent = len(pages)
    run = playbook(name, *contacts(pages, before), *arguments)
    assert SECRET not in run.output
    return run, [page["title"] for page in pages[sent:]]


def escalate(pages, *arguments):
    return run_with_contacts(pages, "escalate", *arguments)


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
    assert any(ID in line and "nobody" in line for line in again.report)
    told = module(HOST, "incident_info", {"id": ID})["incidents"][0]["levels"]
    assert {level: page["state"] for level, page in told.items()} == dict.fromkeys(("L1", "L2", "L3"), "paged")


LOOKED = "See which pages are due"  # the task after the look


def told(pages):
    """The levels of all pages that were sent, in their order."""
    return sorted(page["title"].split()[1] for page in pages[1:])


@pytest.mark.parametrize("ticks", [2, 3])
def test_ticks_at_once_page_each_level_once(pages, ticks):
    opened(age_seconds=7300)
    at_work = [start_playbook("escalate", *contacts(pages)) for _tick in range(ticks)]
    for process in at_work:
        assert SECRET not in finish(process)
    assert [process.returncode for process in at_work] == [0] * ticks
    assert told(pages) == ["L1", "L2", "L3"]
    levels = module(HOST, "incident_info", {"id": ID})["incidents"][0]["levels"]
    assert {level: page["state"] for level, page in levels.items()} == dict.fromkeys(("L1", "L2", "L3"), "paged")


@pytest.mark.parametrize("workflow", [(), ("-e", "awx_workflow_job_id=7")], ids=["a tick", "of a workflow"])
def test_a_tick_that_looked_before_another_one_paged_pages_nothing_again(pages, workflow):
    """What it looked at is out of date by the time at which it pages."""
    opened(age_seconds=0)
    late = start_playbook("escalate", *contacts(pages), *workflow)
    said = ""
    while LOOKED not in said:
        said = late.stdout.readline()
        assert said, late.stderr.read()
    os.killpg(late.pid, signal.SIGSTOP)
    try:
        run, titles = escalate(pages)
    finally:
        os.killpg(late.pid, signal.SIGCONT)
    assert (run.status, [title.split()[1] for title in titles]) == (0, ["L1"])
    rest = late.stdout.read()
    assert late.wait() == 0, rest
    assert "Ask the record whether it is to be sent" in rest  # it had found the pages due
    assert told(pages) == ["L1"]


def test_a_page_that_nobody_took_is_no_page(pages):
    opened(age_seconds=0)
    taken, pages[0] = pages[0], "json://localhost:9/"
    run, titles = escalate(pages)
    assert (run.status != 0, titles) == (True, [])
    (incident,) = module(HOST, "incident_info", {"id": ID, "entries": True})["incidents"]
    assert incident["levels"]["L1"]["state"] == "paging"
    (paged,) = (entry["data"] for entry in incident["entries"] if entry["what"] == "paged")
    assert (paged["sent"], [one["channel"] for one in paged["failed"]]) == ([], ["L1 by mail"])
    pages[0] = taken


def test_a_remediation_pages_by_itself_and_a_channel_that_is_down_does_not_stop_it(pages, broken):
    broken("breaker_spreads_wide", [HOST])
    down = {"name": "chat that is down", "url": f"json://user:{SECRET}@localhost:9/"}
    quick = ("-e", "aurora_healthy_seconds=1", "-e", "aurora_timeout_seconds=15")
    run, titles = run_with_contacts(pages, "remediate_circuit_breaker", *quick, before=[down])
    assert (run.status != 0, run.verdicts) == (True, {HOST: "approval_needed"})
    assert [title.split()[:3] for title in titles] == [["P0", "L1", "circuit_breaker:"]]
    assert "chat that is down" in run.output
    (incident,) = (one for one in module(HOST, "incident_info", {"days": 1})["incidents"] if one["open"])
    assert incident["levels"]["L1"]["sent"] == ["L1 by mail"]
    assert [channel["channel"] for channel in incident["levels"]["L1"]["failed"]] == ["chat that is down"]


def test_a_host_that_cannot_be_read_is_paged_once(pages, tmp_path, monkeypatch):
    """An incident that is open there alone would be paged to nobody."""
    gone = tmp_path / "gone.json"
    address = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    gone.write_text(json.dumps({"aurora": {"hosts": {"aurora0": address}}}), encoding="ascii")
    for expected in (["L1 aurora0: its record cannot be read"], []):
        run, titles = escalate(pages, "-i", str(gone), "--limit", f"{HOST},aurora0")
        assert (run.status != 0, titles) == (True, expected)
        assert any("aurora0: its record cannot be read" in line for line in run.report)
    monkeypatch.setenv("HOME", str(tmp_path))  # where no host is left, the controller remembers
    for expected in (["L1 aurora0: its record cannot be read"], []):
        run, titles = escalate(pages, "-i", str(gone), "--limit", "aurora0")
        assert (run.status != 0, titles) == (True, expected)


def test_what_cannot_be_read_on_a_host_hides_no_incident(pages):
    """A lease that somebody edited, and a record that is none, kept L2 to L4 of a P0 from everybody."""
    opened(age_seconds=7300)
    other = "sse_availability-20261124T020000Z-00000000"
    odd = f"mkdir -p leases incidents/{other}.jsonl && echo x >leases/override-x.json"
    shell(HOST, f"cd /var/lib/aurora-runbook && {odd}")
    run, titles = escalate(pages)
    assert run.status != 0
    assert [title.split()[1] for title in titles if title.startswith("P0")] == ["L1", "L2", "L3"]
    assert f"L1 {HOST}: its record cannot be read" in titles
    assert any("override-x.json is not a lease" in line and other in line for line in run.report)


def test_a_closed_incident_pages_nobody(pages):
    opened(age_seconds=7300)
    assert not module(HOST, "incident", {"state": "closed", "id": ID, "who": "olena", "text": "by hand"})["failed"]
    run, titles = escalate(pages)
    assert (run.status, titles) == (0, [])
    assert run.report == ["no incident is open"]
