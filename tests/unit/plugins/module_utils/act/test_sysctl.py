# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a tuning forgets what was there, tramples what somebody set, or claims what does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _sysctl
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease
from ansible_collections.aurora.runbook.plugins.modules import tcp_tuning

IDLE, LOWAT, DEAD = "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_low_latency"
KEYS = (_sysctl.Key(IDLE, 0, 0, 0), _sysctl.Key(LOWAT, 16384, 1, 16384), _sysctl.Key(DEAD, 1, 1, 1, dead_since=(4, 14)))
NORMAL = {IDLE: "1", LOWAT: "4294967295", DEAD: "0"}
TUNED = {IDLE: "0", LOWAT: "16384"}
BEFORE = {IDLE: "1", LOWAT: "4294967295"}
KERNEL = (5, 15)


def lease(phase=_lease.ACTIVE, written=TUNED, **changes):
    base = _lease.Lease("tcp_tuning", "tcp_tuning", phase, BEFORE, written, "2026-11-23T00:00:00+00:00", "oncall")
    return replace(base, **changes)


def present(running, standing=None, kernel=KERNEL):
    return _sysctl.plan_present(KEYS, {**NORMAL, **running}, kernel, standing)


def absent(running, standing):
    return _sysctl.plan_absent({**NORMAL, **running}, standing, ended=False)


def names(plan):
    return [step.name for step in plan.steps]


def test_a_first_tuning_remembers_what_was_there():
    plan = present({})
    assert (plan.changed, plan.written, plan.before) == (True, TUNED, BEFORE)
    assert names(plan) == [IDLE, LOWAT]


def test_the_second_run_changes_nothing():
    assert not present(TUNED, lease()).changed


@pytest.mark.parametrize("lowat", ["16384", "4096"])
def test_a_value_as_good_already_is_nobodys_lease(lowat):
    plan = present({LOWAT: lowat})
    assert (names(plan), plan.written) == ([IDLE], {IDLE: "0"})


@pytest.mark.parametrize("lowat", ["0", "-1", "what"])
def test_a_value_that_is_no_good_is_set(lowat):
    plan = present({LOWAT: lowat})
    assert (names(plan), plan.before[LOWAT]) == ([IDLE, LOWAT], lowat)


@pytest.mark.parametrize(
    ("running", "kernel", "reason"),
    [
        ({DEAD: "0"}, (4, 14), "sysctl_dead"),
        ({DEAD: None}, (6, 1), "sysctl_dead"),
        ({DEAD: None}, (4, 13), "sysctl_absent"),
        ({IDLE: None, DEAD: "1"}, (4, 13), "sysctl_absent"),
    ],
)
def test_what_does_nothing_or_does_not_exist_is_left_out_with_the_reason(running, kernel, reason):
    plan = present(running, kernel=kernel)
    assert [one["message"] for one in plan.left_out] == [reason]
    assert not set(names(plan)) & {name for name in running if running[name] is None}


def test_a_key_that_still_works_is_set():
    assert DEAD in names(present({}, kernel=(4, 13)))


def test_a_value_that_somebody_set_since_is_what_comes_back_after_tuning_again():
    plan = present({**TUNED, LOWAT: "131072"}, lease())
    assert (names(plan), plan.before) == ([LOWAT], {IDLE: "1", LOWAT: "131072"})


@pytest.mark.parametrize("running", [{}, {IDLE: "0"}, TUNED])
def test_a_kill_between_two_writes_is_finished_and_forgets_nothing(running):
    plan = present(running, lease(_lease.APPLYING))
    assert (plan.changed, plan.written, plan.before) == (True, TUNED, BEFORE)


@pytest.mark.parametrize("running", [{}, {IDLE: "0"}, TUNED])
@pytest.mark.parametrize(
    "half", [lease(_lease.APPLYING), lease(_lease.REMOVING, {}, previous=TUNED)], ids=["applying", "removing"]
)
def test_a_kill_between_two_writes_is_undone(running, half):
    plan = absent(running, half)
    assert plan.changed
    assert {step.name: step.after for step in plan.steps} == {name: BEFORE[name] for name in running}


def test_a_removal_that_was_killed_can_become_a_tuning_again():
    plan = present({IDLE: "0"}, lease(_lease.REMOVING, {}, previous=TUNED))
    assert (names(plan), plan.written, plan.before) == ([LOWAT], TUNED, BEFORE)


@pytest.mark.parametrize("now", ["131072", None])
def test_a_value_that_somebody_set_since_stays_and_is_told(now):
    plan = absent({**TUNED, LOWAT: now}, lease())
    assert (names(plan), [one["message"] for one in plan.left_out]) == ([IDLE], ["sysctl_edited"])


def settled(running, standing):
    return _sysctl.plan_settled({**NORMAL, **running}, standing)


@pytest.mark.parametrize("running", [{}, {IDLE: "0"}, TUNED])
def test_what_was_left_half_set_or_half_given_back_is_finished(running):
    plan = settled(running, lease(_lease.APPLYING))
    assert (plan.changed, plan.written, plan.before) == (True, TUNED, BEFORE)
    assert {**NORMAL, **running, **{step.name: step.after for step in plan.steps}} == {**NORMAL, **TUNED}
    plan = settled(running, lease(_lease.REMOVING, {}, previous=TUNED))
    assert (plan.changed, plan.written) == (True, {})
    assert {**NORMAL, **running, **{step.name: step.after for step in plan.steps}} == NORMAL


@pytest.mark.parametrize("now", ["131072", None])
def test_what_somebody_set_since_a_kill_stays_and_is_told(now):
    plan = settled({LOWAT: now}, lease(_lease.APPLYING))
    assert (names(plan), plan.written) == ([IDLE], {IDLE: "0"})
    assert [one["message"] for one in plan.left_out] == ["sysctl_edited"]


@pytest.mark.parametrize("standing", [None, lease()])
def test_where_nothing_is_unfinished_nothing_is_settled(standing):
    plan = settled({}, standing)
    assert (plan.changed, plan.steps, plan.written) == (False, (), TUNED if standing else {})


def test_a_profile_applied_again_without_a_time_keeps_its_end_and_with_one_is_renewed(monkeypatch):
    """A playbook that does not name the time would make a tuning of one hour endless."""
    clock = _stamps.Clock(1.8e9, "boot", 5000.0)
    monkeypatch.setattr(_stamps, "clock", lambda: clock)
    end = _lease.end(3600, replace(clock, up=1000.0))
    now = _sysctl.Current(lease(ends={IDLE: end}), False, {**NORMAL, **TUNED}, KERNEL)

    def ends(plan, seconds=0, current=now):
        return tcp_tuning.lease_ends(current, plan, {"state": "present", "lease_seconds": seconds})

    plan = present(TUNED, now.lease)
    assert ends(plan) == {IDLE: end, LOWAT: end}  # it ends as a whole
    assert ends(plan, 60) == dict.fromkeys(TUNED, _lease.end(60, clock))
    assert ends(plan, current=replace(now, lease=lease())) == {}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_renewal_of_a_profile_is_on_record_and_is_a_change_of_its_lease(check_mode, monkeypatch):
    now = _sysctl.Current(lease(ends={}), False, {**NORMAL, **TUNED}, KERNEL)
    renewed = []
    monkeypatch.setattr(_sysctl, "PROFILES", {"low_latency": KEYS})
    monkeypatch.setattr(_sysctl, "observe", lambda _keys: now)
    monkeypatch.setattr(tcp_tuning._lease_timer, "install", lambda: None)
    monkeypatch.setattr(_conduct.Conduct, "renew", lambda *given: renewed.append(given))
    conduct = _conduct.Conduct("tcp_tuning", None, check_mode)
    params = {"state": "present", "lease_seconds": 60, "profile": "low_latency", "recovery": None}
    result = tcp_tuning.run(params, conduct)
    assert result["changed"]
    assert (result["verdict"] if check_mode else None) == ("would_change" if check_mode else None)
    assert result["diff"]["before"] != result["diff"]["after"]
    assert [(one, set(ends), by) for by, one, ends in renewed] == [(now.lease, set(TUNED), conduct)] * (not check_mode)
    standing = tcp_tuning.run({**params, "lease_seconds": 0}, conduct)
    assert (standing["changed"], standing["diff"]["after"]) == (False, "")


def test_absent_without_a_lease_is_unchanged():
    assert not absent(TUNED, None).changed


def test_a_value_is_read_back(tmp_path):
    (tmp_path / "net" / "ipv4").mkdir(parents=True)
    path = tmp_path / "net" / "ipv4" / "tcp_rmem"
    path.write_text("4096\t131072\t6291456\n", encoding="ascii")
    assert _sysctl.read("net.ipv4.tcp_rmem", str(tmp_path)) == "4096 131072 6291456"
    _sysctl.write("net.ipv4.tcp_rmem", "1", str(tmp_path))
    assert path.read_text(encoding="ascii") == "1\n"
    path.unlink()
    path.symlink_to("/dev/null")
    with pytest.raises(RunbookError, match="the kernel says"):
        _sysctl.write("net.ipv4.tcp_rmem", "1", str(tmp_path))


@pytest.mark.parametrize("name", ["kernel.panic", "net.ipv4.../../kernel/panic", "net.ipv4.x\n", "net.ipv4.X"])
def test_a_lease_cannot_name_what_is_no_tcp_setting(name):
    with pytest.raises(RunbookError, match="is not a TCP setting"):
        _sysctl.read(name)


def test_the_kernels_version_is_read_from_distributions_names():
    assert _sysctl.release("5.15.0-105-generic") == (5, 15)
    assert _sysctl.release("6.18.44-fc-v595") == (6, 18)


def test_every_key_of_a_profile_is_as_good_as_itself():
    for key in _sysctl.PROFILES["low_latency"]:
        assert _sysctl.NAME.fullmatch(key.name)
        assert key.lowest <= key.value <= key.highest
