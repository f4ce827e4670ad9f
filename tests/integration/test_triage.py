# SPDX-License-Identifier: GPL-3.0-or-later
"""A look finds what is wrong, gives nothing away and touches nothing."""

from __future__ import annotations

import pytest
from helpers import HOSTS, footprint, lab, module, playbook, shell

LOOK = {"network_host": "monitor1", "sample_seconds": 2}
BREAKER_FAULTS = {name: fault.cause for name, fault in lab.FAULTS.items() if fault.incident == "circuit_breaker"}


@pytest.mark.parametrize(("fault", "cause"), BREAKER_FAULTS.items())
def test_the_injected_cause_is_named_first(fault, cause, broken):
    broken(fault, ["aurora1"])
    look = module("aurora1", "triage_info", LOOK)
    assert look["causes"][0]["cause"] == cause, look["summary"]


def test_what_is_down_or_hangs_is_found_without_failing():
    shell("aurora1", "systemctl stop aurora-live-feed nginx; systemctl kill --signal=STOP aurora-runner")
    try:
        look = module("aurora1", "triage_info", {**LOOK, "probe_seconds": 6})
    finally:
        lab.inside("aurora1", "systemctl", "kill", "--signal=CONT", "aurora-runner")
    assert not look["failed"]
    assert {"feed_down", "nginx_down"} <= {cause["cause"] for cause in look["causes"]}
    failed = {name for name, probe in look["probes"].items() if probe["status"] != "ok"}
    assert {"healthz_local", "healthz_public", "feed_metrics", "runner_metrics"} <= failed
    breaker = look["indicators"]["circuit_breaker"]
    assert (breaker["breached"], breaker["problem"]) == (None, "silent")
    assert look["probes"]["exchange"]["status"] == "ok"


def test_the_token_is_in_no_output():
    token = shell("aurora1", "cat /opt/aurora/secrets/auth_token")
    leak = """
    systemctl stop aurora-runner
    said="leaked $(cat /opt/aurora/secrets/auth_token) here"
    echo "$said" >>/opt/aurora/logs/aurora_events.jsonl
    printf 'MESSAGE=%s\\nOBJECT_SYSTEMD_UNIT=aurora-runner.service\\n' "$said" | logger --journald
    """
    shell("aurora1", leak)
    run = playbook("triage", "-vvv")
    assert run.output.count("leaked *** here") >= 2
    assert token not in run.output


def test_a_log_that_leads_elsewhere_is_not_read():
    log = "/opt/aurora/logs/trades.jsonl"
    shell("aurora1", f"runuser -u aurora -- sh -c 'mv {log} {log}.kept && ln -s /etc/shadow {log}'")
    try:
        look = module("aurora1", "triage_info", LOOK)
    finally:
        lab.inside("aurora1", "mv", "--force", f"{log}.kept", log)
    assert look["probes"]["trade_log"]["status"] == "failed"
    assert "root:" not in str(look)


def test_triage_shows_every_host_and_touches_nothing():
    before = {host: footprint(host) for host in HOSTS}
    run = playbook("triage")
    assert run.status == 0
    assert [row.split()[0] for row in run.report[: len(HOSTS) + 1]] == ["host", *HOSTS]
    assert {host: footprint(host) for host in before} == before


def test_triage_speaks_ukrainian(broken):
    broken("breaker_spreads", ["aurora1"])
    run = playbook("triage", "-e", "aurora_language=uk")
    assert run.status == 0
    assert any("імовірна причина: wide_spreads" in line for line in run.report)
