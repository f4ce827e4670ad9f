# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages and quantiles are read as the lab's Prometheus reads them."""

from __future__ import annotations

import json
import math
from random import Random

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import MetricsError
from helpers import lab

pytestmark = pytest.mark.no_host
MONITOR = "monitor1"
LINES = [
    "s 1", " s 1", "s\t1", "s  1", "s{} 1", "s {} 1", 's{a="1"}1', 's{a="1",} 1', 's{ a = "1" , b="2" } 1',
    "s 1 1700000000000", "s 1 -5", "s +1", "s .5", "s 5.", "s 1e3", "s +Inf", "s -inf", "s nan", "s NaN", "s+1",
    r's{a="\"} \\ \n"} 1', 's{a="é"} 1', "s", "s ", "s one", "s 1_000", "s 1\r", "s 1 2 3", "s 1 x", "s{a} 1",
    "s{a=1} 1", 's{a="1"', 's{a="1} 1', 's{a="1" b="2"} 1', 's{a="1",a="2"} 1', 's{a="1",,b="2"} 1', "s{,} 1",
    "s-t 1", "1s 1", "{} 1", '{a="1"} 1', 's{1a="1"} 1', "s 1e", "s --1", "s ٣", "<html>",
]  # fmt: skip
RUN = r"""
import json, subprocess, sys
def judge(line):
    done = subprocess.run(["promtool", "check", "metrics"], input=line + "\n", text=True, capture_output=True)
    return done.returncode
print(json.dumps([judge(line) for line in json.load(sys.stdin)]))
"""


def refused(line: str) -> bool:
    try:
        return "s" in _metrics.parse(f"{line}\n# TYPE other gauge\n").broken or not _metrics.parse(f"{line}\n").series
    except MetricsError:
        return True


def test_a_line_is_refused_where_prometheus_refuses_it():
    """Status 1 is a line that it cannot read, 3 is a name or a help text that it would like better."""
    judged = json.loads(lab.inside(MONITOR, "python3", "-c", RUN, input=json.dumps(LINES).encode()))
    assert {line: refused(line) for line in LINES} == {line: status == 1 for line, status in zip(LINES, judged)}


def test_quantiles_are_those_of_prometheus():
    """Bounds in several notations are among them; Prometheus adds the counts of one bound."""
    random = Random(12)
    bounds = ["-5", "0", "1", "5.0", "5", "100", "100.0", "1e2", "300", "300.0", "1000"]
    series, tests = [], []
    for number in range(60):
        sizes = {}
        for bound in [*random.sample(bounds, random.randint(1, 8)), "+Inf"]:
            sizes.setdefault(float(bound), []).append(bound)
        counts = {}
        for count, bound in zip(sorted(random.choices(range(100), k=len(sizes))), sorted(sizes)):
            counts.update(dict.fromkeys(sizes[bound], count))
        longest = max(map(len, sizes.values()))
        for written in sizes.values():  # as many counts of each bound, so that their sums rise too
            counts[written[0]] *= 1 + longest - len(written)
        q = random.choice([0.5, 0.9, 0.99])
        found = _metrics.histogram_quantile(q, counts)
        series += [{"series": f'h{number}_bucket{{le="{le}"}}', "values": str(count)} for le, count in counts.items()]
        samples = [] if math.isnan(found) else [{"value": round(found, 6), "labels": "{}"}]
        expression = f"histogram_quantile({q}, h{number}_bucket)"
        # What is no number is not equal to itself.
        expression = f"round({expression} * 1e6) / 1e6 and {expression} == {expression}"
        tests.append({"expr": expression, "eval_time": "0m", "exp_samples": samples})
    assert sum(bool(test["exp_samples"]) for test in tests) > 40
    asked = json.dumps({"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": tests}]})
    judge = "cat >/tmp/quantiles.yml; promtool test rules /tmp/quantiles.yml"
    assert "SUCCESS" in lab.inside(MONITOR, "sh", "-c", judge, input=asked.encode())
