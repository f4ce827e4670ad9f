# SPDX-License-Identifier: GPL-3.0-or-later
"""Each acting module, killed between its intent and its result, or left alone by its controller there.

If these break, an action of a killed run is lost from the record, or is never finished.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from helpers import (
    HOST,
    LIMIT,
    STATE,
    end_claim,
    kill_controller,
    kill_module,
    lab,
    module,
    playbook,
    put,
    shell,
    start_module,
    wait_until,
)

pytestmark = pytest.mark.long
ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
RECORD = f"{STATE}/incidents/{ID}.jsonl"
MODEL = "/opt/aurora/models/calibration.json"
LOGS = "/srv/probe/logs"
HEALTHY = {"start_seconds": 15, "hold_seconds": 0}
ACTIONS = {
    "service_override": {
        "name": "aurora-runner",
        "environment": {"KELLY_MULTIPLIER": "0.5"},
        "health_url": "http://localhost:9000/metrics",
        **HEALTHY,
    },
    "service_restart": {
        "name": "aurora-live-feed",
        "health_url": "http://localhost:8001/healthz",
        "min_interval_seconds": 0,
        **HEALTHY,
    },
    "tcp_tuning": {},
    "log_rotation": {
        "directory": LOGS,
        "config": "/etc/probe-logrotate",
        "units": [],
        "restart": [],
        "max_age": 0,
        "min_free_percent": 0,
    },
    "recalibration": {"method": "script"},
}
# Somebody else writes to the record from the intent on, so that the module cannot say how it ended.
WRITER = f"""
import fcntl, pathlib, time
path = pathlib.Path("{RECORD}")
while not (path.exists() and b'"what":"intent"' in path.read_bytes()):
    time.sleep(0.001)
file = open(path, "rb")
fcntl.flock(file, fcntl.LOCK_EX)
pathlib.Path("/run/probe-holds").touch()
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def something_to_do() -> Iterator[None]:
    """A log that is due, and a model that was not fitted lately."""
    shell(HOST, f"install -d -o aurora -g aurora /srv/probe {LOGS}; echo x >{LOGS}/a.jsonl; chown aurora {LOGS}/*")
    put(HOST, "/etc/probe-logrotate", f"{LOGS}/*.jsonl {{", "rotate 3", "create 0640 aurora aurora", "}")
    shell(HOST, f"touch -d '3 days ago' {MODEL}")
    yield
    left = "/srv/probe /etc/probe-logrotate /run/probe-holds /tmp/ansible_aurora.*"
    shell(HOST, f"systemctl stop probe-writer || true; rm -rf {left}")
    lab.mend([HOST])


def act(name: str) -> dict:
    """Options of a run of its own."""
    return {**ACTIONS[name], "incident": {"id": ID, "run": uuid.uuid4().hex, "by": "olena", "cooldown_seconds": 0}}


def whats() -> list[str]:
    return [json.loads(line)["what"] for line in shell(HOST, f"cat {RECORD}").splitlines()]


@contextmanager
def between(name: str) -> Iterator:
    """A module that has begun, and whose result has to wait."""
    lab.inside(HOST, "systemd-run", "--quiet", "--unit=probe-writer", "python3", "-c", WRITER)
    process = start_module(HOST, name, act(name))
    try:
        wait_until(lambda: "yes" in shell(HOST, "test -e /run/probe-holds && echo yes || true"), LIMIT)
        assert "result" not in whats(), "it was done before it could be held up"
        yield process
    finally:
        kill_controller(process)
        shell(HOST, "systemctl stop probe-writer")


def converges(name: str) -> None:
    """The next run knows what became of it, does what is left to do, and the services are as they should be."""
    wait_until(lambda: "active" not in shell(HOST, "systemctl is-active aurora-runbook-refit || true").split(), LIMIT)
    again = module(HOST, name, act(name))
    assert not again["failed"], again
    end_claim(HOST)
    run = playbook("remediate_circuit_breaker", "-e", "aurora_enough_seconds=0")
    unknown = any("how far the action came is not known" in line for line in run.report)
    assert run.verdicts == {HOST: "escalated" if unknown else "healthy"}
    assert name == "log_rotation" or not unknown
    found = module(HOST, "incident_info", {"days": 1, "entries": True})
    (incident,) = found["incidents"]
    assert (incident["chain"]["whole"], incident["torn"], incident["unfinished"]) == (True, False, []), incident
    assert (found["cut_off"], [lease["phase"] for lease in found["leases"] if lease["phase"] != "active"]) == ([], [])
    assert shell(HOST, "systemctl is-active aurora-runner aurora-live-feed nginx").split() == ["active"] * 3


@pytest.mark.parametrize("name", ACTIONS)
def test_killed_between_intent_and_result(name):
    with between(name) as process:
        kill_module(HOST, name, process)
    assert whats()[-1] == "intent"
    end_claim(HOST)
    converges(name)


@pytest.mark.parametrize("name", ACTIONS)
def test_its_controller_is_killed_while_it_goes_on(name):
    with between(name) as process:
        kill_controller(process)
    wait_until(lambda: "result" in whats(), LIMIT)
    end_claim(HOST)
    converges(name)
