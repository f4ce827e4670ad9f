# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, PromQL about a host finds none of its series, or those of another host."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes
from rules import promtool, rendered
from test_alertmanager_silence import HOST, MEANT, NOT_MEANT

pytestmark = pytest.mark.no_host


def test_prometheus_finds_the_series_of_a_host_however_its_label_writes_it_and_no_others(tmp_path: Path) -> None:
    at = _probes.instance_matcher([HOST, "silence-a", "2001:db8::5", "fe80::4%ens3", "10.0.0.5"])
    other = _probes.instance_matcher("Aurora A (Kyiv)", "site_host")
    series = [{"series": f'up{{instance="{instance}"}}', "values": "1x5"} for instance in [*MEANT, *NOT_MEANT]]
    series.append({"series": 'up{instance="x",site_host="aurora a (kyiv)"}', "values": "1x5"})
    sharp = [
        {
            "expr": f"up{{{at}}}",
            "eval_time": "1m",
            "exp_samples": [{"labels": f'up{{instance="{instance}"}}', "value": 1} for instance in MEANT],
        },
        {"expr": f"count(up{{{other}}})", "eval_time": "1m", "exp_samples": [{"labels": "{}", "value": 1}]},
    ]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": sharp}
    promtool(rendered(tmp_path), yaml.safe_dump({"rule_files": [], "tests": [test]}).encode())
