# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a crash loop passes for a healthy service, or a healthy one is rolled back."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _health, _systemd


def unit(invocation="b", active="active", sub="running", result="success"):
    return _systemd.Unit(
        "x", {"InvocationID": invocation, "ActiveState": active, "SubState": sub, "Result": result, "MainPID": "7"}
    )


UP, DEAD = unit(), unit("b", "activating", "auto-restart", "exit-code")


def wait(units, objections=()):
    """A state a second; the last one stays. The service ran as invocation "a" before."""
    now = [0.0]

    def observe():
        at = int(now[0])
        objection = objections[min(at, len(objections) - 1)] if objections else ""
        return _health.Observation(units[min(at, len(units) - 1)], objection)

    def sleep(seconds):
        now[0] += seconds

    return _health.wait_healthy(observe, "a", lambda: now[0], sleep, start=10, hold=5)


@pytest.mark.parametrize(
    ("units", "healthy", "reason"),
    [
        ([unit("a"), UP], True, ""),
        ([unit("a", "deactivating", "stop-sigterm"), unit("b", "activating", "start"), UP], True, ""),
        ([unit("a")], False, "not healthy within 10 s"),  # it was never restarted
        ([unit("b", "failed", "failed", "exit-code")], False, "it failed"),
        ([UP, UP, DEAD], False, "did not stay"),
        ([DEAD, DEAD, DEAD, unit("c")], False, "keeps crashing"),
        ([UP, UP, unit("c")], False, "keeps crashing"),
        ([unit("b", "activating", "start")], False, "not healthy within 10 s"),
    ],
)
def test_start(units, healthy, reason):
    health = wait(units)
    assert health.healthy is healthy
    assert reason in health.reason


def test_a_service_that_runs_without_the_value_is_not_healthy():
    health = wait([UP], ["process 7 runs with K=1 instead of 2"])
    assert not health.healthy
    assert "process 7 runs with K=1" in health.reason


def test_an_endpoint_may_take_its_time_to_answer():
    assert wait([UP], ["http://localhost:9000 did not answer"] * 4 + [""]).healthy
