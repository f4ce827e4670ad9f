# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, clients are dropped for nothing, a crash loop is fed, or an open breaker is closed by a restart."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _messages, _record, _restart, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils._command import Completed
from hypothesis import given
from hypothesis import strategies as st

RUNS = {"Id": "x.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "InvocationID": "a"}
DEAD = {"ActiveState": "inactive", "SubState": "dead"}
BACKING_OFF = {"ActiveState": "activating", "SubState": "auto-restart"}


def current(properties=None, **changes):
    return _restart.Current(_systemd.Unit("x", {**RUNS, **(properties or {})}), **changes)


HUNG = current(problem="no answer", up=9000.0)


@pytest.mark.parametrize(
    ("now", "state", "action", "reason"),
    [
        (HUNG, "restarted", "restart", "restart_because"),
        (HUNG, "started", "", "runs_already"),
        (current(up=9000.0), "restarted", "restart", "restart_because"),
        (current(up=20.0), "restarted", "", "restarted_lately"),  # whoever restarted it, it is well
        (current(problem="no answer", up=20.0), "restarted", "restart", "restart_because"),  # somebody else did
        (current(DEAD, problem="inactive (dead)"), "restarted", "start", "start_because"),
        (current(DEAD, problem="inactive (dead)"), "started", "start", "start_because"),
        (current(DEAD, problem="inactive (dead)", ours=9000.0), "started", "start", "start_because"),
        (current(BACKING_OFF, problem="activating", crashes=1), "restarted", "wait", "systemd_at_it"),
        (current(problem="no answer", crashes=1, up=2.0), "restarted", "wait", "systemd_at_it"),  # it needs a moment
        (current(problem="no answer", crashes=1, up=60.0), "restarted", "restart", "restart_because"),
        (current({"ActiveState": "deactivating"}, problem="stopping"), "restarted", "restart", "restart_because"),
    ],
)
def test_what_is_needed_is_done_and_no_more(now, state, action, reason):
    planned = _restart.plan(now, state, 300)
    assert (planned.action, planned.reason, planned.refused) == (action, reason, False)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (current({"LoadState": "masked"}), "refused_not_loaded"),
        (current({"LoadState": "not-found", **DEAD}), "refused_not_loaded"),
        (current({"Transient": "yes"}), "refused_transient"),
        (current({"NeedDaemonReload": "yes"}), "refused_reload"),
        (current(trades=True, problem="no answer"), "refused_trader"),
        (current({**DEAD}, trades=True), "refused_trader"),
        (current(BACKING_OFF, problem="activating", crashes=3, last_words="bad config"), "refused_loop"),
        (current(problem="no answer", up=1.0, crashes=3), "refused_loop"),  # caught between two crashes
        (current(problem="no answer", up=20.0, ours=20.0), "refused_again"),
        (current(DEAD, problem="inactive (dead)", ours=20.0), "refused_again"),
    ],
)
def test_every_guard_refuses(now, reason):
    planned = _restart.plan(now, "restarted", 300)
    assert (planned.refused, planned.changed, planned.reason) == (True, False, reason)
    assert "x.service" in _messages.say("uk", planned.reason, **planned.values)


@given(
    st.sampled_from(["active", "inactive", "failed", "activating", "deactivating", "reloading"]),
    st.booleans(),
    st.integers(0, 9),
    st.sampled_from([None, 1.0, 9000.0]),
    st.sampled_from(["", "no answer"]),
)
def test_nothing_ever_restarts_the_trading_loop_a_crash_loop_or_twice(active, trades, crashes, ours, problem):
    now = current({"ActiveState": active}, trades=trades, crashes=crashes, ours=ours, problem=problem)
    if trades or crashes >= 3 or ours == 1.0:
        assert not _restart.plan(now, "restarted", 300).changed
    assert _restart.plan(now, "started", 300).action != "restart"


@pytest.mark.parametrize(
    ("properties", "environments", "files", "trades"),
    [
        ({}, [{"PATH": "/bin"}], [], False),
        ({}, [{"PATH": "/bin"}, {"KELLY_MULTIPLIER": "1.0"}], [], True),
        ({"Environment": "A=1 KELLY_MULTIPLIER=0.5"}, [], [], True),  # it is down
        ({}, [], ["A=1\n KELLY_MULTIPLIER=1.0\n"], True),
        ({}, [], ["# KELLY_MULTIPLIER=1.0\n"], False),
    ],
)
def test_the_trading_loop_is_known_running_or_not(properties, environments, files, trades):
    assert _restart.trades(_systemd.Unit("x", properties), environments, files) is trades


def restart(up, run, boot="this boot", **data):
    """An intent of ours, ``up`` seconds after that boot, to end a run of x.service."""
    change = _restart.change(_systemd.Unit("x", {**RUNS, "InvocationID": run}))
    said = {"action": "service_restart", "target": "x.service", "change": change, **data}
    return _record.Entry(1, "", "2026-11-23T00:00:00Z", boot, up, "oncall", "", True, "intent", said)


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        ([], None),
        ([restart(100.0, "a")], 20.0),
        ([restart(100.0, "b")], None),  # we died before the restart, so it may still be made
        ([restart(100.0, "a", "another boot")], None),
        ([restart(100.0, "a", target="y.service")], None),
        ([restart(100.0, "a", action="service_override")], None),
        ([restart(100.0, "a"), restart(30.0, "0")], 20.0),
    ],
)
def test_a_restart_of_ours_counts_when_it_happened(made, seconds):
    records = [_record.Record("circuit_breaker-20261123T000000Z-00000000", (entry,)) for entry in made]
    unit, now = _systemd.Unit("x", {**RUNS, "InvocationID": "b"}), _stamps.Clock(1.8e9, "this boot", 120.0)
    assert _restart.ours(records, unit, now) == seconds


def test_a_restart_on_record_that_does_not_say_what_it_ended_counts():
    """Else one odd line would hold back every restart, or allow one after the other."""
    records = [_record.Record("circuit_breaker-20261123T000000Z-00000000", (restart(100.0, "a", change=[]),))]
    now = _stamps.Clock(1.8e9, "this boot", 120.0)
    assert _restart.ours(records, _systemd.Unit("x", {**RUNS, "InvocationID": "b"}), now) == 20.0


def test_only_systemds_own_restarts_of_late_are_counted():
    now = time.monotonic() * 1e6
    ages = (1, 100, 299, 400)
    said = "".join(json.dumps({"__MONOTONIC_TIMESTAMP": str(int(now - age * 1e6))}) + "\n" for age in ages)
    assert _systemd.automatic_restarts(lambda argv: Completed(0, said, ""), "x.service", 300) == 3
    assert _systemd.automatic_restarts(lambda argv: Completed(1, "", "no journal"), "x.service", 300) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("1s", 1.0), ("1s 200ms", 1.2), ("1min 30s", 90.0), ("infinity", None), ("", None), ("x", None)],
)
def test_a_quota_is_read_as_systemd_shows_it(text, seconds):
    assert _systemd.timespan(text) == pytest.approx(seconds) if seconds else _systemd.timespan(text) is None


def test_a_loop_whose_cause_was_mended_is_waited_for():
    looping = current(BACKING_OFF, problem="activating", crashes=9)
    assert _restart.plan(looping, "restarted", 300).reason == "refused_loop"
    assert _restart.plan(looping, "restarted", 300, mended=True).action == "wait"
