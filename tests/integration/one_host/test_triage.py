# SPDX-License-Identifier: GPL-3.0-or-later
"""A look finds what is wrong, gives nothing away and touches nothing."""

from __future__ import annotations

import pytest
from helpers import HOST, HOSTS, footprint, lab, module, playbook, put, shell, show, wait_until

LOOK = {"network_host": "monitor1", "sample_seconds": 2}


def test_what_is_down_or_hangs_is_found_without_failing():
    shell(HOST, "systemctl stop aurora-live-feed nginx; systemctl kill --signal=STOP aurora-runner")
    try:
        look = module(HOST, "triage_info", {**LOOK, "probe_seconds": 6})
    finally:
        lab.inside(HOST, "systemctl", "kill", "--signal=CONT", "aurora-runner")
    assert not look["failed"]
    assert {"feed_down", "nginx_down", "runner_hung"} <= {cause["cause"] for cause in look["causes"]}
    assert look["severity"] == "P0"
    failed = {name for name, probe in look["probes"].items() if probe["status"] != "ok"}
    assert {"healthz_local", "healthz_public", "feed_metrics", "runner_metrics"} <= failed
    breaker = look["indicators"]["circuit_breaker"]
    assert (breaker["breached"], breaker["problem"]) == (None, "silent")
    assert look["probes"]["exchange"]["status"] == "ok"


def test_a_look_waits_for_decisions_and_not_for_the_clients_that_the_runner_has_not():
    """The runner's page has every family, sse_clients_connected 0 among them."""
    wait = {"incident": "policy_deny_rate", "sample_seconds": 1, "enough_seconds": 60}
    look = module(HOST, "triage_info", {**LOOK, **wait})
    deny = look["indicators"]["policy_deny_rate"]
    assert (deny["problem"], deny["count"] >= 50) == ("", True), deny


FEED, PROBE = "aurora-live-feed.service", "probe.service"
FEED_DROP_IN = f"/etc/systemd/system/{FEED}.d"
# What ends at once even where the machine is busy: Python may take seconds there until it has read its port.
CRASHES = ["ExecStart=", "ExecStart=/bin/false", "RestartSec=1"]


@pytest.mark.parametrize(
    ("settings", "shows", "causes"),
    [
        (CRASHES, "restarts", ["feed_crash_loop"]),
        (CRASHES, "by hand", ["feed_crash_loop"]),
        (["MemoryMax=12M", "MemoryHigh=infinity", "RestartSec=1"], "restarts", ["memory_limit", "feed_crash_loop"]),
        (["CPUQuota=1%"], "runs", ["cpu_limit"]),
    ],
    ids=["crash loop", "crash loop that somebody restarted", "MemoryMax", "CPUQuota"],
)
def test_what_keeps_the_feed_from_serving_is_named_first(settings, shows, causes):
    put(HOST, f"{FEED_DROP_IN}/probe.conf", "[Service]", *settings)
    try:
        lab.inside(HOST, "systemctl", "restart", FEED)
        wait_until(lambda: shows == "runs" or int(show(HOST, FEED, "NRestarts")) >= 3)
        if shows == "by hand":
            shell(HOST, f"systemctl reset-failed {FEED}; systemctl restart {FEED}")  # NRestarts begins anew
        look = module(HOST, "triage_info", LOOK)
    finally:
        shell(HOST, f"rm -r {FEED_DROP_IN}; systemctl daemon-reload; systemctl restart {FEED}")
    found = [cause["cause"] for cause in look["causes"]]
    assert found[: len(causes)] == causes, look["summary"]
    assert (look["severity"], look["indicators"]["sse_availability"]["value"]) == ("P0", 0)


def test_a_unit_on_its_way_is_not_down_and_one_that_reloads_runs_and_can_be_overridden():
    ignores = "trap '' TERM; while :; do sleep 1; done"
    unit = f"/etc/systemd/system/{PROBE}"
    put(HOST, unit, "[Service]", f'ExecStart=/bin/sh -c "{ignores}"', "ExecReload=/bin/sleep 300")
    found = {}
    for command, state in (("start", "active"), ("reload", "reloading"), ("stop", "deactivating")):
        shell(HOST, f"systemctl {command} --no-block {PROBE}")
        wait_until(lambda state=state: show(HOST, PROBE, "ActiveState") == state)
        look = module(HOST, "triage_info", {**LOOK, "sample_seconds": 0, "nginx_unit": PROBE})
        found[state] = {cause["cause"] for cause in look["causes"]} & {"nginx_down", "nginx_starting", "nginx_stopping"}
        assert look["probes"]["units"]["data"]["nginx"]["state"].startswith(state)
        if state == "reloading":
            asked = {"name": PROBE, "environment": {"KELLY_MULTIPLIER": "0.5"}}
            assert module(HOST, "service_override", asked, "--check")["verdict"] == "would_change"
    lab.inside(HOST, "systemctl", "kill", "--signal=KILL", PROBE)
    assert found == {"active": set(), "reloading": set(), "deactivating": {"nginx_stopping"}}


def test_nginx_that_its_configuration_keeps_down_is_a_broken_configuration():
    site = "/etc/nginx/sites-available/aurora"
    shell(HOST, f"cp {site} /root/site; sed -i 's/listen 443/lisssten 443/' {site}; systemctl stop nginx")
    try:
        look = module(HOST, "triage_info", LOOK)
    finally:
        lab.inside(HOST, "cp", "/root/site", site)
    assert look["causes"][0]["cause"] == "nginx_config"
    assert "nginx_down" not in {cause["cause"] for cause in look["causes"]}
    assert "sites-enabled/aurora:2" in look["causes"][0]["evidence"][0]["text"]


def test_the_token_is_in_no_output():
    token = shell(HOST, "cat /opt/aurora/secrets/auth_token")
    leak = """
    systemctl stop aurora-runner
    said="leaked $(cat /opt/aurora/secrets/auth_token) here"
    echo "$said" >>/opt/aurora/logs/aurora_events.jsonl
    printf 'MESSAGE=%s\\nOBJECT_SYSTEMD_UNIT=aurora-runner.service\\n' "$said" | logger --journald
    """
    shell(HOST, leak)
    run = playbook("triage", "-vvv")
    assert run.output.count("leaked *** here") >= 2
    assert token not in run.output


def test_a_log_that_leads_elsewhere_is_not_read():
    log = "/opt/aurora/logs/trades.jsonl"
    shell(HOST, f"runuser -u aurora -- sh -c 'mv {log} {log}.kept && ln -s /etc/shadow {log}'")
    try:
        look = module(HOST, "triage_info", LOOK)
    finally:
        lab.inside(HOST, "mv", "--force", f"{log}.kept", log)
    assert look["probes"]["trade_log"]["status"] == "failed"
    assert "root:" not in str(look)


def test_triage_shows_every_host_and_touches_nothing():
    before = {host: footprint(host) for host in HOSTS}
    run = playbook("triage")
    assert run.status == 0
    assert [row.split()[0] for row in run.report[: len(HOSTS) + 1]] == ["host", *HOSTS]
    assert {host: footprint(host) for host in before} == before


def test_triage_speaks_ukrainian(broken):
    broken("breaker_spreads", [HOST])
    run = playbook("triage", "-e", "aurora_language=uk")
    assert run.status == 0
    assert any("імовірна причина: wide_spreads" in line for line in run.report)


def test_lines_of_the_journal_with_control_characters_are_evidence_too():
    shell(
        HOST,
        "systemd-run --wait --quiet --unit=lab-words printf 'red \\033[31mlast words\\n\\001 \\377 more\\rwords\\n'",
    )
    lines = module(HOST, "triage_info", {**LOOK, "feed_unit": "lab-words"})["probes"]["journal_feed"]["data"]["lines"]
    assert [line for line in lines if "last words" in line], lines
    assert [line for line in lines if "words" in line and "more" in line], lines
    assert not any(character in line for line in lines for character in "\x1b\x01\r")


def test_a_directory_of_ours_that_is_a_link_is_neither_read_nor_written():
    shell(HOST, "rm -rf /var/lib/aurora-runbook; install -dm 700 /root/elsewhere")
    lab.inside(HOST, "ln", "-s", "/root/elsewhere", "/var/lib/aurora-runbook")
    try:
        look = module(HOST, "triage_info", LOOK)
        changing = module(HOST, "tcp_tuning", {"state": "present"})
        assert lab.inside(HOST, "ls", "/root/elsewhere") == ""
    finally:
        shell(HOST, "rm -r /var/lib/aurora-runbook /root/elsewhere")
    assert (look["probes"]["leases"]["status"], look["failed"]) == ("failed", False)
    assert "/root/elsewhere" in look["probes"]["leases"]["problem"]
    assert changing["failed"]
    assert "/var/lib/aurora-runbook is a link" in changing["msg"]
