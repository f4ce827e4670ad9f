# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook for AWX in ansible-rulebook, which launches what the role awx set up in a stand-in for AWX.

If these break, an alert starts no job, or a job that does not know which alert it is about.
"""

from __future__ import annotations

import json
import socket
import sys
import time

import pytest
import stand_in
from conftest import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import lab  # the path above is what makes them importable
import webhook

TOKEN = "a-token"  # noqa: S105 the webhook of this test alone knows it
FIRING = {
    "status": "firing",
    "labels": {"alertname": "CircuitBreakerOpen", "instance": "aurora1:9000", "summary": "{{ lookup('pipe', 'id') }}"},
    "startsAt": "2026-11-24T18:22:01.000Z",
    "fingerprint": "00000000000000aa",
}
RESOLVED = {**FIRING, "status": "resolved", "labels": {**FIRING["labels"], "instance": "aurora2:9000"}}
LATER = {**FIRING, "labels": {**FIRING["labels"], "instance": "aurora3:9000"}, "fingerprint": "00000000000000bb"}


@pytest.fixture
def jobs(set_up_twice, tmp_path):
    """Call it with alerts, each delivered by itself; the jobs there are once each fingerprint has one."""
    awx, _runs = set_up_twice
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = free.getsockname()
    certificate, key, log = (tmp_path / name for name in ("webhook.pem", "webhook.key", "rulebook.log"))
    made = ["-x509", *lab.NEW_KEY, "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=webhook"]
    lab.run(["openssl", "req", *made, "-addext", "subjectAltName=IP:127.0.0.1"])
    told = webhook.variables(at, TOKEN, certificate)
    (tmp_path / "variables.json").write_text(json.dumps(told), encoding="ascii")
    started = ["--rulebook", "aurora.runbook.remediate_on_awx", "--vars", str(tmp_path / "variables.json")]

    def deliver(*alerts):
        for alert in alerts:
            assert webhook.post(at, {"alerts": [alert]}, TOKEN, certificate) == 200
        awaited, deadline = {alert["fingerprint"] for alert in alerts}, time.monotonic() + 60
        while not all(each in json.dumps(awx.made.get("jobs", {})) for each in awaited):
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        return sorted(awx.made["jobs"].values(), key=lambda job: job["extra_vars"]["aurora_alert"]["fingerprint"])

    with stand_in.serving(awx) as url:
        started += ["--controller-url", url, "--controller-token", "x"]
        with webhook.rulebook(started, at, log):
            yield deliver


def test_an_alert_launches_the_template_of_the_role_once_with_what_was_checked_of_it(jobs):
    first, later = jobs(FIRING, FIRING, RESOLVED, LATER)
    assert first["template"] == later["template"] == "aurora.runbook.remediate"
    assert first["extra_vars"]["aurora_alert"] == {
        "name": "CircuitBreakerOpen",
        "status": "firing",
        "labels": {"alertname": "CircuitBreakerOpen", "instance": "aurora1"},
        "fingerprint": "00000000000000aa",
        "startsAt": "2026-11-24T18:22:01+00:00",
    }
    assert later["extra_vars"]["aurora_alert"]["labels"]["instance"] == "aurora3"
    assert "lookup" not in json.dumps([first, later])
