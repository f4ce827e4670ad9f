# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault of the lab goes through its incident's scenario.

Several go at once, each worker on an Aurora host of its own, with ``-n 5 --dist worksteal -k "not sse_dns"``: sse_dns
breaks what all hosts of a lab share, so it goes beside no other fault.
"""

from __future__ import annotations

import json
import os
import subprocess
from itertools import chain
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert

CHECKOUT = Path(__file__).resolve().parents[1]
LISTED = subprocess.run([CHECKOUT / "dev", "faults", "--json"], capture_output=True, check=True).stdout
ALERTS = {incident: alert for alert, incident in _alert.INCIDENTS.items()}
ALONE = "sse_dns"
# It takes minutes, because enough orders must be placed.
LONGEST = ("latency_exchange_slow", "latency_local_cpu", "latency_queueing")
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
# What takes longest comes first: worksteal gives each worker a piece of the list, so one of them is in front of each.
FAULTS = sorted(json.loads(LISTED), key=lambda fault: (fault["name"] == ALONE, fault["name"] not in LONGEST))
PIECES = [FAULTS[worker:-1:WORKERS] for worker in reversed(range(WORKERS))]


@pytest.mark.parametrize("fault", [*chain(*PIECES), FAULTS[-1]], ids=lambda fault: fault["name"])
def test_fault_ends_as_it_should_and_stays_so(fault, worker_id, tmp_path):
    number = 1 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    settings = {
        "AURORA_FAULT": json.dumps(fault),
        "AURORA_HOST": f"aurora{number}",
        "AURORA_ALERT": ALERTS[fault["incident"]],
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path),
        "MOLECULE_COMMAND_BORDERS": "no",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["molecule", "test", "--scenario-name", fault["incident"]],
        cwd=CHECKOUT,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0
