# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus, Alertmanager, ansible-rulebook, playbook: if these break, an alert at night helps nobody."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest
import watch
import webhook
from helpers import CHECKOUT, HOST, HOSTS, NORMAL, knobs, lab, module, wait_until

ALERT = "CircuitBreakerOpen"
AT = "--alertmanager.url=http://localhost:9093"
LONG = 150  # seconds that a whole incident may take on a busy machine
STARTED = "PLAY [Find the incident and the host of the alert]"
ENDED = "PLAY RECAP"


@pytest.fixture(autouse=True)
def sounding() -> Iterator[None]:
    """No alert is silenced because a test ended a run."""
    yield
    lab.inside("monitor1", "sh", "-c", f"amtool {AT} silence expire $(amtool {AT} silence query --quiet) || true")


@pytest.fixture
def watched() -> Iterator[Callable[[], str]]:
    """ansible-rulebook alone, with a token that Alertmanager does not know: alerts of earlier faults may still fire.

    Call it for what it and its playbooks printed since.
    """
    watch.configure()
    with watch.rulebook():
        start = watch.LOG.stat().st_size
        yield lambda: watch.LOG.read_bytes()[start:].decode("utf-8", "replace")


def payload(host: str, number: int) -> dict:
    labels = {"alertname": ALERT, "instance": f"{host}:9000", "symbol": str(number)}
    now = datetime.now(timezone.utc).isoformat()
    alert = {"status": "firing", "labels": labels, "startsAt": now, "fingerprint": f"{number:016x}"}
    return {"status": "firing", "alerts": [alert]}


def post(body: dict, token: str) -> int:
    return webhook.post(watch.at(), body, token, lab.STATE / "ca" / "ca.pem")


def post_in_the_clear(body: dict) -> None:
    connection = http.client.HTTPConnection(*watch.at(), timeout=30)
    connection.request("POST", "/alerts", json.dumps(body))
    connection.getresponse()


def token() -> str:
    return json.loads((watch.WATCH / "rulebook.json").read_text(encoding="ascii"))["aurora_webhook_token"]


def open_incidents(host: str) -> list:
    return [one for one in module(host, "incident_info", {"days": 1})["incidents"] if one["open"]]


def test_an_alert_is_remediated_resolved_closed_and_told_without_anybody(broken: Callable, tmp_path: Path) -> None:
    said = tmp_path / "said"
    with open(said, "wb") as output:
        process = subprocess.Popen([CHECKOUT / "dev", "watch"], stdout=output, stderr=output, start_new_session=True)
    try:
        wait_until(lambda: "now break something" in said.read_text(encoding="utf-8"), LONG)
        broken("breaker_spreads", [HOST])
        wait_until(lambda: f"{HOST}: {ALERT} is resolved" in said.read_text(encoding="utf-8"), LONG)
        wait_until(lambda: ".html" in said.read_text(encoding="utf-8"), LONG)
    finally:
        process.terminate()
        process.wait(60)
        print(said.read_text(encoding="utf-8"))
    text = said.read_text(encoding="utf-8")
    assert re.search(rf"{HOST}: RECOVERED, \d+ s after its alert fired", text)
    assert knobs(HOST)["KELLY_MULTIPLIER"] == "0.5"
    assert open_incidents(HOST) == []
    report = re.search(r"(/\S+\.html)", text)
    assert "circuit_breaker" in Path(report[1]).read_text(encoding="utf-8")


def remediated(text: str, last: str) -> list[str]:
    """The healthy hosts of runs that are over, [] while one works or that of the ``last`` host has not begun."""
    said = (re.fullmatch(r" +- '?(\w+): healthy: nothing to do'?", line) for line in text.splitlines())
    hosts = sorted(found[1] for found in said if found)
    return hosts if last in hosts and text.count(STARTED) == text.count(ENDED) else []


def test_a_storm_is_one_run_for_each_incident_and_host(watched: Callable) -> None:
    storm = [payload(host, number) for number in range(100) for host in HOSTS[:2]]
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda body: post(body, token()), storm)) == {200}
    again = [*storm[:2], payload(HOSTS[2], 0)]  # delivered once more, and a host that shows that it was taken up
    assert [post(body, token()) for body in again] == [200, 200, 200]
    wait_until(lambda: remediated(watched(), HOSTS[2]) != [], LONG)
    assert remediated(watched(), HOSTS[2]) == sorted(HOSTS)
    assert all(knobs(host) == NORMAL for host in HOSTS)


def test_strangers_and_malformed_alerts_start_nothing_and_stop_nothing(watched: Callable) -> None:
    assert post(payload(HOST, 1), "wrong") == 401
    with pytest.raises(ConnectionError):
        post_in_the_clear(payload(HOST, 1))
    hostile = payload("{{ lookup('pipe', 'touch /tmp/owned') }}", 1)
    for body in ({}, {"alerts": 7}, {"alerts": [None, [], {"labels": 7}]}, hostile, payload(f"{HOST},all", 2)):
        assert post(body, token()) == 200  # else Alertmanager would send it for ever
    assert post(payload(HOSTS[1], 3), token()) == 200
    wait_until(lambda: remediated(watched(), HOSTS[1]) != [], LONG)
    assert remediated(watched(), HOSTS[1]) == [HOSTS[1]]
    assert watched().count(STARTED) == 1


def test_killed_in_the_middle_of_a_remediation_it_takes_it_up_again(broken: Callable) -> None:
    watch.prepare()
    with watch.rulebook() as process:
        start = watch.LOG.stat().st_size
        broken("breaker_spreads", [HOST])
        wait_until(lambda: b": Gather the evidence" in watch.LOG.read_bytes()[start:], LONG)
        for pid in lab.family(process.pid):
            os.kill(pid, signal.SIGKILL)
    with watch.rulebook():
        wait_until(lambda: lab.breaker(lab.aurora_hosts([HOST])[HOST]) == 0 and not open_incidents(HOST), LONG)
    assert knobs(HOST)["KELLY_MULTIPLIER"] == "0.5"
