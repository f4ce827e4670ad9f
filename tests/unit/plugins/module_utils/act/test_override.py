# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an override restarts for nothing, builds on a half-done change, or tramples a human's edit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _override, _override_steps, _service
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base import _caller, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import (
    ConflictError,
    FailedError,
    RunbookError,
)
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease
from ansible_collections.aurora.runbook.plugins.modules import service_override
from hypothesis import given
from hypothesis import strategies as st

UNIT = _systemd.Unit(
    "aurora-runner",
    {
        "Id": "aurora-runner.service",
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "MainPID": "7",
        "NeedDaemonReload": "no",
    },
)
PLACE = _override.paths(UNIT.id)
HEALTHY = _service.Healthy("", 30.0, 5.0)


def current(own, lease=None, said=None, unit=UNIT, **limits):
    """A host whose two processes run with ``own``; the files say ``said``, by default what the lease says."""
    said = (lease.written if lease else {}) if said is None else said
    return _override.Current(
        replace(unit, properties={**unit.properties, **limits}),
        lease,
        _override.render_environment(said),
        _override.render_drop_in(said, PLACE.environment),
        {7: own, 8: own},
    )


def lease(written, before, phase=_lease.ACTIVE, previous=None):
    since = "2026-11-23T00:00:00+00:00"
    return _lease.Lease("service_override", UNIT.id, phase, before, written, since, "oncall", previous or {})


def present(now, wanted, direction="reduces", approve=()):
    return _override.plan_present(now, wanted, direction, approve)


def test_a_first_override_remembers_the_running_value_and_restarts():
    plan = present(current({"KELLY_MULTIPLIER": "1.0"}), {"KELLY_MULTIPLIER": "0.5"})
    assert (plan.changed, plan.restart) == (True, True)
    assert (plan.before, plan.written) == ({"KELLY_MULTIPLIER": "1.0"}, {"KELLY_MULTIPLIER": "0.5"})


def test_the_second_run_changes_nothing():
    now = current({"KELLY_MULTIPLIER": "0.5"}, lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}))
    plan = present(now, {"KELLY_MULTIPLIER": "0.5"})
    assert (plan.changed, plan.restart) == (False, False)


def test_the_next_rung_keeps_the_first_and_what_was_before_it():
    now = current(
        {"KELLY_MULTIPLIER": "0.5", "DECISIONS_PER_MINUTE": "30"},
        lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}),
    )
    plan = present(now, {"DECISIONS_PER_MINUTE": "10"})
    assert plan.written == {"KELLY_MULTIPLIER": "0.5", "DECISIONS_PER_MINUTE": "10"}
    assert plan.before == {"KELLY_MULTIPLIER": "1.0", "DECISIONS_PER_MINUTE": "30"}


def test_a_value_that_runs_already_is_held_without_a_restart():
    plan = present(current({"KELLY_MULTIPLIER": "0.5"}), {"KELLY_MULTIPLIER": "0.5"})
    assert (plan.changed, plan.restart, plan.written) == (True, False, {"KELLY_MULTIPLIER": "0.5"})


def test_a_stricter_running_value_is_kept_not_loosened():
    plan = present(current({"KELLY_MULTIPLIER": "0.3"}), {"KELLY_MULTIPLIER": "0.5"})
    assert (plan.changed, [step.before for step in plan.kept]) == (False, ["0.3"])


def test_a_stricter_value_of_an_unfinished_change_of_ours_is_kept_too():
    half = lease({"KELLY_MULTIPLIER": "0.3"}, {"KELLY_MULTIPLIER": "1.0"}, _lease.APPLYING)
    plan = present(current({"KELLY_MULTIPLIER": "0.3"}, half), {"KELLY_MULTIPLIER": "0.5"})
    assert plan.written == {"KELLY_MULTIPLIER": "0.3"}


def test_what_two_unfinished_changes_left_running_is_found():
    first = lease({}, {"KELLY_MULTIPLIER": "1.0"}, _lease.REMOVING)
    twice = replace(first, attempts=[{"KELLY_MULTIPLIER": "0.5"}])
    assert _override.plan_absent(current({"KELLY_MULTIPLIER": "0.5"}, twice, {})).restart


def test_an_unfinished_change_may_restart_a_service_that_it_left_dead():
    half = lease({"KELLY_MULTIPLIER": "0.5"}, {}, _lease.APPLYING)
    dead = _systemd.Unit("x", {**UNIT.properties, "ActiveState": "activating", "SubState": "auto-restart"})
    _override.check_unit(current({}, half, unit=dead), "present", {"KELLY_MULTIPLIER": "0.5"})


def test_raising_exposure_waits_for_its_name():
    now = current({"SPREAD_THRESHOLD": "1.5"})
    waiting = present(now, {"SPREAD_THRESHOLD": "2.0"}, "increases")
    assert (waiting.changed, [step.name for step in waiting.unapproved]) == (False, ["SPREAD_THRESHOLD"])
    assert present(now, {"SPREAD_THRESHOLD": "2.0"}, "increases", ["kelly_multiplier"]).unapproved
    assert present(now, {"SPREAD_THRESHOLD": "2.0"}, "increases", ["spread_threshold"]).restart


def test_approval_alone_does_not_turn_a_reducing_step_into_a_raising_one():
    plan = present(current({"KELLY_MULTIPLIER": "0.3"}), {"KELLY_MULTIPLIER": "0.5"}, "reduces", ["kelly_multiplier"])
    assert not plan.changed


def test_files_that_were_written_but_never_took_effect_need_the_restart():
    now = current({"KELLY_MULTIPLIER": "1.0"}, lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}))
    assert present(now, {"KELLY_MULTIPLIER": "0.5"}).restart


@pytest.mark.parametrize("said", [{}, {"KELLY_MULTIPLIER": "0.5"}])
def test_a_change_killed_half_way_is_done_again(said):
    half = lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}, _lease.APPLYING)
    now = current({"KELLY_MULTIPLIER": "1.0"}, half, said)
    _override.check_files(now)
    plan = present(now, {"KELLY_MULTIPLIER": "0.5"})
    assert (plan.changed, plan.restart, plan.before) == (True, True, {"KELLY_MULTIPLIER": "1.0"})


def test_a_half_done_raise_is_not_finished_by_a_run_that_nobody_approved():
    both = {"KELLY_MULTIPLIER": "0.5", "SPREAD_THRESHOLD": "2.0"}
    half = lease(
        both, {"KELLY_MULTIPLIER": "1.0", "SPREAD_THRESHOLD": "1.5"}, _lease.APPLYING, {"KELLY_MULTIPLIER": "0.5"}
    )
    plan = present(current(both, half), {"KELLY_MULTIPLIER": "0.5"})
    assert plan.written == {"KELLY_MULTIPLIER": "0.5"}
    assert (plan.changed, plan.restart) == (True, True)


def test_what_was_before_survives_a_crash_after_the_restart():
    half = lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}, _lease.APPLYING)
    plan = present(current({"KELLY_MULTIPLIER": "0.5"}, half), {"KELLY_MULTIPLIER": "0.5"})
    assert (plan.changed, plan.before, plan.written) == (True, {"KELLY_MULTIPLIER": "1.0"}, {"KELLY_MULTIPLIER": "0.5"})


def test_absent_gives_everything_back_with_a_restart():
    own = {"KELLY_MULTIPLIER": "0.5"}
    plan = _override.plan_absent(current(own, lease(own, {"KELLY_MULTIPLIER": "1.0"})))
    assert (plan.changed, plan.restart, plan.steps[0].after) == (True, True, "1.0")


def test_absent_leaves_a_stopped_or_already_different_service_alone():
    own = lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"})
    stopped = _systemd.Unit("x", {**UNIT.properties, "ActiveState": "inactive", "SubState": "dead"})
    assert not _override.plan_absent(current({"KELLY_MULTIPLIER": "0.5"}, own, unit=stopped)).restart
    assert not _override.plan_absent(current({"KELLY_MULTIPLIER": "0.7"}, own)).restart


def test_absent_without_a_lease_is_unchanged():
    assert not _override.plan_absent(current({})).changed


def test_a_humans_edit_of_our_files_is_left_alone():
    own = lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"})
    for now in (
        current({}, own, {"KELLY_MULTIPLIER": "0.4"}),
        replace(current({}, own), environment_text=None),
        replace(current({}, own), drop_in_text=current({}, own).drop_in_text + "Nice=5\n"),
        replace(current({}), environment_text="KELLY_MULTIPLIER=2\n"),
    ):
        with pytest.raises(ConflictError, match="left alone"):
            _override.check_files(now)


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"LoadState": "not-found"}, "not-found"),
        ({"LoadState": "masked"}, "masked"),
        ({"Transient": "yes"}, "transient"),
        ({"NeedDaemonReload": "yes"}, "daemon-reload"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "start it first"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, "start it first"),
    ],
)
def test_units_that_cannot_be_overridden_are_refused_by_reason(properties, said):
    with pytest.raises(RunbookError, match=said):
        _override.check_unit(
            current({}, unit=_systemd.Unit("x", {**UNIT.properties, **properties})),
            "present",
            {"KELLY_MULTIPLIER": "1"},
        )


def kelly(phase=_lease.ACTIVE):
    return lease({"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}, phase)


@pytest.mark.parametrize("state", ["masked", "not-found"])
def test_what_stands_for_a_unit_that_is_gone_can_still_be_given_back(state):
    """Otherwise revert fails on that host for ever, and so does every playbook before it reaches the other hosts."""
    own = {"KELLY_MULTIPLIER": "0.5"}
    now = current(own, kelly(), LoadState=state, NeedDaemonReload="yes")
    _override.check_unit(now, "absent", {})
    plan = _override.plan_absent(now)
    assert (plan.changed, plan.restart, plan.written) == (True, False, {})
    for would, key in ((False, "gone_removed"), (True, "gone_would_be_removed")):
        (said,) = _override.told_gone(now, plan, would)
        assert (said["message"], said["values"]["state"]) == (key, state)
        assert "KELLY_MULTIPLIER 0.5 → 1.0" in said["text"]
    stopped = replace(now, unit=current({}, unit=now.unit, ActiveState="failed").unit, processes={})
    assert _override.changes(_override.plan_absent(stopped).steps) == "KELLY_MULTIPLIER 0.5 → 1.0"
    with pytest.raises(RunbookError, match=state):
        _override.check_unit(now, "present", own)
    with pytest.raises(ConflictError, match="edited"):
        _override.check_files(replace(now, environment_text="KELLY_MULTIPLIER=2\n"), missing=True)


def test_a_unit_that_never_had_a_lease_and_is_not_there_is_refused():
    """Its name may be mistyped: "given back" would be a lie."""
    with pytest.raises(RunbookError, match="not-found"):
        _override.check_unit(current({}, LoadState="not-found"), "absent", {})
    assert _override.told_gone(current({}, kelly()), _override.plan_absent(current({}, kelly()))) == []


def test_a_unit_that_is_gone_is_settled_only_where_nothing_is_left_of_the_override():
    half = lease(P_RAISED, P_BEFORE, _lease.APPLYING)
    now = current({}, half, {}, ActiveState="failed", LoadState="masked")
    _override.check_unit(now, "settled", {})
    plan = _override.plan_settled(now)
    assert (plan.changed, plan.restart, plan.written) == (True, False, {})
    for other in (kelly(), kelly(_lease.APPLYING)):
        with pytest.raises(RunbookError, match="masked"):
            _override.check_unit(current({}, other, LoadState="masked"), "settled", {})


def test_a_unit_that_is_gone_is_neither_restarted_nor_proven(monkeypatch):
    """A unit that is gone has no file in which ours could be the last, so each removal would be undone."""
    done = []
    monkeypatch.setattr(_lease, "save", lambda lease: done.append(lease.phase))
    monkeypatch.setattr(_override_steps, "install", lambda lease, override: done.append(override))
    monkeypatch.setattr(_override_steps._service, "systemctl", lambda *words: done.append(words))
    monkeypatch.setattr(_override_steps._service, "observe", None)
    now = current({"KELLY_MULTIPLIER": "0.5"}, kelly(), LoadState="masked")
    working, restarted = _override_steps.apply(now, _override.plan_absent(now), HEALTHY)
    assert (done, restarted) == (["removing", {}, ("daemon-reload",)], False)
    assert working.previous == {"KELLY_MULTIPLIER": "0.5"}


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_module_says_of_a_unit_that_is_gone_what_it_does_and_proves_nothing(check_mode, monkeypatch, tmp_path):
    now = current({"KELLY_MULTIPLIER": "0.5"}, kelly(), LoadState="not-found")
    now, done = replace(now, drop_in_text=None), []  # its directory went with it
    monkeypatch.setattr(_override_steps, "observe", lambda _name: now)
    monkeypatch.setattr(_override_steps, "install", lambda _lease, override: done.append(override))
    monkeypatch.setattr(_override_steps._service, "systemctl", lambda *words: done.append(words))
    monkeypatch.setattr(_lease, "save", lambda _lease: None)
    monkeypatch.setattr(_lease, "drop", done.append)
    given = {"name": UNIT.id, "state": "absent", "start_seconds": 30.0, "hold_seconds": 5.0, "lease_seconds": 0}
    params = {**given, **dict.fromkeys(("environment", "limits", "health_url", "recovery"))}
    conduct = _conduct.Conduct("service_override", None, check_mode, state=str(tmp_path))
    result = service_override.run(params, conduct)
    said = [one["message"] for one in result["done"]]
    assert (result["changed"], result["restarted"], result["overridden"]) == (True, False, {})
    if check_mode:
        assert (result["verdict"], said, done) == ("would_change", ["gone_would_be_removed"], [])
    else:
        assert (result["verdict"], said) == ("unknown", ["gone_removed"])
        assert done == [{}, ("daemon-reload",), UNIT.id]


def test_our_own_unfinished_change_does_not_lock_us_out():
    half = lease({"KELLY_MULTIPLIER": "0.5"}, {}, _lease.APPLYING)
    _override.check_unit(
        current({}, half, unit=_systemd.Unit("x", {**UNIT.properties, "NeedDaemonReload": "yes"})), "present", {}
    )


@pytest.mark.parametrize(
    ("files", "last"),
    [
        ("/etc/aurora/runner.env (ignore_errors=no)\n{ours} (ignore_errors=yes)", True),
        ("{ours} (ignore_errors=yes)\n/etc/later.env (ignore_errors=no)", False),
        ("", False),
    ],
)
def test_only_the_last_environment_file_wins(files, last):
    unit = _systemd.Unit("x", {**UNIT.properties, "EnvironmentFiles": files.format(ours=PLACE.environment)})
    if last:
        _override.check_last(unit, {"K": "1"})
    else:
        with pytest.raises(RunbookError, match="not the last"):
            _override.check_last(unit, {"K": "1"})


@pytest.mark.parametrize(
    ("name", "text", "override", "beaten"),
    [
        ("zzzz.conf", "[Service]\nEnvironmentFile=/etc/x.env\n", {"K": "1"}, "zzzz.conf"),
        ("zzzz.conf", "[Service]\nEnvironmentFile=\n", {"K": "1"}, "zzzz.conf"),
        ("zzzz.conf", "[Service]\n  EnvironmentFile = -/etc/x.env\n", {"K": "1"}, "zzzz.conf"),
        ("zzzz.conf", "[Service]\nEnvironmentFile=/etc/x.env\n", {"MemoryMax": "1G"}, ""),
        ("zzzz.conf", "[Service]\n#EnvironmentFile=/etc/x.env\nEnvironment=K=2\n", {"K": "1"}, ""),
        ("50-x.conf", "[Service]\nEnvironmentFile=/etc/x.env\n", {"K": "1"}, ""),
        ("zzz-aurora-runbook.conf", "[Service]\nEnvironmentFile=-/etc/x.env\n", {"K": "1"}, ""),
        ("zzzz.conf", "[Service]\nMemoryMax=300M\n", {"MemoryMax": "1G"}, "MemoryMax is 300M instead of 1G"),
        ("zzzz.conf", "[Service]\nMemoryMax=2G\n", {"MemoryMax": "1G"}, ""),
        ("zzzz.conf", "[Service]\nMemoryMax=infinity\n", {"MemoryMax": "1G"}, ""),
        ("zzzz.conf", "[Service]\nMemoryMax=10%\n", {"MemoryMax": "1G"}, ""),
        ("zzzz.conf", "[Service]\nCPUQuota=50%\n", {"CPUQuota": "100%"}, "CPUQuota is 50% instead of 100%"),
        ("zzzz.conf", "[Service]\nCPUQuota=50%\n", {"K": "1"}, ""),
    ],
)
def test_a_drop_in_that_would_beat_ours_is_named_before_anything_is_written(name, text, override, beaten):
    texts = {f"/etc/systemd/system/{UNIT.id}.d/{name}": text}
    if not beaten:
        _override.check_later(UNIT, texts, override)
        return
    with pytest.raises(RunbookError, match=beaten):
        _override.check_later(UNIT, texts, override)


def test_a_variable_the_unit_unsets_is_refused():
    with pytest.raises(RunbookError, match="UnsetEnvironment=KELLY_MULTIPLIER"):
        _override.check_unset(_systemd.Unit("x", {"UnsetEnvironment": "A KELLY_MULTIPLIER"}), {"KELLY_MULTIPLIER": "1"})


# Limits

SMALL = {"MemoryMax": str(512 << 20), "MemoryHigh": "infinity", "CPUQuotaPerSecUSec": "500ms", "MemoryCurrent": "1000"}
LARGE = {**SMALL, "MemoryMax": str(1 << 30)}
RAISED = {"MemoryMax": "1G"}
LOOPING = {"ActiveState": "activating", "SubState": "auto-restart"}
FAILED = {"ActiveState": "failed", "SubState": "failed"}


def test_a_limit_is_raised_on_the_running_service():
    plan = present(current({}, **SMALL), {"MemoryMax": "1G", "CPUQuota": "100%"})
    assert (plan.changed, plan.restart, plan.written) == (True, False, {"MemoryMax": "1G", "CPUQuota": "100%"})
    assert plan.before == {"MemoryMax": "512M", "CPUQuota": "50%"}
    assert {step.direction for step in plan.steps} == {"neutral"}


def test_a_raised_limit_is_not_raised_again():
    plan = present(current({}, lease(RAISED, {"MemoryMax": "512M"}), **LARGE), RAISED)
    assert (plan.changed, plan.restart) == (False, False)


@pytest.mark.parametrize("wanted", [{"MemoryMax": "256M"}, {"MemoryHigh": "900M"}, {"CPUQuota": "49%"}])
def test_a_limit_is_never_lowered(wanted):
    plan = present(current({}, **SMALL), wanted)
    assert (plan.changed, plan.written, [step.after for step in plan.kept]) == (False, {}, [*wanted.values()])


def test_a_limit_that_somebody_widened_beyond_ours_stays():
    wider = {**SMALL, "MemoryMax": "infinity"}
    plan = present(current({}, lease(RAISED, {"MemoryMax": "512M"}), **wider), RAISED)
    assert (plan.changed, len(plan.kept)) == (False, 1)


def test_a_limit_that_lost_its_effect_is_raised_anew():
    plan = present(current({}, lease(RAISED, {"MemoryMax": "512M"}), **SMALL), RAISED)
    assert (plan.changed, plan.before) == (True, {"MemoryMax": "512M"})


@pytest.mark.parametrize("state", [LOOPING, FAILED])
def test_a_service_that_its_limit_killed_is_started_with_a_larger_one(state):
    now = current({}, **SMALL, **state)
    _override.check_unit(now, "present", RAISED)
    assert present(now, RAISED).restart
    with pytest.raises(RunbookError, match="start it first"):
        _override.check_unit(now, "present", {**RAISED, "KELLY_MULTIPLIER": "0.5"})


def test_a_service_that_somebody_stopped_is_not_started_by_a_limit():
    with pytest.raises(RunbookError, match="start it first"):
        _override.check_unit(current({}, ActiveState="inactive", SubState="dead"), "present", RAISED)


def test_limits_join_the_variables_that_stand():
    own = {"KELLY_MULTIPLIER": "0.5"}
    plan = present(current(own, lease(own, {"KELLY_MULTIPLIER": "1.0"}), **SMALL), RAISED)
    assert (plan.written, plan.restart) == ({**own, **RAISED}, False)


@pytest.mark.parametrize(("used", "restart"), [(100 << 20, False), (700 << 20, True)])
def test_a_limit_is_given_back_without_a_kill(used, restart):
    own = lease(RAISED, {"MemoryMax": "512M"})
    plan = _override.plan_absent(replace(current({}, own, **LARGE), memory=used))
    assert (plan.changed, plan.restart, plan.steps[0].after) == (True, restart, "512M")


def test_the_files_say_only_what_is_overridden():
    assert _override.render_environment(RAISED) is None
    assert _override.render_drop_in(RAISED, "/x").splitlines()[1:] == ["[Service]", "MemoryMax=1G"]
    both = {"KELLY_MULTIPLIER": "0.5", **RAISED}
    assert _override.render_drop_in(both, "/x").splitlines()[1:] == ["[Service]", "EnvironmentFile=-/x", "MemoryMax=1G"]
    assert "MemoryMax" not in _override.render_environment(both)
    assert _override.render_drop_in({}, "/x") is None


def test_a_variable_cannot_pass_for_a_limit():
    with pytest.raises(RunbookError, match="MemoryMax"):
        _knobs.check({"MemoryMax": "infinity"})


@pytest.mark.parametrize(
    ("held", "wanted", "bare"),
    [
        (None, {"DECISIONS_PER_MINUTE": "10"}, True),
        (None, {"KELLY_MULTIPLIER": "0.5"}, False),
        (None, {"KELLY_MULTIPLIER": "0.5", "DECISIONS_PER_MINUTE": "10"}, False),
        ({"KELLY_MULTIPLIER": "0.5"}, {"DECISIONS_PER_MINUTE": "10"}, False),  # the rung before made it smaller
        ({"CALIBRATION_DAYS": "90"}, {"DECISIONS_PER_MINUTE": "10"}, True),
    ],
)
def test_a_restart_that_would_close_an_open_breaker_at_full_size_is_seen(held, wanted, bare):
    """A trading loop that starts anew forgets its open breaker: only a smaller Kelly makes that safe."""
    normal = {"KELLY_MULTIPLIER": "1.0", "DECISIONS_PER_MINUTE": "30", "CALIBRATION_DAYS": "30"}
    now = current({**normal, **(held or {})}, lease(held, {name: normal[name] for name in held}) if held else None)
    assert _override.bare(now, present(now, wanted)) is bare
    assert _override.keep(now).written == (held or {})


def test_only_a_restart_of_the_trading_loop_is_bare():
    """Other services have no breaker to lose, and a change without a restart closes none."""
    feed = current({"FEED_PORT": "8001"})
    assert not _override.bare(feed, present(feed, {"CALIBRATION_DAYS": "90"}))
    runner = current({"KELLY_MULTIPLIER": "1.0", "CALIBRATION_DAYS": "90"})
    assert not _override.bare(runner, present(runner, {"CALIBRATION_DAYS": "90"}))


# Settling, and ends

P_RAISED = {"P_THRESHOLD": "0.5"}
P_BEFORE = {"P_THRESHOLD": "0.7"}
KELLY_LOW, KELLY_BEFORE = {"KELLY_MULTIPLIER": "0.5"}, {"KELLY_MULTIPLIER": "1.0"}
BOTH, BOTH_BEFORE = {**KELLY_LOW, **P_RAISED}, {**KELLY_BEFORE, **P_BEFORE}
CLOCK = _stamps.Clock(1.8e9, "boot", 1000.0)
WATCH = {"indicator": "circuit_breaker", "url": "http://localhost:9000/metrics", "threshold": 2.0}


@pytest.mark.parametrize(
    ("previous", "written", "left", "finished", "undone"),
    [
        ({}, P_RAISED, {}, [], ["P_THRESHOLD"]),
        ({}, KELLY_LOW, KELLY_LOW, ["KELLY_MULTIPLIER"], []),
        ({}, BOTH, KELLY_LOW, ["KELLY_MULTIPLIER"], ["P_THRESHOLD"]),
        (KELLY_LOW, BOTH, KELLY_LOW, [], ["P_THRESHOLD"]),
        (KELLY_LOW, {"KELLY_MULTIPLIER": "0.3"}, {"KELLY_MULTIPLIER": "0.3"}, ["KELLY_MULTIPLIER"], []),
        (KELLY_LOW, {"KELLY_MULTIPLIER": "0.7"}, KELLY_LOW, [], ["KELLY_MULTIPLIER"]),
        (KELLY_LOW, {}, KELLY_LOW, [], ["KELLY_MULTIPLIER"]),  # a removal: the override stays
        (P_RAISED, {}, {}, ["P_THRESHOLD"], []),  # the removal of a raise
        (BOTH, KELLY_LOW, KELLY_LOW, ["P_THRESHOLD"], []),  # an end that was cut off
        ({}, {"MemoryMax": "1G"}, {"MemoryMax": "1G"}, ["MemoryMax"], []),
        ({}, {"CALIBRATION_DAYS": "90"}, {"CALIBRATION_DAYS": "90"}, ["CALIBRATION_DAYS"], []),
    ],
)
def test_what_was_cut_off_is_finished_unless_it_raises_exposure(previous, written, left, finished, undone):
    before = {**BOTH_BEFORE, "MemoryMax": "512M", "CALIBRATION_DAYS": "30"}
    phase = _lease.APPLYING if written else _lease.REMOVING
    settled = _override.settle(lease(written, before, phase, previous))
    assert settled[0] == left
    assert [[step.name for step in steps] for steps in settled[1:]] == [finished, undone]


VALUES = st.dictionaries(st.sampled_from(sorted(_knobs.KNOBS)), st.sampled_from(["0.4", "0.5", "0.8"]))


@given(VALUES, VALUES)
def test_settling_never_raises_exposure_against_what_was_said_before(previous, written):
    before = dict.fromkeys({*previous, *written}, "0.6")
    half = lease(written, before, _lease.APPLYING if written else _lease.REMOVING, previous)
    for name in before:
        said, left = (entry.get(name, "0.6") for entry in (previous, _override.settle(half)[0]))
        assert _knobs.direction(name, said, left) != "increases"


def test_an_unproven_raise_is_taken_out_of_the_running_process_and_only_then_restarted():
    half = lease(BOTH, BOTH_BEFORE, _lease.APPLYING, KELLY_LOW)
    plan = _override.plan_settled(current(BOTH, half))
    assert (plan.written, plan.changed, plan.restart) == (KELLY_LOW, True, True)
    untouched = _override.plan_settled(current({**KELLY_LOW, **P_BEFORE}, half))
    assert (untouched.written, untouched.changed, untouched.restart) == (KELLY_LOW, True, False)


def test_a_reduction_that_never_reached_the_process_is_finished_with_a_restart():
    half = lease(KELLY_LOW, KELLY_BEFORE, _lease.APPLYING)
    assert _override.plan_settled(current(KELLY_BEFORE, half)).restart


@pytest.mark.parametrize(
    ("state", "sub", "restart"),
    [
        ("inactive", "dead", False),
        ("deactivating", "stop-sigterm", False),
        ("failed", "failed", True),
        ("activating", "auto-restart", True),
        ("activating", "start-pre", True),
    ],
)
def test_a_stopped_service_stays_stopped_and_one_that_the_change_broke_is_started(state, sub, restart):
    half = lease(P_RAISED, P_BEFORE, _lease.APPLYING)
    now = replace(current({}, half, ActiveState=state, SubState=sub), processes={})
    assert _override.plan_settled(now).restart == restart


def test_nothing_unfinished_nothing_settled():
    assert not _override.plan_settled(current(KELLY_LOW, lease(KELLY_LOW, KELLY_BEFORE))).changed
    assert not _override.plan_settled(current({})).changed


def test_the_end_of_a_raise_leaves_the_reduction_beside_it():
    """The smaller Kelly must not go with the approved spread: both stand in one lease."""
    plan = _override.plan_end(current(BOTH, lease(BOTH, BOTH_BEFORE)), {"P_THRESHOLD"})
    assert (plan.written, plan.restart) == (KELLY_LOW, True)
    assert [(step.name, step.after) for step in plan.steps] == [("P_THRESHOLD", "0.7")]


def test_the_end_of_a_lease_leaves_a_service_alone_that_does_not_run_or_has_another_value():
    own = lease(P_RAISED, P_BEFORE)
    stopped = replace(current({}, own, ActiveState="inactive", SubState="dead"), processes={})
    assert not _override.plan_end(stopped, {"P_THRESHOLD"}).restart
    assert not _override.plan_end(current(P_BEFORE, own), {"P_THRESHOLD"}).restart


def test_the_end_of_a_lease_settles_what_was_cut_off_beside_it():
    half = lease(BOTH, BOTH_BEFORE, _lease.APPLYING, P_RAISED)
    assert _override.plan_end(current(BOTH, half), {"P_THRESHOLD"}).written == KELLY_LOW


def ends(now, wanted, seconds=0, approve=(), watch=WATCH, direction="increases"):
    planned = present(now, wanted, direction, approve)
    return _override.ends(now, planned, seconds, approve, watch, CLOCK)


def test_a_raise_always_has_an_end_and_a_reduction_only_when_asked():
    running = current({**KELLY_BEFORE, **P_BEFORE})
    assert {name: end.seconds for name, end in ends(running, BOTH, approve=["p_threshold"]).items()} == {
        "P_THRESHOLD": 7200
    }
    asked = ends(running, BOTH, 600, ["p_threshold"])
    assert {name: (end.seconds, end.watch) for name, end in asked.items()} == {
        "KELLY_MULTIPLIER": (600, WATCH),
        "P_THRESHOLD": (600, {}),
    }


def test_applying_again_renews_and_a_raise_only_with_a_new_approval():
    """A playbook run every minute from an alert would keep for ever what a person approved for two hours."""
    old = _lease.end(600, replace(CLOCK, up=500.0), "increases")
    own = replace(lease(P_RAISED, P_BEFORE), ends={"P_THRESHOLD": old})
    assert ends(current(P_RAISED, own), P_RAISED, 600) == {"P_THRESHOLD": old}
    assert ends(current(P_RAISED, own), P_RAISED, 600, ["p_threshold"])["P_THRESHOLD"].granted_up == CLOCK.up


def test_applying_a_reduction_again_without_a_time_keeps_its_end_and_with_one_renews_it():
    """A playbook that does not name the time would make a reduction of one hour endless."""
    old = _lease.end(600, replace(CLOCK, up=500.0), "reduces", WATCH)
    now = current(KELLY_LOW, replace(lease(KELLY_LOW, KELLY_BEFORE), ends={"KELLY_MULTIPLIER": old}))
    assert ends(now, KELLY_LOW) == ends(now, KELLY_LOW, watch=None) == {"KELLY_MULTIPLIER": old}
    lower = ends(now, {"KELLY_MULTIPLIER": "0.2"}, watch=None)
    assert lower == {"KELLY_MULTIPLIER": old}
    assert ends(now, KELLY_LOW, 3600)["KELLY_MULTIPLIER"] == _lease.end(3600, CLOCK, "reduces", WATCH)
    assert ends(current(P_RAISED, replace(lease(P_RAISED, P_BEFORE), ends={})), P_RAISED)["P_THRESHOLD"].seconds == 7200


def test_a_reduction_does_not_end_as_the_raise_before_it_would():
    """Its end asks no indicator: the host would go back to full size in the middle of an incident."""
    raised = _lease.end(600, CLOCK, "increases")
    own = replace(lease({"KELLY_MULTIPLIER": "0.8"}, {"KELLY_MULTIPLIER": "0.5"}), ends={"KELLY_MULTIPLIER": raised})
    now = current({"KELLY_MULTIPLIER": "0.8"}, own)
    assert ends(now, {"KELLY_MULTIPLIER": "0.3"}, direction="reduces") == {}
    asked = ends(now, {"KELLY_MULTIPLIER": "0.3"}, 600, direction="reduces")
    assert asked == {"KELLY_MULTIPLIER": _lease.end(600, CLOCK, "reduces", WATCH)}


def test_only_an_end_that_moved_is_renewed_and_that_is_on_record(monkeypatch):
    """Otherwise nobody finds out who keeps a value on, or the record grows with every call."""
    renewed = []
    monkeypatch.setattr(service_override._lease_timer, "install", lambda: None)
    old = _lease.end(600, replace(CLOCK, up=500.0), "reduces", WATCH)
    now = current(KELLY_LOW, replace(lease(KELLY_LOW, KELLY_BEFORE), ends={"KELLY_MULTIPLIER": old}))
    planned, conduct = present(now, KELLY_LOW), _conduct.Conduct("service_override", None, False)
    monkeypatch.setattr(_conduct.Conduct, "renew", lambda *given: renewed.append(given))
    for seconds in (0, 600):
        until = ends(now, KELLY_LOW, seconds)
        assert service_override.apply(now, planned, HEALTHY, until, conduct) == (None, False)
    assert renewed == [(conduct, now.lease, {"KELLY_MULTIPLIER": _lease.end(600, CLOCK, "reduces", WATCH)})]


@pytest.mark.parametrize(("seconds", "renewed"), [(600, True), (0, False)])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_renewal_changes_the_lease_and_says_so(seconds, renewed, check_mode, monkeypatch, tmp_path):
    """A lease is written; and a second run that renews nothing is unchanged."""
    old = _lease.end(600, replace(CLOCK, up=500.0), "increases")
    now = current(P_RAISED, replace(lease(P_RAISED, P_BEFORE), ends={"P_THRESHOLD": old}))
    written = []
    monkeypatch.setattr(_override_steps, "observe", lambda _name: now)
    monkeypatch.setattr(service_override._lease_timer, "install", lambda: None)
    monkeypatch.setattr(service_override._limits, "host", lambda: (1 << 30, 1))
    monkeypatch.setattr(_conduct.Conduct, "renew", lambda _self, _lease, ends: written.append(ends))
    given = {"name": UNIT.id, "state": "present", "start_seconds": 30.0, "hold_seconds": 5.0, "environment": P_RAISED}
    given |= {"direction": "increases", "approve": ["p_threshold"] if seconds else [], "lease_seconds": seconds}
    conduct = _conduct.Conduct("service_override", None, check_mode, state=str(tmp_path))
    result = service_override.run({**given, **dict.fromkeys(("limits", "health_url", "recovery"))}, conduct)
    assert (result["changed"], len(written)) == (renewed, int(renewed and not check_mode))
    assert result.get("verdict") == ("would_change" if renewed and check_mode else None)
    assert (result["diff"]["before"] != result["diff"]["after"]) == renewed


def test_another_call_leaves_an_end_as_it_is():
    old = _lease.end(600, replace(CLOCK, up=500.0), "increases")
    own = replace(lease(P_RAISED, P_BEFORE), ends={"P_THRESHOLD": old})
    now = current({**P_RAISED, **KELLY_BEFORE}, own)
    assert ends(now, KELLY_LOW) == {"P_THRESHOLD": old}
    assert set(ends(now, KELLY_LOW, 600)) == {"P_THRESHOLD", "KELLY_MULTIPLIER"}


def test_a_raise_of_a_time_before_there_were_ends_gets_one():
    now = current({**P_RAISED, **KELLY_BEFORE}, lease(P_RAISED, P_BEFORE))
    assert ends(now, KELLY_LOW)["P_THRESHOLD"].seconds == 7200


def test_a_reduction_that_nobody_could_judge_gets_no_end():
    with pytest.raises(RunbookError, match="needs `recovery`"):
        ends(current(KELLY_BEFORE), KELLY_LOW, 600, watch=None)


def test_a_file_that_is_gone_does_not_keep_a_raise_from_its_end_and_an_edited_one_does():
    own = lease(P_RAISED, P_BEFORE)
    gone = replace(current(P_RAISED, own), environment_text=None)
    _override.check_files(gone, missing=True)
    with pytest.raises(ConflictError, match="edited"):
        _override.check_files(replace(gone, drop_in_text="[Service]\nNice=5\n"), missing=True)


def test_an_override_of_a_unit_that_has_another_name_now_is_not_called_given_back(monkeypatch):
    """The old name is an alias of the new one, and its drop-in may still act."""
    unit = _systemd.Unit("old.service", {"Id": "new.service"})
    monkeypatch.setattr(_override_steps._service, "observe", lambda _name: unit)
    monkeypatch.setattr(_override_steps._lease, "load", {"old.service": kelly()}.get)
    with pytest.raises(ConflictError, match="has an override of ours and is new"):
        _override_steps.observe("old.service")


# What each process had before

RUN = {"INVOCATION_ID": "new"}
OLD = {"INVOCATION_ID": "old"}


def tree(processes, invocation="new", **commands):
    """A unit whose main process is 7; commands by pid."""
    unit = replace(UNIT, properties={**UNIT.properties, "InvocationID": invocation})
    named = {int(pid.removeprefix("p")): tuple(command.split()) for pid, command in commands.items()}
    return _override.Current(unit, None, None, None, processes, commands=named)


def faults(now, before=None, gone=()):
    return [(one.text.split()[1], one.final) for one in _override.wrong(now, {"K": "2"}, before, gone)]


def test_a_helper_that_never_had_the_unit_environment_need_not_have_the_value():
    assert faults(tree({7: {**RUN, "K": "2"}})) == []
    assert faults(tree({7: {**RUN, "K": "2"}, 8: {}})) == []
    assert faults(tree({7: {**RUN, "K": "2"}, 8: {"K": "1"}})) == [("8", True)]
    assert faults(tree({7: {}, 8: {**RUN, "K": "2"}})) == [("7", False)]


def test_a_helper_that_lacked_the_variable_before_need_not_have_it_and_one_that_had_it_must():
    before = tree({7: {**OLD, "K": "1"}, 8: OLD, 9: {**OLD, "K": "1"}}, "old", p7="run", p8="helper -x", p9="worker")
    after = {"p7": "run", "p8": "worker", "p9": "helper -x"}
    assert faults(tree({7: {**RUN, "K": "2"}, 8: {**RUN, "K": "2"}, 9: RUN}, **after), before) == []
    assert faults(tree({7: {**RUN, "K": "2"}, 8: RUN, 9: RUN}, **after), before) == [("8", True)]
    unset = tree({7: OLD, 9: OLD}, "old", p7="sh run", p9="worker")  # nothing had it, so it says nothing
    assert faults(tree({7: {**RUN, "K": "2"}, 8: RUN}, p7="run", p8="worker"), unset) == [("8", True)]


def test_where_a_shell_waits_for_what_it_started_one_of_those_has_the_value():
    """Otherwise the wrapper alone proves an override that the service never saw."""
    shell = {"p7": "/bin/sh -c x", "p8": "run", "p9": "helper"}
    assert faults(tree({7: {**RUN, "K": "2"}, 8: {}}, **shell)) == [("8", False)]
    assert faults(tree({7: {**RUN, "K": "2"}, 8: {**RUN, "K": "2"}, 9: {}}, **shell)) == []


def test_only_the_environment_of_this_start_is_final():
    old, about_to_start = {**OLD, "K": "1"}, {"PATH": "/"}
    assert faults(tree({7: old})) == [("7", False)]
    assert faults(tree({7: about_to_start})) == [("7", False)]
    assert faults(tree({7: {**RUN, "K": "1"}})) == [("7", True)]
    assert faults(tree({7: {**RUN, "K": "2"}, 8: {**RUN, "L": "5"}}), gone=[("L", "5")]) == [("8", True), ("8", True)]
    assert faults(tree({})) != []


def test_a_helper_makes_no_override_stale():
    own = {"KELLY_MULTIPLIER": "0.5"}
    now = replace(current(own, kelly()), processes={7: {**RUN, **own}, 8: {}, 9: {"KELLY_MULTIPLIER": "0.5"}})
    assert not present(now, own).changed
    reduced = replace(now, processes={**now.processes, 8: RUN}, commands={7: ("run",), 8: ("helper",)})
    assert not present(reduced, own).changed, "proven beside it, and proven again"
    assert present(replace(now, processes={**now.processes, 9: {"KELLY_MULTIPLIER": "1.0"}}), own).restart


@pytest.mark.parametrize(
    ("argv", "refused"),
    [
        ("/usr/bin/env KELLY_MULTIPLIER=1.0 /opt/run", True),
        ("/usr/bin/env -u A B=2 KELLY_MULTIPLIER=1.0 /opt/run", False),  # what -u takes cannot be told from a command
        ("/usr/bin/env B=2 KELLY_MULTIPLIER=1.0 /opt/run", True),
        ("/bin/sh -c KELLY_MULTIPLIER=1.0 /opt/run; exit 1", True),
        ("/bin/bash -lc export A=1; export KELLY_MULTIPLIER='1.0'; exec /opt/run", True),
        ("/usr/bin/env KELLY_MULTIPLIER=0.5 /opt/run", False),
        ("/bin/sh -c KELLY_MULTIPLIER=${KELLY_MULTIPLIER:-1.0} exec /opt/run", False),
        ('/bin/sh -c [ "$KELLY_MULTIPLIER" ] || export KELLY_MULTIPLIER=1.0; exec /opt/run', False),
        ("/opt/run --KELLY_MULTIPLIER=1.0", False),
        ("/opt/run KELLY_MULTIPLIER=1.0", False),
    ],
)
def test_a_command_line_that_sets_the_variable_in_any_case_is_refused_before_a_restart(argv, refused):
    shown = f"{{ path={argv.split()[0]} ; argv[]={argv} ; ignore_errors=no ; pid=7 }}"
    if refused:
        with pytest.raises(RunbookError, match=r"KELLY_MULTIPLIER='?1.0'? in its ExecStart"):
            _override.check_command(UNIT, shown, {"KELLY_MULTIPLIER": "0.5"})
    else:
        _override.check_command(UNIT, shown, {"KELLY_MULTIPLIER": "0.5"})


def test_an_unset_assignment_matters_only_for_its_own_value():
    unit = _systemd.Unit("x", {"UnsetEnvironment": "KELLY_MULTIPLIER=1.0"})
    _override.check_unset(unit, {"KELLY_MULTIPLIER": "0.5"})
    with pytest.raises(RunbookError, match="UnsetEnvironment"):
        _override.check_unset(unit, {"KELLY_MULTIPLIER": "1.0"})


# After a failure

NORMALLY = {"KELLY_MULTIPLIER": "1.0", "SPREAD_THRESHOLD": "1.5"}
LOWER, WIDER = {"KELLY_MULTIPLIER": "0.5"}, {"SPREAD_THRESHOLD": "2.0"}


@pytest.mark.parametrize(
    ("previous", "written", "runs", "closed", "left"),
    [
        ({}, LOWER, LOWER, True, {}),  # a closed breaker: all or nothing
        ({}, LOWER, LOWER, False, LOWER),  # the reduction stays
        ({}, LOWER, NORMALLY, False, {}),  # something beat it: it runs as before
        ({}, {**LOWER, **WIDER}, {**LOWER, **WIDER}, False, LOWER),  # a raise does not
        (LOWER, {}, NORMALLY, False, LOWER),  # a reduction that was to end comes back
        (LOWER, {"KELLY_MULTIPLIER": "0.3"}, {"KELLY_MULTIPLIER": "0.3"}, False, {"KELLY_MULTIPLIER": "0.3"}),
        (LOWER, {"KELLY_MULTIPLIER": "0.3"}, {"KELLY_MULTIPLIER": "0.3"}, True, LOWER),
        (WIDER, {}, NORMALLY, True, {}),  # a raise that is gone does not come back
        (WIDER, {}, WIDER, True, WIDER),
    ],
)
def test_what_an_override_says_after_a_failure_raises_nothing(previous, written, runs, closed, left):
    half = lease(written, NORMALLY, _lease.APPLYING if written else _lease.REMOVING, previous)
    assert _override.after_failure(current({**NORMALLY, **runs}, half), half, closed) == left


def test_a_larger_kelly_than_the_running_one_does_not_count_as_smaller():
    now = current({"KELLY_MULTIPLIER": "0.3"}, lease({"KELLY_MULTIPLIER": "0.3"}, NORMALLY))
    approved = present(now, LOWER, "increases", ["kelly_multiplier"])
    assert (approved.restart, _override.bare(now, approved)) == (True, True)
    assert not _override.bare(now, present(now, {"KELLY_MULTIPLIER": "0.2"}))


class Host:
    """A host whose trading loop runs, was restarted or is on its way; what was done to it."""

    def __init__(self, monkeypatch, now, breaker=None):
        self.now, self.done = now, []
        steps = _override_steps
        monkeypatch.setattr(steps, "observe", lambda _name: self.now)
        monkeypatch.setattr(steps, "breaker", lambda _url: breaker)
        monkeypatch.setattr(steps, "install_and_prove", self.install)
        monkeypatch.setattr(_lease, "close", lambda _lease, written: self.done.append(("closed", dict(written))))

    def install(self, _lease, written, healthy, *_rest):
        self.done.append(("restarted" if healthy else "files", dict(written)))


def after(own, invocation="new", **state):
    """A trading loop after a change: its processes, by default under a new start."""
    unit = replace(UNIT, properties={**UNIT.properties, "InvocationID": invocation, **state})
    processes = {7: {"INVOCATION_ID": invocation, **NORMALLY, **own}} if unit.running else {}
    return _override.Current(unit, None, None, None, processes)


STOPPING = {"ActiveState": "deactivating", "SubState": "stop-sigterm"}
STARTS = {"ActiveState": "activating", "SubState": "start-pre"}
CRASHES = {"ActiveState": "activating", "SubState": "auto-restart"}


@pytest.mark.parametrize(
    ("now", "alive", "closed", "done"),
    [
        (after({}, "old"), True, False, [("files", {}), ("closed", {})]),
        (after({}), True, False, [("files", {}), ("closed", {})]),  # beaten: it runs as before
        (after(LOWER), True, True, [("restarted", {}), ("closed", {})]),
        (after(LOWER), True, False, [("files", LOWER), ("closed", LOWER)]),
        (after(LOWER), False, False, [("restarted", {}), ("closed", {})]),  # it crashes with the value
        (after({}, **CRASHES), False, False, [("restarted", {}), ("closed", {})]),
        (after({}, "old", **STOPPING), True, False, [("files", LOWER)]),  # comes up with it, and is proven later
        (after({}, "old", **STOPPING), True, True, [("files", {}), ("closed", {})]),
        (after({}, **STARTS), True, False, [("files", LOWER)]),
        (after({}, **STARTS), True, True, [("restarted", {}), ("closed", {})]),
    ],
)
def test_a_failed_reduction_restarts_the_trading_loop_at_full_size_only_where_it_must(
    now, alive, closed, done, monkeypatch
):
    host = Host(monkeypatch, now)
    half = lease(LOWER, {"KELLY_MULTIPLIER": "1.0"}, _lease.APPLYING)
    _said, left = _override_steps.give_back(after({}, "old"), half, HEALTHY, alive, closed)
    assert (host.done, left) == (done, [written for what, written in done if what != "closed"][-1])


def test_a_raise_that_fails_while_it_starts_goes_and_the_smaller_kelly_beside_it_stays(monkeypatch):
    """Otherwise an open breaker is closed at full size by a restart that nobody needed."""
    both = {**LOWER, **WIDER}
    host = Host(monkeypatch, after({}, **STARTS))
    half = lease(both, NORMALLY, _lease.APPLYING)
    _said, left = _override_steps.give_back(after({}, "old"), half, HEALTHY, True, False)
    assert (host.done, left) == ([("restarted", LOWER), ("closed", LOWER)], LOWER)


def test_a_failure_says_what_runs_now_and_how_the_breaker_is(monkeypatch):
    half = lease(LOWER, {"KELLY_MULTIPLIER": "1.0"}, _lease.APPLYING)
    monkeypatch.setattr(_lease, "begin", lambda *_given, **_more: half)
    host = Host(monkeypatch, after({}, "old"), breaker=2.0)

    def fail(*_given):
        host.now = after({})
        monkeypatch.setattr(_override_steps, "breaker", lambda _url: 0.0)
        monkeypatch.setattr(_override_steps, "install_and_prove", host.install)
        raise _service.UnhealthyError("it is beaten", alive=True)

    monkeypatch.setattr(_override_steps, "install_and_prove", fail)
    planned = present(current(NORMALLY), LOWER)
    healthy = replace(HEALTHY, url="http://x")
    with pytest.raises(FailedError) as failed:
        _override_steps.apply(after({}, "old"), planned, healthy)
    said = {one["message"]: one["values"] for one in failed.value.said}
    assert said["stands_now"]["values"] == "KELLY_MULTIPLIER=1.0"
    assert (said["breaker_now"]["was"], said["breaker_now"]["state"]) == ("2", "0")
    assert "breaker_was_open" in said
    assert all(one["text"] in str(failed.value) for one in failed.value.said)
    assert host.done == [("files", {}), ("closed", {})]
    assert failed.value.left == {"unit": UNIT.id, "overridden": {}, "changed": False, "until": None}


@pytest.mark.parametrize(("breaker", "taken_back"), [(2.0, False), (1.0, False), (0.0, True), (None, True)])
def test_a_raise_that_did_not_help_waits_for_an_open_breaker(breaker, taken_back, monkeypatch):
    half = lease(WIDER, {"SPREAD_THRESHOLD": "1.5"}, _lease.APPLYING)
    host = Host(monkeypatch, replace(after(WIDER), lease=half), breaker)
    renewed = []
    monkeypatch.setattr(_lease, "renew", lambda _lease, ends: renewed.append(ends))
    until = {"SPREAD_THRESHOLD": _lease.end(600, CLOCK, "increases")}
    result = {"verdict": "not_recovered", "overridden": WIDER, "done": []}
    told = service_override.prove(half, result, replace(HEALTHY, url="http://x"), until)
    if taken_back:
        assert (told["taken_back"], told["overridden"], renewed) == (True, {}, [])
        assert host.done == [("restarted", {}), ("closed", {})]
    else:
        assert (host.done, [one["message"] for one in told["done"]]) == ([], ["raise_stays_open"])
        assert [end.seconds for ends in renewed for end in ends.values()] == [0]


def test_taking_a_raise_back_keeps_the_smaller_kelly_that_came_with_it(monkeypatch):
    """A run after a crash does the same, and an open breaker is not closed at full size."""
    both = {**LOWER, **WIDER}
    half = lease(both, NORMALLY, _lease.APPLYING)
    host = Host(monkeypatch, replace(after(both), lease=half), 2.0)
    until = {"SPREAD_THRESHOLD": _lease.end(600, CLOCK, "increases")}
    told = service_override.prove(half, {"verdict": "not_recovered", "done": []}, HEALTHY, until)
    assert (told["taken_back"], told["overridden"]) == (True, LOWER)
    assert host.done == [("restarted", LOWER), ("closed", LOWER)]


@pytest.mark.parametrize(("state", "refused"), [("present", True), ("settled", True), ("absent", False)])
@pytest.mark.parametrize("breaker", [2.0, 0.0, None])
def test_an_open_breaker_holds_back_all_but_a_person_who_gives_back(state, refused, breaker, monkeypatch):
    now = current(WIDER | {"KELLY_MULTIPLIER": "1.0"}, lease(WIDER, {"SPREAD_THRESHOLD": "1.5"}))
    monkeypatch.setattr(_override_steps, "breaker", lambda _url: breaker)
    said, held = service_override.guard(now, _override.plan_absent(now), "http://x", state)
    told = [one["message"] for one in said]
    key = "refused_breaker" if refused else "breaker_would_close"
    assert (told, held) == {2.0: ([key], refused), 0.0: ([], False), None: (["breaker_not_read"], False)}[breaker]


@pytest.mark.parametrize("state", ["settled", "absent"])
@pytest.mark.parametrize(("breaker", "refused"), [(2.0, True), (1.0, True), (None, True), (0.0, False)])
def test_an_account_with_least_rights_gives_nothing_back_unless_the_breaker_is_closed(
    state, breaker, refused, monkeypatch
):
    now = current(WIDER | {"KELLY_MULTIPLIER": "1.0"}, lease(WIDER, {"SPREAD_THRESHOLD": "1.5"}))
    monkeypatch.setattr(_override_steps, "breaker", lambda _url: breaker)
    monkeypatch.setattr(_caller, "has_all_rights", False)
    said, held = service_override.guard(now, _override.plan_absent(now), "http://x", state)
    assert ([one["message"] for one in said], held) == (["refused_not_closed"] if refused else [], refused)


@pytest.mark.parametrize(
    ("state", "listeners", "known"),
    [
        ("0", {7: {"KELLY_MULTIPLIER": "1.0"}}, 0.0),
        ("0", {1: {}, 7: {"KELLY_MULTIPLIER": "1.0"}}, 0.0),  # a socket that systemd holds too
        ("0", {8: {"FEED_PORT": "8001"}}, None),
        ("0", {8: None}, None),  # it ended meanwhile
        ("2", {8: {}}, 2.0),  # whoever says OPEN is believed
        ("0", {}, 0.0),  # in another network
        ("NaN", {7: {"KELLY_MULTIPLIER": "1.0"}}, None),
    ],
)
def test_a_feed_that_shows_a_closed_breaker_does_not_speak_for_the_trading_loop(state, listeners, known, monkeypatch):
    """The exporter has every family on every page: a restart would close a breaker that is open."""
    asked = []
    monkeypatch.setattr(_override_steps._http, "fetch_metrics", lambda *_rest: f"circuit_breaker_state {state}\n")
    monkeypatch.setattr(_override_steps._systemd, "listeners", lambda port: asked.append(port) or list(listeners))
    monkeypatch.setattr(_override_steps._systemd, "environment", listeners.get)
    assert _override_steps.breaker("http://localhost:9000/metrics") == known
    assert set(asked) <= {9000}
