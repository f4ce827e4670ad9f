# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault of the lab goes through its incident's scenario: ``pytest -n 3 tests/molecule.py``.

Every worker has an Aurora host of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert

CHECKOUT = Path(__file__).resolve().parents[1]
LISTED = subprocess.run([CHECKOUT / "dev", "faults", "--json"], capture_output=True, check=True).stdout
ALERTS = {incident: alert for alert, incident in _alert.INCIDENTS.items()}
ALONE = ("sse_dns",)  # breaks what all hosts share
LONG = "execution_latency"  # a slowed runner needs minutes to place enough orders
# Whoever is alone waits for the others, so that comes before what takes long, and that before the rest.
FAULTS = sorted(json.loads(LISTED), key=lambda fault: (fault["name"] not in ALONE, fault["incident"] != LONG))


@pytest.fixture
def undisturbed(request):
    """No fault that all hosts share beside another; who waits to be alone lets nobody else begin."""
    folder, alone = CHECKOUT / ".dev", request.node.callspec.params["fault"]["name"] in ALONE
    with (folder / "molecule.lock").open("w") as lock:
        with (folder / "molecule.gate").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["name"])
def test_fault_ends_as_it_should_and_stays_so(fault, worker_id, tmp_path):
    number = 1 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    settings = {
        "AURORA_FAULT": fault["name"],
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
