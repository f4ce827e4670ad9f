# SPDX-License-Identifier: GPL-3.0-or-later
"""Units that set their environment in different ways are overridden alike."""

from __future__ import annotations

import pytest
from helpers import RUNNER, configuration, environment, footprint, lease, module

HEALTHY = {"health_url": "http://localhost:9000/metrics", "start_seconds": 15, "hold_seconds": 1}
KELLY = {"name": RUNNER, "environment": {"KELLY_MULTIPLIER": "0.5"}, **HEALTHY}
ABSENT = {"name": RUNNER, "state": "absent", **HEALTHY}


@pytest.mark.parametrize("host", ["aurora1", "aurora2"], ids=["Environment=", "EnvironmentFile="])
def test_a_value_reaches_the_process_however_the_unit_sets_it_and_goes_without_a_trace(host):
    before = configuration(host), environment(host)
    untouched = footprint(host)
    expected = {
        "unit": RUNNER,
        "failed": False,
        "changed": True,
        "environment": [{"name": "KELLY_MULTIPLIER", "before": "1.0", "after": "0.5", "direction": "reduces"}],
        "limits": [],
        "kept": [],
        "proposed": [],
        "overridden": {"KELLY_MULTIPLIER": "0.5"},
        "restarted": True,
        "taken_back": False,
        "until": None,
        "done": [],
    }
    assert module(host, "service_override", KELLY, "--check") == {**expected, "verdict": "would_change"}
    assert footprint(host) == untouched
    assert module(host, "service_override", KELLY) == expected
    assert environment(host) == {**before[1], "KELLY_MULTIPLIER": "0.5"}

    standing = footprint(host)
    again = module(host, "service_override", KELLY)
    assert (again["changed"], again["restarted"]) == (False, False)
    assert footprint(host) == standing

    assert module(host, "service_override", ABSENT)["changed"]
    assert (configuration(host), environment(host)) == before
    assert lease(host) is None
