# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbook's rules and the route of its alerts, in the lab's Prometheus and Alertmanager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import HERE, Run, playbook, shell
from rules import promtool, rendered

pytestmark = pytest.mark.no_host
MONITOR = "monitor1"
TOKEN = "a-token-that-nobody-may-see"  # noqa: S105
ROUTE = {"aurora_webhook_url": "https://eda.example.com:5000/alerts", "aurora_webhook_token": TOKEN}
OURS = "/etc/prometheus/aurora.rules.yml /etc/prometheus/aurora-runbook*"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The monitor as the lab made it, before and after."""
    restore = f"""
    rm -f {OURS} /etc/prometheus/alertmanager.yml.*
    install -m 0644 /opt/lab/alertmanager.yml /opt/lab/prometheus.yml /etc/prometheus/
    systemctl reload prometheus prometheus-alertmanager
    """
    shell(MONITOR, restore)
    yield
    shell(MONITOR, restore)


def alerting(*flags: str, **variables: object) -> Run:
    return playbook("alerting", "-e", json.dumps({**ROUTE, **variables}), *flags)


def files() -> str:
    return shell(MONITOR, r"find /etc/prometheus -type f -printf '%p %m %g %T@\n' | sort")


def test_every_rule_fires_on_its_side_of_the_threshold_and_never_without_data(tmp_path: Path) -> None:
    promtool(rendered(tmp_path), (HERE / "all_hosts" / "aurora.rules.test.yml").read_bytes())


def test_rules_and_route_are_installed_once_and_the_token_is_seen_by_alertmanager_alone() -> None:
    first = alerting()
    assert (first.status, first.changed[MONITOR] > 0) == (0, True)
    assert TOKEN not in first.output
    assert TOKEN not in shell(MONITOR, "cat /etc/prometheus/alertmanager.yml")
    assert shell(MONITOR, "stat --format='%a %G' /etc/prometheus/aurora-runbook.token") == "640 prometheus"
    routed = "amtool config routes test --alertmanager.url=http://localhost:9093"
    assert shell(MONITOR, f"{routed} alertname=ExecLatencyP99SLA severity=P1") == "aurora-runbook,nobody"
    assert shell(MONITOR, f"{routed} alertname=AuroraMetricsMissing") == "nobody"
    before = files()
    second = alerting()
    assert (second.status, second.changed[MONITOR], files()) == (0, 0, before)


def test_check_mode_says_what_would_change_and_changes_nothing() -> None:
    before = files()
    run = alerting("--check")
    assert (run.status, run.changed[MONITOR] > 0, files()) == (0, True, before)


@pytest.mark.parametrize(
    "variables", [{"aurora_alert_for": {"circuit_breaker": "soon"}}, {"aurora_repeat_interval": "x"}]
)
def test_what_promtool_or_amtool_refuses_replaces_nothing(variables: dict) -> None:
    assert alerting().status == 0
    before = shell(MONITOR, "cat /etc/prometheus/*.yml")
    run = alerting(**variables)
    assert run.status != 0
    assert "failed to validate" in run.output
    assert shell(MONITOR, "cat /etc/prometheus/*.yml") == before


def test_rules_that_prometheus_does_not_load_are_reported_with_what_to_do() -> None:
    run = alerting(aurora_rules_file="/etc/prometheus/aurora-runbook-elsewhere.yml")
    assert run.status != 0
    assert "Name the file in rule_files of prometheus.yml" in run.output


def scrape_every(interval: str) -> None:
    """Have Prometheus scrape that often, and wait until it does."""
    shell(
        MONITOR,
        f"""
        sed -i 's/scrape_interval: .*/scrape_interval: {interval}/' /etc/prometheus/prometheus.yml
        systemctl reload prometheus
        until curl -s 'localhost:9090/api/v1/targets?state=active' | grep -q 'scrapeInterval":"{interval}'; do
            sleep 0.2
        done
        """,
    )


def test_rules_that_could_not_fire_are_not_installed_and_say_why() -> None:
    scrape_every("2m")
    before = files()
    run = alerting()
    assert (run.status != 0, "aurora1:8001 (job aurora) every 120 s" in " ".join(run.output.split())) == (True, True)
    assert files() == before


def test_the_window_of_the_breaker_has_four_scrapes() -> None:
    scrape_every("1m")
    assert alerting().status == 0
    assert "max_over_time(circuit_breaker_state{}[240s])" in shell(MONITOR, "cat /etc/prometheus/aurora.rules.yml")
