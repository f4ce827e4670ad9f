# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault of the lab that can be cured goes through its incident's scenario: ``pytest tests/molecule.py``."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
LISTED = subprocess.run([CHECKOUT / "dev", "faults", "--json"], capture_output=True, check=True).stdout
CURABLE = {fault["name"]: fault["incident"] for fault in json.loads(LISTED) if fault["expect"] != "escalated"}


@pytest.mark.parametrize(("fault", "incident"), CURABLE.items())
def test_fault_is_cured_and_stays_so(fault, incident):
    done = subprocess.run(
        ["molecule", "test", "--scenario-name", incident],
        cwd=CHECKOUT,
        env={**os.environ, "AURORA_FAULT": fault, "MOLECULE_COMMAND_BORDERS": "no", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0
