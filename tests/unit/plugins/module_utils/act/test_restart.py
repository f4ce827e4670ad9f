# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, clients are dropped for nothing, a crash loop is fed, or an open breaker is closed by a restart."""

from __future__ import annotations

import functools

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _guards, _restart
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _health, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _lease_timer, _record
from ansible_collections.aurora.runbook.plugins.modules import service_restart
from hypothesis import given
from hypothesis import strategies as st

RUNS = {"Id": "x.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "InvocationID": "a"}
DEAD = {"ActiveState": "inactive", "SubState": "dead"}
STOPPING = {"ActiveState": "deactivating", "SubState": "stop-sigterm"}
STARTING = {"ActiveState": "activating", "SubState": "start-pre"}
RELOADING = {"ActiveState": "reloading", "SubState": "reload-notify"}
EXITED = {"ActiveState": "active", "SubState": "exited"}
BACKING_OFF = {"ActiveState": "activating", "SubState": "auto-restart"}


def current(properties=None, **changes):
    return _restart.Current(_systemd.Unit("x", {**RUNS, **(properties or {})}), **changes)


RUNS_UNIT = _systemd.Unit("x", RUNS)
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
        (current(STOPPING, problem="stopping"), "restarted", "restart", "restart_because"),
        (current(STOPPING, problem="stopping"), "started", "start", "start_because"),
        (current(STARTING, problem="starting"), "restarted", "wait", "systemd_at_it"),
        (current(RELOADING, up=9000.0), "started", "", "runs_already"),
        (current(RELOADING, problem="no answer", up=9000.0), "restarted", "restart", "restart_because"),
        (current(EXITED, problem="active (exited)"), "started", "restart", "restart_because"),  # a start does nothing
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
        (current({"ActiveState": "frozen", "SubState": "solid"}), "refused_state"),
        (current(trades=True, problem="no answer"), "refused_trader"),
        (current({**DEAD}, trades=True), "refused_trader"),
    ],
)
def test_what_cannot_be_forced_is_refused(now, reason):
    planned = _restart.plan(now, "restarted", 300)
    assert (planned.refused, planned.changed, planned.reason) == (True, False, reason)
    assert "x.service" in _messages.say("uk", planned.reason, **planned.values)


LOOPS = {"crashes": 4, "loop_left": 250.0, "last_words": "bad config"}


@pytest.mark.parametrize(
    ("now", "forced", "guard", "allowed_in"),
    [
        (current(BACKING_OFF, problem="activating", **LOOPS), "restart", "crash_loop", 250.0),
        (
            current({"ActiveState": "failed", "SubState": "failed"}, problem="failed", **LOOPS),
            "start",
            "crash_loop",
            250.0,
        ),
        (current(problem="no answer", up=1.0, **LOOPS), "restart", "crash_loop", 250.0),  # caught between two crashes
        (current(up=1.0, **LOOPS), "restart", "crash_loop", 250.0),  # and answering
        (current(problem="no answer", up=20.0, ours=20.0), "restart", "restart_interval", 280.0),
        (current(DEAD, problem="inactive (dead)", ours=20.0), "start", "restart_interval", 280.0),
    ],
)
def test_a_guard_names_itself_and_when_it_would_allow_and_what_is_done_when_it_is_forced(
    now, forced, guard, allowed_in
):
    planned = _restart.plan(now, "restarted", 300)
    assert (planned.action, planned.guard.name, planned.guard.allowed_in) == (forced, guard, allowed_in)
    figures = {
        "crash_loop": ("4 times in 5 min", "the limit is 2", "in 5 min", "bad config"),
        "restart_interval": ("20 s ago", "after 300 s", "in 5 min"),
    }
    text = _guards.refusal(guard, allowed_in, **planned.guard.values).sentence["text"]
    assert all(part in text for part in (f"guard {guard}", "x.service", "aurora_force=REASON", *figures[guard])), text


@given(
    st.sampled_from(sorted(_systemd.PHASES)),
    st.booleans(),
    st.integers(0, 9),
    st.sampled_from([None, 1.0, 9000.0]),
    st.sampled_from(["", "no answer"]),
)
def test_nothing_ever_restarts_the_trading_loop_a_crash_loop_or_twice(states, trades, crashes, ours, problem):
    active, sub = states
    now = current({"ActiveState": active, "SubState": sub}, trades=trades, crashes=crashes, ours=ours, problem=problem)
    planned = _restart.plan(now, "restarted", 300)
    if trades or crashes >= 3 or ours == 1.0:
        assert not planned.changed or planned.guard
    assert _restart.plan(now, "started", 300).action != "restart" or states == ("active", "exited")


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
    """Otherwise one odd line would hold back every restart, or allow one after the other."""
    records = [_record.Record("circuit_breaker-20261123T000000Z-00000000", (restart(100.0, "a", change=[]),))]
    now = _stamps.Clock(1.8e9, "this boot", 120.0)
    assert _restart.ours(records, _systemd.Unit("x", {**RUNS, "InvocationID": "b"}), now) == 20.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("1s", 1.0), ("1s 200ms", 1.2), ("1min 30s", 90.0), ("infinity", None), ("", None), ("x", None)],
)
def test_a_quota_is_read_as_systemd_shows_it(text, seconds):
    assert _systemd.timespan(text) == pytest.approx(seconds) if seconds else _systemd.timespan(text) is None


def test_a_loop_whose_cause_was_mended_is_waited_for():
    looping = current(BACKING_OFF, problem="activating", crashes=9)
    assert _restart.plan(looping, "restarted", 300).guard.name == "crash_loop"
    assert _restart.plan(looping, "restarted", 300, mended=True).action == "wait"


# The module, with a host that is made up

ID = "sse_availability-20261124T180000Z-1a2b3c4d"
OPTIONS = {name: spec.get("default") for name, spec in _options.INCIDENT.items()}
INCIDENT = {**OPTIONS, "id": ID, "run": "first-run", "by": "olena", "severity": "P0"}
PARAMS = {
    "name": "x",
    "state": "restarted",
    "config_test": "none",
    "min_interval_seconds": 300.0,
    "mended": False,
    "health_url": None,
    "start_seconds": 30.0,
    "hold_seconds": 5.0,
    "clients_url": None,
    "recovery": None,
}
LOOP = current(BACKING_OFF, problem="activating", **LOOPS)
AGAIN = current(problem="no answer", up=20.0, ours=20.0)
HELD_BACK = [(LOOP, "crash_loop", 250.0), (AGAIN, "restart_interval", 280.0)]


def call(now, incident, tmp_path, monkeypatch, check_mode=False):
    """What the module returns on such a host, what it did there, and the record's lines on it."""
    acted, state = [], str(tmp_path / "state")
    alone = functools.partial(_lease.exclusive, guard=str(tmp_path / "guard"))
    monkeypatch.setattr(_lease_timer, "changing", alone)
    monkeypatch.setattr(service_restart, "observe", lambda *_arguments: now)
    monkeypatch.setattr(service_restart, "apply", lambda _unit, action, _healthy: acted.append(action) or [])
    conduct = _conduct.Conduct("service_restart", incident, check_mode, state=state)
    result = _conduct._conducted(PARAMS, conduct, service_restart.run)
    lines = [line for name in _record.names(state) for line in _record.read(name, state).entries]
    return result, acted, [line for line in lines if line.what in ("intent", "refused")]


@pytest.mark.parametrize(
    ("now", "replaced"),
    [(current(STARTING), ""), (current(problem="no answer"), ""), (current(BACKING_OFF), "a"), (current(DEAD), "a")],
)
def test_what_is_being_started_already_is_the_start_that_is_waited_for(now, replaced, monkeypatch):
    """It has the id of its new run from the beginning; waiting for one more would call a healthy service refused."""
    asked = []

    def judge(_name, previous, *_rest):
        asked.append(previous)
        return _health.Health(True, "", now.unit)

    monkeypatch.setattr(service_restart._service, "judge", judge)
    planned = _restart.Plan(_restart.WAIT, "systemd_at_it", {"unit": "x.service"})
    assert service_restart.act(now, planned, None)[1]
    assert asked == [replaced]


def test_a_journal_that_hangs_keeps_no_guard_from_its_answer(monkeypatch):
    def hang(*_arguments):
        raise CommandError("journalctl did not finish within 30 s")

    monkeypatch.setattr(service_restart._systemd, "last_words", hang)
    assert service_restart.last_words(RUNS_UNIT) == ""


@pytest.mark.parametrize(("now", "guard", "allowed_in"), HELD_BACK)
def test_a_restart_that_a_guard_holds_back_is_on_record_with_its_numbers(now, guard, allowed_in, tmp_path, monkeypatch):
    """Otherwise nobody who reads the record learns why the feed stayed down, or when it may be tried again."""
    result, acted, (line,) = call(now, INCIDENT, tmp_path, monkeypatch)
    assert (result["verdict"], result["changed"], acted) == ("refused", False, [])
    assert result["diff"]["before"] == result["diff"]["after"]
    assert (line.what, line.data["guard"], line.data["allowed_in"]) == ("refused", guard, allowed_in)
    assert line.data["sentence"]["message"] == result["done"][0]["message"] == f"guard_{guard}"


@pytest.mark.parametrize(("now", "guard", "allowed_in"), HELD_BACK)
def test_a_person_forces_a_restart_and_the_reason_is_on_record(now, guard, allowed_in, tmp_path, monkeypatch):
    forced = {**INCIDENT, "force": "the config is mended"}
    result, acted, (line,) = call(now, forced, tmp_path, monkeypatch)
    assert (result["verdict"], acted, line.what, line.data["forced"]) == (
        "healthy",
        ["restart"],
        "intent",
        "the config is mended",
    )


@pytest.mark.parametrize(("now", "guard", "allowed_in"), HELD_BACK)
@pytest.mark.parametrize(("force", "verdict"), [("", "refused"), ("mended", "would_change")])
def test_check_mode_asks_the_same_guards_and_leaves_nothing(
    now, guard, allowed_in, force, verdict, tmp_path, monkeypatch
):
    result, acted, lines = call(now, {**INCIDENT, "force": force}, tmp_path, monkeypatch, check_mode=True)
    assert (result["verdict"], result["changed"]) == (verdict, verdict == "would_change")
    assert (acted, lines, (tmp_path / "state").exists()) == ([], [], False)


@pytest.mark.parametrize(("now", "guard", "allowed_in"), HELD_BACK)
def test_a_persons_own_call_is_held_back_as_well(now, guard, allowed_in, tmp_path, monkeypatch):
    result, acted, _lines = call(now, None, tmp_path, monkeypatch)
    assert (result["verdict"], result["done"][0]["message"], acted) == ("refused", f"guard_{guard}", [])
