# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on the host after the remediation of a fault: the cure, and the indicator it is about."""

from __future__ import annotations

import json
import os
import re
import time

import pytest

FAULT = json.loads(os.environ["AURORA_FAULT"])
ESCALATED = FAULT["expect"] == "escalated"
RUNNER_IS_BROKEN = FAULT["cause"].startswith("runner_")  # then nothing is done to it
RUNNER_IS_RESTARTED = not RUNNER_IS_BROKEN and FAULT["incident"] in ("circuit_breaker", "execution_latency")
NORMAL = {
    "KELLY_MULTIPLIER": "1.0",
    "DECISIONS_PER_MINUTE": "30",
    "SPREAD_THRESHOLD": "1.5",
    "CALIBRATION_DAYS": "30",
    "CONFIDENCE_THRESHOLD": "0.9",
}
KNOBS = {
    "kelly_multiplier": {"KELLY_MULTIPLIER": "0.3" if FAULT["incident"] == "policy_deny_rate" else "0.5"},
    "decisions_per_minute": {"DECISIONS_PER_MINUTE": "10"},
    "spread_threshold": {"SPREAD_THRESHOLD": "2.0"},
    "p_threshold": {"P_THRESHOLD": "0.5"},
    "calibration_days": {"CALIBRATION_DAYS": "90"},
}
LIMITS = {"memory_max": "MemoryMax=1073741824", "cpu_quota": "CPUQuotaPerSecUSec=1s"}
CHANGED = {name: value for rung in FAULT["cure"] for name, value in KNOBS.get(rung, {}).items()}


@pytest.fixture(autouse=True)
def journal(host):
    """Shown for a test that fails."""
    yield
    print(host.check_output("journalctl --no-pager --lines=20 --unit=aurora-runner --unit=aurora-live-feed"))


def page(host, port):
    """A metrics page as sums of its families."""
    text = host.check_output(f"curl --silent --fail localhost:{port}/metrics")
    sums: dict[str, float] = {}
    for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE):
        sums[name] = sums.get(name, 0.0) + float(value)
    return sums


def window(host, port, family, events):
    """Two pages between which a counter rose by so many events."""
    before, deadline = page(host, port), time.monotonic() + 60
    while (after := page(host, port))[family] - before[family] < events:
        assert time.monotonic() < deadline, f"{family} does not rise"
        time.sleep(0.5)
    return before, after


def availability(host):
    assert host.run("curl --silent --fail https://aurora.example.com/healthz").rc == 0
    before, after = window(host, 8001, "sse_events_sent_total", 50)
    assert after["sse_events_dropped_total"] == before["sse_events_dropped_total"]


def breaker(host):
    assert page(host, 9000)["circuit_breaker_state"] == 0


def latency(host):
    before = host.check_output("curl --silent --fail localhost:9000/metrics")
    start = page(host, 9000)
    _before, end = window(host, 9000, "exec_latency_ms_count", 50)
    after = host.check_output("curl --silent --fail localhost:9000/metrics")
    pattern = r'^exec_latency_ms_bucket\{le="300.0"\} (\S+)$'
    fast = [float(re.search(pattern, text, re.MULTILINE)[1]) for text in (before, after)]
    assert fast[1] - fast[0] >= 0.98 * (end["exec_latency_ms_count"] - start["exec_latency_ms_count"])


def deny_rate(host):
    before, after = window(host, 9000, "policy_considered_total", 80)
    denied, considered = (
        after.get(name, 0) - before.get(name, 0) for name in ("policy_denied_total", "policy_considered_total")
    )
    assert denied / considered <= 0.35


def calibration(host):
    assert page(host, 9000)["calibration_ece"] <= 0.05


INDICATORS = {
    "sse_availability": availability,
    "circuit_breaker": breaker,
    "execution_latency": latency,
    "policy_deny_rate": deny_rate,
    "calibration_ece": calibration,
}


def every_process_of_the_runner_has_the_cure_and_nothing_more(host):
    pids = host.check_output("pgrep --uid aurora --full run_live_aurora").split()
    assert pids
    for pid in pids:
        entries = host.file(f"/proc/{pid}/environ").content_string.split("\0")
        running = dict(entry.split("=", 1) for entry in entries if entry)
        wanted = {**NORMAL, **CHANGED}
        if ESCALATED and RUNNER_IS_RESTARTED:
            wanted = {name: running[name] for name in ("SPREAD_THRESHOLD", "CALIBRATION_DAYS", "CONFIDENCE_THRESHOLD")}
            assert wanted == {name: NORMAL[name] for name in wanted}
        assert {name: running[name] for name in wanted} == wanted


def the_override_stands_in_our_file(host):
    path = "/etc/aurora-runbook/aurora-runner.service.env"
    if CHANGED:
        written = host.file(path).content_string.splitlines()
        assert written[1:] == [f'{name}="{value}"' for name, value in sorted(CHANGED.items())]
    elif not ESCALATED:
        assert not host.file(path).exists


def limits_of_the_feed_are_raised_where_they_were_the_cause(host):
    shown = host.check_output("systemctl show --property=MemoryMax --property=CPUQuotaPerSecUSec aurora-live-feed")
    for rung, line in LIMITS.items():
        assert (line in shown.splitlines()) == (rung in FAULT["cure"])


def the_model_is_valid(host):
    argv = "env PYTHONPATH=/opt/aurora CALIBRATION_DAYS=90 python3 -c 'import calibration; calibration.validate()'"
    assert host.run(f"runuser -u aurora -- {argv}").rc == 0


def services_run_except_what_only_a_person_can_mend(host):
    others = "aurora-runner" if RUNNER_IS_BROKEN else None
    broken = {"sse_feed_crash_loop": "aurora-live-feed", "sse_nginx_config": "nginx"}.get(FAULT["name"], others)
    for unit in {"aurora-runner", "aurora-live-feed", "nginx"} - {broken}:
        assert host.service(unit).is_running


def what_is_escalated_was_not_touched(host):
    shown = host.check_output("systemctl show --property=InvocationID aurora-runner nginx").split()
    before = host.file("/run/aurora-before").content_string.split()
    own = 1 if FAULT["cause"] == "runner_crash_loop" else 0  # systemd starts it by itself meanwhile
    assert shown[own:] == before[own:]
    assert not host.file("/etc/aurora-runbook").exists


# What this fault's outcome is judged by.
CHECKS = [
    *([] if RUNNER_IS_BROKEN else [every_process_of_the_runner_has_the_cure_and_nothing_more]),
    the_override_stands_in_our_file,
    limits_of_the_feed_are_raised_where_they_were_the_cause,
    services_run_except_what_only_a_person_can_mend,
    *([] if ESCALATED else [INDICATORS[FAULT["incident"]]]),
    *([the_model_is_valid] if "recalibration" in FAULT["cure"] else []),
    *([what_is_escalated_was_not_touched] if ESCALATED and not RUNNER_IS_RESTARTED else []),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_after_the_remediation(host, check):
    check(host)
