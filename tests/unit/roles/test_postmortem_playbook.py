# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an engineer gets no report, one that lacks a host without saying so, or one nobody may read.

The real playbook and role run; a stand-in answers for incident_info, and a server for Prometheus.
"""

from __future__ import annotations

import json
import re
import stat
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "tests"))

import recorded  # the path above is what makes it importable


@pytest.fixture
def write(report):
    return partial(report, "postmortem")


@pytest.fixture
def prometheus():
    """A Prometheus that answers every range query alike; what it was asked."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.path, parse_qs(body)))
            page = json.dumps(recorded.ranges()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def test_the_latest_incident_is_told_from_the_hosts_that_are_left(write, prometheus):
    """Otherwise a host that is down keeps everybody else's story from being written, or goes missing in silence."""
    url, asked = prometheus
    status, said, files = write(recorded.answers(), "-e", f"aurora_prometheus_url={url}")
    assert status == 0
    assert list(files) == [f"{recorded.ID}.html", f"{recorded.ID}.md"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o640}
    assert all(str(path) in said for path in files.values())
    markdown = files[f"{recorded.ID}.md"].read_text(encoding="utf-8")
    assert "aurora3 could not be read" in markdown
    assert "no route to host" in markdown
    ((path, query),) = asked
    assert path == "/api/v1/query_range"
    assert _probes.instance_matcher("aurora3") in query["query"][0]
    assert "| aurora3 | 5.8 min |" in markdown


def test_again_nothing_changes_and_what_people_wrote_is_kept(write):
    """Otherwise each run is a change, and the root cause somebody wrote is gone."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    identify = ["-e", f"aurora_incident_id={recorded.ID}"]
    status, _said, files = write(answers, *identify)
    assert status == 0
    markdown = files[f"{recorded.ID}.md"]
    text = re.sub(r"(root: begin -->\n).*", r"\1{{ 7 * 7 }} the *exchange*", markdown.read_text(encoding="utf-8"))
    markdown.write_text(text, encoding="utf-8")
    write(answers, *identify)
    assert "{{ 7 * 7 }} the *exchange*" in markdown.read_text(encoding="utf-8")
    assert "{{ 7 * 7 }} the *exchange*" in files[f"{recorded.ID}.html"].read_text(encoding="utf-8")
    _status, said, _files = write(answers, *identify)
    assert re.search(r"changed=0 ", said)


def test_what_people_wrote_with_an_editor_that_ends_lines_otherwise_is_kept(write):
    """Otherwise the root cause is lost that was written on Windows."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    _status, _said, files = write(answers)
    markdown = files[f"{recorded.ID}.md"]
    text = re.sub(r"(root: begin -->\n).*", r"\1the exchange", markdown.read_text(encoding="utf-8"))
    markdown.write_text(text, encoding="utf-8", newline="\r\n")
    status, _said, _files = write(answers)
    assert status == 0
    assert "root: begin -->\nthe exchange\n" in markdown.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_read_is_not_written_over(write):
    """Otherwise what people wrote into it is gone because an editor saved it in another encoding."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    _status, _said, files = write(answers)
    files[f"{recorded.ID}.md"].write_bytes("причина".encode("cp1251"))
    status, said, _files = write(answers)
    assert status != 0
    assert f"what people wrote into {files[f'{recorded.ID}.md']} could not be read" in " ".join(said.split())
    assert files[f"{recorded.ID}.md"].read_bytes() == "причина".encode("cp1251")


def test_check_mode_shows_the_difference_and_writes_nothing(write):
    """Otherwise whoever only wants to see what would be written loses the report that was there."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    status, _said, files = write(answers, "--check")
    assert (status, files) == (0, {})
    _status, _said, files = write(answers)
    before = {name: path.read_bytes() for name, path in files.items()}
    status, said, files = write(answers, "--check", "--diff", "-e", "aurora_language=uk")
    assert status == 0
    assert all(
        f"{sign}## 5. {_texts.say(language, 'pm_lessons')}" in said for sign, language in (("-", "en"), ("+", "uk"))
    )
    assert {name: path.read_bytes() for name, path in files.items()} == before


def test_nothing_that_a_host_says_is_a_template(write, tmp_path):
    """Otherwise whoever owns one host runs commands on the controller, with the credentials of all the others."""
    hostile = f"«« lookup('pipe', 'touch {tmp_path / 'ran'}') »»"
    answers = recorded.answers()
    answers["aurora1"]["msg"] = answers["aurora1"]["leases"][0]["name"] = hostile
    answers["aurora1"]["incidents"][0]["entries"][4]["data"] = {"who": hostile, "text": hostile}
    answers["aurora1"]["incidents"].append({"id": hostile, "opened": hostile, "entries": []})
    status, said, files = write(answers, "-v")
    assert status == 0
    assert "{{ lookup" in said
    assert "lookup" in files[f"{recorded.ID}.md"].read_text(encoding="utf-8")
    assert not (tmp_path / "ran").exists()


def test_where_nobody_acknowledged_the_first_contact_is_proposed_by_name(write):
    """Otherwise follow-ups have no owner, or the secret URL of a contact stands in a report that goes to many."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    entries = answers["aurora1"]["incidents"][0]["entries"]
    entries[:] = [entry for entry in entries if entry["what"] != "acknowledged"]
    url = "json://user:s3cret@localhost/"
    contacts = {"aurora_contacts": {"L1": [{"name": "primary", "url": url}, {"name": "second", "url": url}]}}
    status, _said, files = write(answers, "-e", json.dumps(contacts))
    assert status == 0
    texts = [path.read_text(encoding="utf-8") for path in files.values()]
    assert len(texts) == 2
    assert all("primary?" in text for text in texts)
    assert not [text for text in texts if "s3cret" in text or "second" in text]


@pytest.mark.parametrize(
    ("answers", "identifier", "reason"),
    [
        ({"a": {"problem": "gone"}}, "", "no host could be read"),
        ({"a": {"problem": "gone"}}, recorded.ID, "no host could be read"),
        (recorded.answers(), "../../etc/cron.d/x", "is not the id of an incident"),
        (recorded.answers(), recorded.ID.replace("1a", "2b"), "has a record of it"),
    ],
)
def test_what_cannot_be_told_fails_with_the_reason(write, answers, identifier, reason):
    """Otherwise an empty report says that nothing happened, or a file lands where it should not."""
    status, said, files = write(answers, *(["-e", f"aurora_incident_id={identifier}"] if identifier else []))
    assert status != 0
    assert reason in " ".join(said.replace("\\n", " ").split())
    assert files == {}
