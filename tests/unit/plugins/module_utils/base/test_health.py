# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a crash loop passes for a healthy service, or a healthy one is rolled back."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _health, _systemd


def unit(invocation="b", active="active", sub="running", result="success", **more):
    state = {"InvocationID": invocation, "ActiveState": active, "SubState": sub, "Result": result, "MainPID": "7"}
    return _systemd.Unit("x", {**state, **more})


UP, DEAD = unit(), unit("b", "activating", "auto-restart", "exit-code")


def wait(units, objections=(), final=False):
    """A state a second; the last one stays. The service ran as invocation "a" before."""
    now = [0.0]

    def observe():
        at = int(now[0])
        objection = objections[min(at, len(objections) - 1)] if objections else ""
        return _health.Observation(units[min(at, len(units) - 1)], objection, final and bool(objection))

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


STOPPING = unit("a", "deactivating", "stop-sigterm", TimeoutStopUSec="1min")


def test_the_time_to_come_up_begins_when_the_service_has_stopped():
    """Otherwise a runner that takes 40 s to stop loses its override before the new process starts."""
    health = wait([STOPPING] * 40 + [unit("b", "activating", "start")] * 3 + [UP])
    assert (health.healthy, health.alive) == (True, False)
    assert not wait([STOPPING] * 40 + [unit("b", "activating", "start")] * 11 + [UP]).healthy


@pytest.mark.parametrize(
    ("timeout", "longest"),
    [("15s", 2 * 15 + 5), ("1min 30s", _health.LONGEST_STOP), ("infinity", _health.LONGEST_STOP), ("", 10)],
)
def test_a_service_that_does_not_stop_is_awaited_as_long_as_its_unit_says_and_no_longer(timeout, longest):
    stuck = unit("a", "deactivating", "stop-sigterm", TimeoutStopUSec=timeout)
    assert wait([stuck] * (int(longest) - 1) + [UP]).healthy
    health = wait([stuck])
    assert (health.healthy, health.alive) == (False, True)
    assert f"not healthy within {longest:g} s" in health.reason


def test_a_slow_start_of_systemds_own_is_awaited_as_the_unit_says():
    """ExecStartPre= and Type=notify; the time of the endpoint counts from there."""
    slow = unit("b", "activating", "start-pre", TimeoutStartUSec="1min")
    assert wait([slow] * 50 + [UP] * 20, [""] * 50 + ["no answer"] * 8 + [""]).healthy
    assert not wait([slow] * 50 + [UP], [""] * 50 + ["no answer"]).healthy
    health = wait([slow])
    assert (health.healthy, health.alive) == (False, True)
    assert "not healthy within 65 s" in health.reason


def test_what_no_waiting_can_change_is_not_waited_for():
    """Otherwise a wrapper that sets the variable itself costs the whole time to start, at full exposure."""
    health = wait([unit("a"), UP], ["", "process 7 runs with K=1 instead of 2"], final=True)
    assert (health.healthy, health.alive, health.reason) == (False, True, "process 7 runs with K=1 instead of 2")
    assert wait([unit("a"), unit("a"), UP], ["process 7 runs with K=1 instead of 2"] * 2 + [""], final=True).healthy


@pytest.mark.parametrize("units", [[unit("b", "failed", "failed")], [DEAD, unit("c")], [DEAD], [UP, DEAD]])
def test_what_crashed_is_not_taken_for_alive(units):
    assert (wait(units).healthy, wait(units).alive) == (False, False)
