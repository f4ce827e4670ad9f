# SPDX-License-Identifier: GPL-3.0-or-later
"""Every incident once, from its alert to its end. tests/matrix.py runs it on each pair of a controller and a Debian."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from helpers import HOST, lab, playbook

# A fault of each incident, and one that a ladder cures where there is one.
FAULTS = (
    "latency_queueing",
    "breaker_spreads",
    "sse_feed_down",
    "deny_market",
    "ece_drift",
    "cvar_breach",
    "reconnects",
)


@pytest.mark.parametrize("fault", [lab.FAULTS[name] for name in FAULTS], ids=lambda fault: fault.incident)
def test_its_alert_is_answered_with_the_cure_of_its_cause(fault, broken):
    broken(fault.name, [HOST])
    labels = {"alertname": _indicators.INDICATORS[fault.incident].alert, "instance": f"{HOST}:9000"}
    run = playbook("remediate", "-e", json.dumps({"aurora_alert": {"status": "firing", "labels": labels}}))
    assert run.verdicts == {HOST: fault.expect}
    causes = [line.partition("likely cause: ")[2].partition(":")[0] for line in run.report if "likely cause: " in line]
    assert causes[:1] == [fault.cause]
