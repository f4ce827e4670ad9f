# SPDX-License-Identifier: GPL-3.0-or-later
"""A lease ends on its host by itself: without a controller, after a reboot, with a wrong clock, past a human's edit."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from helpers import (
    HOST,
    LEASES,
    NORMAL,
    OURS,
    RUNNER,
    configuration,
    decisions,
    end_claim,
    knobs,
    lab,
    lease,
    module,
    playbook,
    shell,
    show,
    start_module,
    wait_until,
)

HEALTHY = {"health_url": "http://localhost:9000/metrics", "start_seconds": 60, "hold_seconds": 1}
RUNNER_OF = {"name": "aurora-runner", **HEALTHY}
RAISE = {
    **RUNNER_OF,
    "environment": {"SPREAD_THRESHOLD": "1.6"},
    "direction": "increases",
    "approve": ["spread_threshold"],
    "lease_seconds": 60,
}
KELLY = {**RUNNER_OF, "environment": {"KELLY_MULTIPLIER": "0.5"}}
SETTLED = {**RUNNER_OF, "state": "settled"}
RECOVERY = {"indicator": "circuit_breaker", "hold_seconds": 0, "min_count": 0, "timeout_seconds": 30}
RAISED, REDUCED = {**NORMAL, "SPREAD_THRESHOLD": "1.6"}, {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
PROGRAM = "aurora-runbook-leases.service"
LOOK = {"sample_seconds": 0, "probe_seconds": 20}
EARLIER_BOOT = "00000000-0000-0000-0000-000000000000"
LOWAT = "net.ipv4.tcp_notsent_lowat"


def override(arguments, *flags, fails=False):
    result = module(HOST, "service_override", arguments, *flags)
    assert result["failed"] == fails, result
    return result


def change_ends(name=RUNNER, **changes):
    """Give every end of a lease other fields, as time or a wrong clock would have."""
    found = lease(HOST, name)
    found["ends"] = {one: {**end, **changes} for one, end in found["ends"].items()}
    lab.inside(HOST, "tee", f"{LEASES}/override-{name}.json", input=json.dumps(found).encode())


def make_due(name=RUNNER):
    change_ends(name, granted_up=-1e6)


def tick():
    """Let the host look after its leases now, and what it said."""
    lab.inside(HOST, "sh", "-c", f"systemctl start {PROGRAM} || true")
    return shell(HOST, f"journalctl --quiet --no-pager --output=cat --boot --unit={PROGRAM}")


def gone():
    """Is nothing left of the timer on the host?"""
    files = "/etc/systemd/system/aurora-runbook-leases.*"
    left = shell(HOST, f"ls -d {files} 2>/dev/null || true; systemctl list-timers --all --no-legend")
    return "aurora-runbook" not in left


def test_a_raise_ends_by_itself_and_leaves_no_trace():
    before = configuration(HOST)
    applied = override(RAISE)
    assert applied["until"] == lease(HOST)["ends"]["SPREAD_THRESHOLD"]["until"]
    assert [said["message"] for said in applied["done"]] == ["lease_ends"]
    assert (knobs(HOST), lease(HOST)["phase"]) == (RAISED, "active")

    again = override(RAISE)
    assert (again["changed"], again["until"] > applied["until"]) == (True, True)
    assert lease(HOST)["ends"]["SPREAD_THRESHOLD"]["until"] == again["until"]
    seen = module(HOST, "triage_info", LOOK)
    assert any(f"SPREAD_THRESHOLD=1.6 (until {again['until']})" in line for line in seen["summary"])
    assert seen["probes"]["leases"]["data"]["timer"] == "enabled, active"

    make_due()
    wait_until(lambda: lease(HOST) is None, 200)  # by the host's own timer
    wait_until(gone)
    assert knobs(HOST) == NORMAL
    assert configuration(HOST) == before


def test_only_the_raise_ends_and_the_reduction_beside_it_stays():
    override(KELLY)
    override(RAISE)
    make_due()
    assert "given back: SPREAD_THRESHOLD 1.6 → 1.5" in tick()
    assert knobs(HOST) == REDUCED
    assert (lease(HOST)["written"], lease(HOST)["ends"]) == ({"KELLY_MULTIPLIER": "0.5"}, {})
    wait_until(gone)


def test_what_a_remediation_does_ends_by_itself_where_it_is_given_an_end(broken):
    broken("breaker_spreads", [HOST])
    asked = ("aurora_lease_seconds=3600", "aurora_healthy_seconds=1", "aurora_enough_seconds=0")
    run = playbook("remediate_circuit_breaker", *(word for one in asked for word in ("-e", one)))
    assert (run.status, run.verdicts) == (0, {HOST: "recovered"})
    ends = lease(HOST)["ends"]["KELLY_MULTIPLIER"]
    assert (ends["seconds"], ends["direction"], ends["watch"]["indicator"]) == (3600, "reduces", "circuit_breaker")
    assert any(
        f"KELLY_MULTIPLIER=0.5; the host gives the first of it back by itself at {ends['until']}" in line
        for line in run.report
    )
    lab.mend([HOST])
    make_due()
    assert "given back: KELLY_MULTIPLIER 0.5 → 1.0" in tick()
    assert knobs(HOST) == NORMAL


def test_a_reduction_ends_only_when_the_breaker_is_closed(broken):
    override({**KELLY, "lease_seconds": 60, "recovery": RECOVERY})
    broken("breaker_spreads_wide", [HOST])
    make_due()
    assert "giving it back would raise exposure" in tick()
    assert knobs(HOST) == REDUCED
    lab.mend([HOST])
    assert "given back: KELLY_MULTIPLIER 0.5 → 1.0" in tick()
    assert knobs(HOST) == NORMAL


def test_what_a_reboot_interrupted_is_taken_back_after_it():
    override(RAISE)
    change_ends(granted_boot=EARLIER_BOOT, until="2000-01-01T00:00:00+00:00")
    lab.podman("stop", "--time=5", f"{lab.NAME}-{HOST}")
    lab.podman("start", f"{lab.NAME}-{HOST}")
    wait_until(lambda: lease(HOST) is None, 200)
    wait_until(lambda: knobs_or_none() == NORMAL)
    wait_until(gone)


def knobs_or_none():
    """None while the host boots."""
    try:
        return knobs(HOST)
    except (lab.LabError, KeyError):
        return None


@pytest.mark.parametrize("off", [-86400, 86400], ids=["a day behind", "a day ahead"])
def test_a_clock_that_is_a_day_off_ends_it_at_once_or_later_by_the_boots(off):
    """The end as another boot granted it, when the clock was off by a day, or is now."""
    override(RAISE)
    until = shell(HOST, f"date --utc --date='now {off:+d} seconds' +%Y-%m-%dT%H:%M:%S+00:00").strip()
    change_ends(granted_boot=EARLIER_BOOT, until=until)
    tick()
    assert (lease(HOST), knobs(HOST)) == (None, NORMAL)


def test_a_clock_that_is_a_day_off_in_the_same_boot_changes_nothing():
    override({**RAISE, "lease_seconds": 3600})
    for until in ("2000-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"):
        change_ends(until=until)
        tick()
        assert (lease(HOST)["phase"], knobs(HOST)) == ("active", RAISED)


def test_what_a_human_edited_is_left_alone_and_reported():
    override(RAISE)
    module(HOST, "tcp_tuning", {"lease_seconds": 60})
    lab.inside(HOST, "sed", "-i", "s/1.6/1.7/", OURS[1])
    shell(HOST, f"echo 32768 >/proc/sys/{LOWAT.replace('.', '/')}")
    make_due()
    make_due("tcp_tuning")
    invocation = show(HOST, RUNNER, "InvocationID")
    said = tick()
    assert f"left_alone: {RUNNER}: the lease has ended, but the change stays: {OURS[1]} was edited" in said
    assert f"left_alone: {LOWAT} is 32768" in said
    assert "taken_back: TCP: these settings were given back: net.ipv4.tcp_autocorking 0 → 1" in said
    assert "1.7" in shell(HOST, f"cat {OURS[1]}")
    assert (show(HOST, RUNNER, "InvocationID"), lease(HOST)["phase"]) == (invocation, "active")
    assert lease(HOST, "tcp_tuning") is None


def test_a_stopped_service_stays_stopped_and_starts_with_what_it_had():
    override(RAISE)
    lab.inside(HOST, "systemctl", "stop", RUNNER)
    make_due()
    tick()
    assert (lease(HOST), show(HOST, RUNNER, "ActiveState")) == (None, "inactive")
    lab.inside(HOST, "systemctl", "start", RUNNER)
    assert knobs(HOST) == NORMAL


def test_a_corrupt_lease_keeps_no_other_from_its_end():
    override(RAISE)
    make_due()
    lab.inside(HOST, "tee", f"{LEASES}/override-a.service.json", input=b'{"version"')
    assert "a.service: RunbookError: " in tick()
    assert (lease(HOST), knobs(HOST)) == (None, NORMAL)
    assert not gone()  # what cannot be read may have an end
    shell(HOST, f"rm {LEASES}/override-a.service.json")
    tick()
    wait_until(gone)


def test_an_end_that_was_cut_off_is_finished_by_the_next_tick():
    override(RAISE)
    make_due()
    half = {**lease(HOST), "phase": "removing", "previous": {"SPREAD_THRESHOLD": "1.6"}, "written": {}}
    lab.inside(HOST, "tee", f"{LEASES}/override-{RUNNER}.json", input=json.dumps(half).encode())
    lab.inside(HOST, "rm", OURS[0])
    tick()
    assert (lease(HOST), knobs(HOST)) == (None, NORMAL)


def test_triage_says_when_an_end_will_not_come_and_when_an_override_was_lost():
    override(RAISE)
    lab.inside(HOST, "systemctl", "stop", "aurora-runbook-leases.timer")
    lab.inside(HOST, "rm", OURS[1])
    summary = "\n".join(module(HOST, "triage_info", LOOK)["summary"])
    assert "will NOT end by itself, because aurora-runbook-leases.timer is enabled, inactive" in summary
    assert OURS[1] in summary
    make_due()
    assert "somebody had already removed the files of the override" in tick()
    assert (lease(HOST), knobs(HOST)) == (None, NORMAL)  # the process still had the value


def test_revert_gives_back_everything_and_the_timer():
    before = configuration(HOST)
    override(RAISE)
    module(HOST, "tcp_tuning", {"lease_seconds": 604800})
    revert = playbook("revert")
    assert (revert.status, knobs(HOST), configuration(HOST)) == (0, NORMAL, before)
    assert gone()


def test_a_host_that_cannot_end_a_lease_is_not_changed():
    before = configuration(HOST)
    shell(HOST, "rm -rf /usr/local/lib/aurora-runbook")  # a program that is there needs not be written
    shell(HOST, "mount --bind -o ro /usr/local/lib /usr/local/lib && mount -o remount,bind,ro /usr/local/lib")
    try:
        result = override(RAISE, fails=True)
    finally:
        shell(HOST, "umount /usr/local/lib")
    assert "/usr/local/lib/aurora-runbook cannot be made: Read-only file system" in result["msg"]
    assert (configuration(HOST), knobs(HOST), lease(HOST)) == (before, NORMAL, None)


@pytest.mark.parametrize("seconds", [1, 59, 604801, -1])
def test_a_time_out_of_range_is_refused(seconds):
    assert (
        f"lease_seconds={seconds} is refused"
        in override({**RAISE, "lease_seconds": seconds}, "--check", fails=True)["msg"]
    )


# What a killed run left


@contextmanager
def killed_midway(arguments, proven=False):
    """Let the module restart the runner, and SIGKILL it on its host before it is done."""
    before = show(HOST, RUNNER, "InvocationID")
    process = start_module(HOST, "service_override", arguments)
    try:
        wait_until(lambda: show(HOST, RUNNER, "InvocationID") != before)
        if proven:
            wait_until(lambda: decisions(HOST) >= 30)  # so the module watches the breaker by now
        yield
    finally:
        shell(HOST, "pkill -KILL -f AnsiballZ_service_override")
        process.communicate()
        end_claim(HOST)


def test_what_a_killed_run_left_is_finished_or_undone_by_its_direction():
    override(KELLY)
    watched = {"indicator": "circuit_breaker", "hold_seconds": 600, "timeout_seconds": 600}
    lower = {"KELLY_MULTIPLIER": "0.3", "SPREAD_THRESHOLD": "1.6"}
    with killed_midway({**RAISE, "environment": lower, "hold_seconds": 0, "recovery": watched}, proven=True):
        pass
    assert (knobs(HOST)["SPREAD_THRESHOLD"], lease(HOST)["phase"]) == ("1.6", "applying")
    tried = override(SETTLED, "--check")
    assert (tried["verdict"], knobs(HOST)["SPREAD_THRESHOLD"]) == ("would_change", "1.6")
    settled = override(SETTLED)
    assert settled["settled"] == {"finished": ["KELLY_MULTIPLIER"], "undone": ["SPREAD_THRESHOLD"]}
    assert [said["message"] for said in settled["done"]] == ["settle_finished", "settle_undone"]
    assert (settled["changed"], settled["restarted"], settled["verdict"]) == (True, True, "healthy")
    assert knobs(HOST) == {**NORMAL, "KELLY_MULTIPLIER": "0.3"}
    again = override(SETTLED)
    assert (again["changed"], again["verdict"]) == (False, "healthy")


def test_any_incidents_playbook_undoes_an_unproven_raise_and_a_healthy_host_gets_no_rung():
    watched = {"indicator": "circuit_breaker", "hold_seconds": 600, "timeout_seconds": 600}
    with killed_midway({**RAISE, "hold_seconds": 0, "recovery": watched}, proven=True):
        pass
    run = playbook("remediate_calibration_ece", "-e", '{"aurora_hold_seconds": 1}')
    assert (run.status, run.verdicts[HOST]) == (0, "recovered")
    assert any("this was undone because it raised exposure: SPREAD_THRESHOLD 1.5 → 1.6" in line for line in run.report)
    assert (knobs(HOST), lease(HOST)) == (NORMAL, None)
