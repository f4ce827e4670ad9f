# SPDX-License-Identifier: GPL-3.0-or-later
"""An override takes effect, or is refused by name and leaves everything as it was."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from helpers import (
    DROP_INS,
    HOST,
    NORMAL,
    OURS,
    RUNNER,
    configuration,
    decisions,
    end_claim,
    environment,
    footprint,
    kill_module,
    knobs,
    lab,
    lease,
    module,
    override_each,
    playbook,
    put,
    put_odd_units,
    shell,
    show,
    start_module,
    wait_until,
)

HEALTHY = {"health_url": "http://localhost:9000/metrics", "start_seconds": 15, "hold_seconds": 1}
KELLY = {"name": "aurora-runner", "environment": {"KELLY_MULTIPLIER": "0.5"}, **HEALTHY}
SLOWLY = {**KELLY, "hold_seconds": 600}
ABSENT = {"name": "aurora-runner", "state": "absent", **HEALTHY}
SPREADS = {"name": "aurora-runner", "direction": "increases", "approve": ["spread_threshold"], **HEALTHY}
RECOVERY = {"indicator": "circuit_breaker", "hold_seconds": 4, "timeout_seconds": 40, "interval_seconds": 0.5}
REDUCED = {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
SLEEP = ("[Service]", "ExecStart=/bin/sleep infinity")
UNITS = "/etc/systemd/system"


def override(arguments, host=HOST, *flags):
    return module(host, "service_override", arguments, *flags)


def test_hostile_names_and_values_are_refused(tmp_path):
    hostile = [
        {"KELLY_MULTIPLIER": "0.5\nLD_PRELOAD=/tmp/x.so"},
        {"KELLY_MULTIPLIER": '0.5" SPREAD_THRESHOLD="9'},
        {"KELLY_MULTIPLIER": "5"},
        {"KELLY_MULTIPLIER": "nan"},
        {"SYMBOL": "{{ 7 * 7 }}"},
        {"SYMBOL": "$(reboot)"},
        {"SYMBOL": "a\\"},
        {"LD_PRELOAD": "/tmp/x.so"},
        {"EXCHANGE_API_KEY": "abc"},
        {"BAD NAME": "1"},
    ]
    approved = ["kelly_multiplier", "symbol", "ld_preload", "exchange_api_key", "bad name"]
    before = footprint(HOST)
    arguments = [{**SPREADS, "approve": approved, "environment": one} for one in hostile]
    for one, result in zip(hostile, override_each(HOST, arguments, tmp_path), strict=True):
        assert (result["failed"], result["changed"]) == (True, False), one
        assert next(iter(one)) in result["msg"]
    assert footprint(HOST) == before


def test_units_that_cannot_be_proven_or_hold_a_pending_edit_are_refused(tmp_path):
    put(HOST, f"{UNITS}/probe-stopped.service", *SLEEP)
    put_odd_units(HOST)
    reasons = {
        "probe-missing": "not-found",
        "probe-masked": "masked",
        "probe-transient": "transient",
        "probe-stopped": "inactive (dead)",
        "probe-edited": "edited without daemon-reload",
    }
    before = footprint(HOST)
    arguments = [{**KELLY, "name": name, "health_url": ""} for name in reasons]
    for result, reason in zip(override_each(HOST, arguments, tmp_path), reasons.values(), strict=True):
        assert result["failed"], result
        assert reason in result["msg"]
    assert footprint(HOST) == before


@pytest.mark.parametrize("asked", ["probe-alias", "probe@1"])
def test_aliases_and_template_instances_are_overridden_under_their_own_name(asked):
    put(HOST, f"{UNITS}/probe@.service", *SLEEP)
    put(HOST, f"{UNITS}/probe-own.service", *SLEEP)
    lab.inside(HOST, "ln", "-s", "probe-own.service", f"{UNITS}/probe-alias.service")
    lab.inside(HOST, "systemctl", "daemon-reload")
    lab.inside(HOST, "systemctl", "start", "probe-own", "probe@1")
    own = {"probe-alias": "probe-own.service", "probe@1": "probe@1.service"}[asked]
    before = configuration(HOST)
    applied = override({"name": asked, "environment": {"CALIBRATION_DAYS": "90"}, "hold_seconds": 0})
    assert applied["unit"] == own
    assert environment(HOST, own)["CALIBRATION_DAYS"] == "90"
    override({"name": asked, "state": "absent", "hold_seconds": 0})
    assert "CALIBRATION_DAYS" not in environment(HOST, own)
    assert configuration(HOST) == before


def test_a_service_that_refuses_to_start_gets_back_what_it_had_and_says_why():
    before = configuration(HOST), environment(HOST)
    result = override({**SPREADS, "environment": {"SPREAD_THRESHOLD": "4.8"}})
    assert result["failed"]
    assert "SPREAD_THRESHOLD=4.8 is beyond the risk limit" in result["msg"]
    assert "the service runs as before" in result["msg"]
    assert (configuration(HOST), environment(HOST)) == before
    assert lease(HOST) is None


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["UnsetEnvironment=KELLY_MULTIPLIER"], "UnsetEnvironment=KELLY_MULTIPLIER"),
        (["EnvironmentFile="], "zzzz.conf"),
        (
            ["ExecStart=", "ExecStart=/usr/bin/env KELLY_MULTIPLIER=1.0 /opt/aurora/run_live_aurora"],
            "KELLY_MULTIPLIER=1.0",
        ),
        (
            ["ExecStart=", "ExecStart=/bin/sh -c 'KELLY_MULTIPLIER=1.0 /opt/aurora/run_live_aurora; exit 1'"],
            "KELLY_MULTIPLIER=1.0",
        ),
    ],
    ids=["UnsetEnvironment", "later drop-in", "env wrapper", "sh wrapper"],
)
def test_what_beats_the_override_is_named_and_everything_is_put_back(settings, named):
    put(HOST, f"{DROP_INS}/zzzz.conf", "[Service]", *settings)
    before = configuration(HOST)
    result = override({**KELLY, "start_seconds": 8})
    assert result["failed"]
    assert named in result["msg"]
    assert configuration(HOST) == before
    assert show(HOST, RUNNER, "SubState") == "running"
    assert lease(HOST) is None


def starts():
    """How often the runner was started since the host's boot."""
    started = f"_PID=1 UNIT={RUNNER} MESSAGE_ID={_systemd.STARTED}"
    return int(shell(HOST, f"journalctl --boot --quiet --output=cat {started} | wc -l"))


def stands(result):
    return {said["message"]: said["values"] for said in result["done"]}


def test_a_wrapper_that_its_command_line_does_not_show_costs_one_restart_and_is_named_at_once():
    wrapper = "ExecStart=/bin/sh -c 'cd /opt/aurora && KELLY_MULTIPLIER=1.0 exec ./run_live_aurora'"
    put(HOST, f"{DROP_INS}/zzzz.conf", "[Service]", "ExecStart=", wrapper)
    before, started = configuration(HOST), starts()
    result = override({**KELLY, "start_seconds": 600})
    assert (result["failed"], "KELLY_MULTIPLIER=1.0 instead of 0.5" in result["msg"]) == (True, True)
    assert stands(result)["stands_now"]["values"] == "KELLY_MULTIPLIER=1.0"
    assert stands(result)["breaker_now"]["was"] == "0"
    assert (starts(), configuration(HOST), lease(HOST)) == (started + 1, before, None)


def test_a_runner_that_stops_and_starts_slowly_comes_up_with_the_value_in_one_restart():
    slow = ("ExecStop=/bin/sleep 9", "ExecStartPre=/bin/sleep 7", "TimeoutStopSec=30")
    put(HOST, f"{DROP_INS}/50-slow.conf", "[Service]", *slow)
    started = starts()
    result = override({**KELLY, "start_seconds": 6})
    assert (result["failed"], knobs(HOST), starts()) == (False, REDUCED, started + 1)


def test_a_helper_with_a_clean_environment_keeps_nothing_from_its_way_or_back():
    put(HOST, f"{DROP_INS}/50-helper.conf", "[Service]", "ExecStartPost=/bin/sh -c 'env -i /bin/sleep 600 &'")
    lab.inside(HOST, "systemctl", "restart", RUNNER)
    assert not override(KELLY)["failed"]
    started = starts()
    assert not override(KELLY)["changed"]
    result = override({**SPREADS, "environment": {"SPREAD_THRESHOLD": "4.8"}})
    assert "the service runs as before" in result["msg"]
    assert (lease(HOST)["phase"], lease(HOST)["written"], knobs(HOST)) == ("active", KELLY["environment"], REDUCED)
    assert starts() - started >= 2
    assert override(ABSENT)["verdict"] == "healthy"
    assert (lease(HOST), knobs(HOST)) == (None, NORMAL)


def test_a_reduction_that_runs_stays_where_nobody_can_say_whether_the_breaker_was_open():
    started = starts()
    result = override({**KELLY, "health_url": "http://localhost:9/metrics", "start_seconds": 3})
    assert (result["failed"], set(stands(result))) == (True, {"stands_now", "breaker_now_unread"})
    assert (knobs(HOST), starts()) == (REDUCED, started + 1)
    assert (lease(HOST)["phase"], lease(HOST)["written"]) == ("active", KELLY["environment"])
    assert override(ABSENT)["verdict"] == "healthy"
    assert knobs(HOST) == NORMAL


def test_a_runner_that_is_known_by_an_alias_is_given_back_with_its_page_and_watched():
    lab.inside(HOST, "ln", "-s", RUNNER, f"{UNITS}/probe-trader.service")
    lab.inside(HOST, "systemctl", "daemon-reload")
    assert override({**KELLY, "name": "probe-trader"})["unit"] == RUNNER
    seen = module(HOST, "triage_info", {"runner_unit": "probe-trader", "sample_seconds": 0})["probes"]
    assert (seen["units"]["data"]["runner"]["id"], len(seen["journal_runner"]["data"]["lines"]) > 0) == (RUNNER, True)
    run = playbook("revert", "-e", "aurora_runner_unit=probe-trader aurora_healthy_seconds=1 aurora_hold_seconds=1")
    assert (run.status, run.verdicts, knobs(HOST)) == (0, {HOST: "recovered"}, NORMAL)


def test_a_stricter_running_value_is_kept():
    override({**KELLY, "environment": {"KELLY_MULTIPLIER": "0.3"}})
    before = footprint(HOST)
    result = override(KELLY)
    kept = {"name": "KELLY_MULTIPLIER", "before": "0.3", "after": "0.5", "direction": "increases"}
    assert (result["changed"], result["kept"]) == (False, [kept])
    assert footprint(HOST) == before


def test_a_human_edit_of_our_file_is_left_alone_and_reported():
    override(KELLY)
    lab.inside(HOST, "sed", "-i", "s/0.5/0.4/", OURS[1])
    before = footprint(HOST)
    for arguments in ({**KELLY, "environment": {"KELLY_MULTIPLIER": "0.3"}}, ABSENT):
        result = override(arguments)
        assert result["failed"]
        assert f"{OURS[1]} was edited" in result["msg"]
    assert footprint(HOST) == before


def test_more_exposure_that_does_not_help_is_taken_back_and_the_smaller_kelly_stays(broken):
    """At full size the restart would close the open breaker."""
    broken("breaker_spreads_wide", [HOST])
    wider = {"KELLY_MULTIPLIER": "0.9", "SPREAD_THRESHOLD": "1.6"}
    result = override({**SPREADS, "environment": wider, "recovery": RECOVERY})
    smaller = {"KELLY_MULTIPLIER": "0.9"}
    assert (result["verdict"], result["taken_back"], result["overridden"]) == ("not_recovered", True, smaller)
    assert knobs(HOST) == {**NORMAL, **smaller}
    assert (lease(HOST)["phase"], lease(HOST)["written"]) == ("active", smaller)


def test_an_open_breaker_is_not_closed_by_a_restart_at_full_size(broken):
    broken("breaker_spreads_wide", [HOST])
    before = footprint(HOST)
    for flags in ((), ("--check",)):
        result = override({**SPREADS, "environment": {"SPREAD_THRESHOLD": "1.6"}}, HOST, *flags)
        assert (result["failed"], result["changed"], result["restarted"]) == (False, False, False), result
        assert (result["verdict"], [said["message"] for said in result["done"]]) == ("refused", ["refused_breaker"])
    assert footprint(HOST) == before
    blind = override({**SPREADS, "environment": {"SPREAD_THRESHOLD": "1.6"}, "health_url": None}, HOST, "--check")
    assert (blind["verdict"], blind["done"][0]["message"]) == ("would_change", "breaker_not_read")


def test_two_runs_do_not_change_a_host_at_once():
    with killed_midway(SLOWLY):
        result = override(KELLY)
        assert (result["failed"], result["changed"], result["verdict"]) == (False, False, "refused")
        assert "another run is working on this host: oncall" in result["message"]


def test_the_run_after_a_kill_finishes_the_change():
    with killed_midway(SLOWLY):
        pass
    assert lease(HOST)["phase"] == "applying"
    run = playbook("remediate_circuit_breaker")
    assert (run.status, run.verdicts[HOST]) == (0, "recovered")
    assert lease(HOST)["phase"] == "active"
    assert knobs(HOST) == REDUCED


def test_the_run_after_a_kill_undoes_a_raise_that_was_not_proven():
    recovery = {**RECOVERY, "hold_seconds": 600, "timeout_seconds": 600}
    wider = {**SPREADS, "environment": {"SPREAD_THRESHOLD": "1.6"}, "hold_seconds": 0, "recovery": recovery}
    with killed_midway(wider):
        wait_until(lambda: decisions(HOST) >= 30)  # it is up, so the module watches the breaker by now
    assert knobs(HOST)["SPREAD_THRESHOLD"] == "1.6"
    override(KELLY)
    assert knobs(HOST) == REDUCED


@pytest.mark.parametrize("missing", [OURS[:1], OURS], ids=["drop-in not yet written", "neither file yet written"])
def test_what_a_kill_left_half_written_can_be_given_back(missing):
    before = configuration(HOST), environment(HOST)
    with killed_midway(SLOWLY):
        pass
    lab.inside(HOST, "rm", *missing)
    assert override(ABSENT)["changed"]
    assert (configuration(HOST), environment(HOST)) == before
    assert lease(HOST) is None


FEED = "aurora-live-feed.service"
RAISE = {
    "name": "aurora-live-feed",
    "hold_seconds": 1,
    "limits": {"memory_max": "1G", "memory_high": "800M", "cpu_quota": "100%"},
}
FEED_HEALTHY = {"health_url": "http://localhost:8001/healthz", "start_seconds": 15, "hold_seconds": 1}


def enforced(host, unit=FEED):
    """What systemd and the kernel hold a service to, on either kind of cgroups."""
    files = (
        "/sys/fs/cgroup{,/memory,/cpu}$group/{memory.max,memory.high,memory.limit_in_bytes,cpu.max,cpu.cfs_quota_us}"
    )
    script = f"""
    systemctl show --property=MemoryMax,MemoryHigh,CPUQuotaPerSecUSec,MainPID {unit}
    group=$(systemctl show --property=ControlGroup --value {unit})
    bash -c 'group=$0; head -v -n1 {files} 2>/dev/null || true' "$group"
    """
    return shell(host, script)


def test_limits_of_a_running_service_are_raised_without_a_restart_and_go_without_a_trace():
    before = configuration(HOST), enforced(HOST)
    untouched = footprint(HOST)
    expected = {
        "unit": FEED,
        "failed": False,
        "changed": True,
        "environment": [],
        "limits": [
            {"name": "CPUQuota", "before": "50%", "after": "100%", "direction": "neutral"},
            {"name": "MemoryHigh", "before": "400M", "after": "800M", "direction": "neutral"},
            {"name": "MemoryMax", "before": "512M", "after": "1G", "direction": "neutral"},
        ],
        "kept": [],
        "proposed": [],
        "overridden": {"CPUQuota": "100%", "MemoryHigh": "800M", "MemoryMax": "1G"},
        "restarted": False,
        "taken_back": False,
        "until": None,
        "done": [],
    }
    assert override(RAISE, HOST, "--check") == {**expected, "verdict": "would_change"}
    assert footprint(HOST) == untouched
    assert override(RAISE) == expected
    raised = enforced(HOST)
    shown = {f"MemoryMax={1 << 30}", f"MemoryHigh={800 << 20}", "CPUQuotaPerSecUSec=1s"}
    assert shown < set(raised.splitlines())
    assert f"<==\n{1 << 30}\n" in raised  # by the kernel's word
    assert "<==\n100000" in raised

    standing = footprint(HOST)
    lower = {**RAISE, "limits": {"memory_max": "600M"}}
    again, lowered = override(RAISE), override(lower)
    assert (again["changed"], lowered["changed"]) == (False, False)
    assert [step["name"] for step in lowered["kept"]] == ["MemoryMax"]
    assert footprint(HOST) == standing

    revert = playbook("revert")
    assert (revert.status, revert.verdicts[HOST]) == (0, "healthy")
    assert (configuration(HOST), enforced(HOST)) == before  # the same process as well
    assert lease(HOST, FEED) is None


def test_limits_and_variables_beat_a_humans_drop_in_and_give_it_back():
    put(HOST, f"{UNITS}/{FEED}.d/50-small.conf", "[Service]", "MemoryMax=300M", "Environment=CALIBRATION_DAYS=7")
    lab.inside(HOST, "systemctl", "restart", FEED)
    before = configuration(HOST), environment(HOST, FEED), show(HOST, FEED, "MemoryMax")
    both = {**RAISE, **FEED_HEALTHY, "environment": {"CALIBRATION_DAYS": "90"}}
    assert override(both)["restarted"]
    assert environment(HOST, FEED)["CALIBRATION_DAYS"] == "90"
    assert f"<==\n{1 << 30}\n" in enforced(HOST)
    assert override({"name": FEED, "state": "absent", **FEED_HEALTHY})["verdict"] == "healthy"
    assert (configuration(HOST), environment(HOST, FEED), show(HOST, FEED, "MemoryMax")) == before


def test_a_drop_in_that_beats_our_limits_is_named_and_nothing_stays():
    put(HOST, f"{UNITS}/{FEED}.d/zzzz.conf", "[Service]", "MemoryMax=300M")
    before = configuration(HOST), enforced(HOST)
    result = override(RAISE)
    assert result["failed"]
    assert "MemoryMax is 300M instead of 1G" in result["msg"]
    assert "zzzz.conf" in result["msg"]
    assert (configuration(HOST), enforced(HOST)) == before
    assert lease(HOST, FEED) is None


@pytest.mark.parametrize("pause", ["100ms", "20s"])
def test_a_service_that_its_memory_limit_kills_again_and_again_is_cured_by_enough_and_left_alone_by_less(pause):
    hungry = "bytearray(100 << 20); import time; time.sleep(1e6)"
    start = f"ExecStart=/usr/bin/python3 -c 'x = {hungry}'"
    settings = ("MemoryMax=32M", "MemorySwapMax=0", "Restart=always", f"RestartSec={pause}", "StartLimitIntervalSec=0")
    put(HOST, f"{UNITS}/probe-hungry.service", "[Service]", start, *settings)
    lab.inside(HOST, "systemctl", "start", "--no-block", "probe-hungry")
    wait_until(lambda: show(HOST, "probe-hungry", "SubState").startswith("auto-restart"))
    before = configuration(HOST)
    asked = {"name": "probe-hungry", "start_seconds": 4, "hold_seconds": 1}

    little = override({**asked, "limits": {"memory_max": "64M"}})
    assert little["failed"]
    assert "the service did not run before either" in little["msg"]
    assert configuration(HOST) == before

    enough = override({**asked, "limits": {"memory_max": "256M"}})
    assert not enough["failed"]
    assert show(HOST, "probe-hungry", "SubState") == "running"

    back = override({**asked, "state": "absent"})
    assert back["failed"]  # it cannot run with what it had
    assert "the service runs as before" in back["msg"]
    assert show(HOST, "probe-hungry", "MemoryMax") == str(256 << 20)


@contextmanager
def killed_midway(arguments):
    """Let the module restart the service, and SIGKILL it on its host before it is done."""
    before = show(HOST, RUNNER, "InvocationID")
    process = start_module(HOST, "service_override", arguments)
    try:
        wait_until(lambda: show(HOST, RUNNER, "InvocationID") != before)
        yield
    finally:
        kill_module(HOST, "service_override", process)
        end_claim(HOST)
