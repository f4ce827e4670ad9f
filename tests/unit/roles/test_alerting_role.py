# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert fires at another limit than triage knows, is not sent on, or starts nothing."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _options
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert

ROLE = Path(__file__).resolve().parents[3] / "roles" / "alerting"
RULES = (ROLE / "templates" / "aurora.rules.yml.j2").read_text(encoding="utf-8")


def test_the_alerts_that_are_sent_on_are_those_that_fire_and_start_something():
    sent = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__alerting_alerts"]
    assert sorted(sent) == sorted(_alert.INCIDENTS)
    assert set(re.findall(r"- alert: (\w+)", RULES)) - {"AuroraMetricsMissing"} == set(sent)


def test_alerts_fire_at_the_limits_of_triage():
    limits = re.findall(r"aurora_thresholds\.(\w+) \| default\(([\d.]+)\)", RULES)
    assert {name: float(limit) for name, limit in limits} == {
        name: indicator.threshold for name, indicator in _indicators.INDICATORS.items()
    }


def test_the_cooldown_outlasts_every_window_with_its_for():
    """Otherwise the alert of what is cured already starts the same action again."""
    indicators = _indicators.INDICATORS.values()
    minutes = [i.over_seconds / 60 for i in indicators if i.over and i.incident in _indicators.INCIDENTS]
    held = [int(text) for text in re.findall(r"aurora_alert_for\.\w+ \| default\('(\d+)m'\)", RULES)]
    assert (len(minutes) >= 3, len(held) >= 3) == (True, True)
    assert 60 * (max(minutes) + max(held)) < _options.INCIDENT["cooldown_seconds"]["default"]
    defaults = (ROLE.parent / "incident" / "defaults" / "main.yml").read_text(encoding="utf-8")
    assert "aurora_cooldown_seconds: 1500\n" in defaults
