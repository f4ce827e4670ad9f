# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on each host after the circuit breaker's remediation."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

CURES = {"kelly_multiplier": "0.5", "decisions_per_minute": "10", "spread_threshold": "2.0"}
DEV = os.path.join(os.environ["MOLECULE_PROJECT_DIRECTORY"], "dev")


@pytest.fixture(autouse=True)
def journal(host):
    """Shown for a test that fails."""
    yield
    print(host.check_output("journalctl --no-pager --lines=20 --unit=aurora-runner"))


@pytest.fixture(scope="module")
def cure():
    """The environment that this fault's rungs leave."""
    listed = json.loads(subprocess.run([DEV, "faults", "--json"], capture_output=True, check=True).stdout)
    rungs = next(fault["cure"] for fault in listed if fault["name"] == os.environ["AURORA_FAULT"])
    return {name.upper(): CURES[name] for name in rungs}


def test_every_process_runs_with_the_cure_and_nothing_more(host, cure):
    normal = {"KELLY_MULTIPLIER": "1.0", "DECISIONS_PER_MINUTE": "30", "SPREAD_THRESHOLD": "1.5"}
    pids = host.check_output("pgrep --uid aurora --full run_live_aurora").split()
    assert pids
    for pid in pids:
        entries = host.file(f"/proc/{pid}/environ").content_string.split("\0")
        running = dict(entry.split("=", 1) for entry in entries if entry)
        assert {name: running[name] for name in normal} == {**normal, **cure}


def test_breaker_is_closed(host):
    assert "\ncircuit_breaker_state 0.0\n" in host.check_output("curl --silent --fail localhost:9000/metrics")


def test_service_is_up_and_its_override_in_place(host, cure):
    assert host.service("aurora-runner").is_running
    written = host.file("/etc/aurora-runbook/aurora-runner.service.env").content_string.splitlines()
    assert written[1:] == [f'{name}="{value}"' for name, value in sorted(cure.items())]
    drop_in = host.file("/etc/systemd/system/aurora-runner.service.d/zzz-aurora-runbook.conf")
    assert drop_in.contains("^EnvironmentFile=-/etc/aurora-runbook/aurora-runner.service.env$")
