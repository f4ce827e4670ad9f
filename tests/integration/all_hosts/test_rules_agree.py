# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert fires for what a look calls healthy, or the other way round.

One table of what Prometheus has scraped, and real promtool as the judge of two families of expressions on it: the rules
as the role installs them, and what triage asks about a host. Where two scrapes of the same pages know the answer, it is
that one too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert
from rules import promtool, rendered

pytestmark = pytest.mark.no_host
LENGTH, MINUTES = 110, 100
A, B = "aurora1", "aurora2"
ZERO = f"0x{LENGTH}"
FAMILIES = (
    "sse_events_attempted_total", "sse_events_sent_total", "sse_reconnects_total", "policy_considered_total",
    "policy_denied_total", "risk_cvar_breach_total", "exec_latency_ms",
)  # fmt: skip
LATENCY = {"200": 90, "300": 99, "500": 100, "+Inf": 100}
X, Y = 'policy_denied_total{symbol="BTC",why="X"}', 'policy_denied_total{symbol="ETH",why="Y"}'
CVAR = 'risk_cvar_breach_total{symbol="BTC"}'
RUNS_ON = f"0+20x{LENGTH}"
Pages = Mapping[str, Mapping[str, str]]


def buckets(counts: Mapping[str, int]) -> dict[str, str]:
    named = {f'exec_latency_ms_bucket{{le="{le}"}}': f"0+{count}x{LENGTH}" for le, count in counts.items()}
    return {**named, "exec_latency_ms_count": f"0+{counts['+Inf']}x{LENGTH}"}


def page(**used: str) -> dict[str, str]:
    """A page of the real exporter: every family, and no series of a labelled counter before its first event."""
    unused = dict.fromkeys((*FAMILIES[:4], "sse_clients_connected", "circuit_breaker_state", "calibration_ece"), ZERO)
    return {**unused, **buckets(dict.fromkeys(LATENCY, 0)), **used}


def runner(series: Mapping[str, str] | None = None, **used: str) -> dict[str, str]:
    well = page(policy_considered_total=RUNS_ON, calibration_ece=f"0.02x{LENGTH}")
    return {**well, **buckets({"200": 100, "300": 100, "500": 100, "+Inf": 100}), **used, **(series or {})}


def feed(**used: str) -> dict[str, str]:
    events = dict.fromkeys(("sse_events_attempted_total", "sse_events_sent_total"), f"0+1000x{LENGTH}")
    return page(**{**events, "sse_clients_connected": f"3x{LENGTH}", **used})


def host(name: str, runners: Mapping[str, str] | None = None, feeds: Mapping[str, str] | None = None) -> Pages:
    return {f"{name}:9000": runners or runner(), f"{name}:8001": feeds or feed()}


def ended(series: Mapping[str, str], minute: int) -> dict[str, str]:
    """The same page, not scraped any more from a minute on."""
    return {name: f"{values.rpartition('x')[0]}x{minute} stale" for name, values in series.items()}


@dataclass(frozen=True)
class Row:
    """What was scraped ``every`` s, what a look reads of aurora1 after MINUTES, and which alerts fire on which page."""

    name: str
    pages: Pages
    reads: Mapping[str, float | None]
    fires: tuple[tuple[str, str], ...] = ()
    every: int = 60


def fires(incident: str, instance: str = f"{A}:9000") -> tuple[tuple[str, str], ...]:
    return ((_indicators.INDICATORS[incident].alert, instance),)


def denies(name: str, series: Mapping[str, str], share: float | None, *, alert: bool) -> Row:
    return Row(name, host(A, runner(series)), {"policy_deny_rate": share}, fires("policy_deny_rate") if alert else ())


def breaks(name: str, series: Mapping[str, str], risen: float | None, *, alert: bool) -> Row:
    return Row(name, host(A, runner(series)), {"cvar_breach": risen}, fires("cvar_breach") if alert else ())


def serves(name: str, sent: int, share: float, *, alert: bool) -> Row:
    events = {"sse_events_attempted_total": f"0+100000x{LENGTH}", "sse_events_sent_total": f"0+{sent}x{LENGTH}"}
    fired = fires("sse_availability", f"{A}:8001") if alert else ()
    return Row(name, host(A, feeds=feed(**events)), {"sse_availability": share}, fired)


def without(series: Mapping[str, str], *families: str) -> dict[str, str]:
    return {name: values for name, values in series.items() if not name.startswith(families)}


def reconnects(name: str, values: str, rate: float | None, *, alert: bool, every: int = 60) -> Row:
    fired = fires("reconnects", f"{A}:8001") if alert else ()
    return Row(name, host(A, feeds=feed(sse_reconnects_total=values)), {"reconnects": rate}, fired, every)


RESTARTED = {"policy_considered_total": f"0+20x60 0+20x{LENGTH}"}
ROWS = [
    Row(
        "all is well, and nothing was denied since the start",
        host(A),
        {
            "sse_availability": 1.0,
            "circuit_breaker": 0.0,
            "execution_latency": 198.0,
            "policy_deny_rate": 0.0,
            "calibration_ece": 0.02,
            "cvar_breach": 0.0,
            "reconnects": 0.0,
        },
    ),
    breaks("the first breach ever", {CVAR: "_x70 1x39"}, 1.0, alert=True),
    breaks(
        "the first breach of another symbol",
        {CVAR: f"5x{LENGTH}", CVAR.replace("BTC", "ETH"): "_x70 1x39"},
        1.0,
        alert=True,
    ),
    breaks("a breach of long ago", {CVAR: f"_x10 3x{LENGTH}"}, 0.0, alert=False),
    breaks("one more breach", {CVAR: "7x70 8x39"}, 1.0, alert=True),
    breaks("one more breach, and a restart since", {**RESTARTED, CVAR: "7x50 8x9 stale _x50"}, 1.0, alert=True),
    breaks("a restart alone", {**RESTARTED, CVAR: "7x59 stale _x50"}, 0.0, alert=False),
    breaks("the first breach after a restart", {**RESTARTED, CVAR: "1x59 stale _x19 1x30"}, 1.0, alert=True),
    Row(
        "breaches before Prometheus knew the host",
        host(A, {name: f"_x70 {values}" for name, values in runner({CVAR: f"7x{LENGTH}"}).items()}),
        {"cvar_breach": 0.0},
    ),
    Row(
        "a breach in a gap",
        host(
            A,
            {
                n: (f"{v.partition('x')[0]}x40 _x40 {v}" if "+" not in v else v)
                for n, v in runner({CVAR: "7x40 _x40 8x29"}).items()
                if n != CVAR
            }
            | {CVAR: "7x40 _x40 8x29"},
        ),
        {"cvar_breach": 1.0},
        fires("cvar_breach"),
    ),
    Row(
        "nobody knows of breaches",
        host(A, without(runner(), "circuit_breaker_state"), without(feed(), "circuit_breaker_state")),
        {"cvar_breach": None},
    ),
    denies("34.9 % denied", {X: f"0+349x{LENGTH}", "policy_considered_total": f"0+1000x{LENGTH}"}, 0.349, alert=False),
    denies("35 % denied, the limit", {X: f"3+7x{LENGTH}"}, 0.35, alert=False),
    denies("35.1 % denied", {X: f"0+351x{LENGTH}", "policy_considered_total": f"0+1000x{LENGTH}"}, 0.351, alert=True),
    denies("40 % denied in all", {X: f"0+5x{LENGTH}", Y: f"0+3x{LENGTH}"}, 0.4, alert=True),
    denies(
        "the first denials ever, of all decisions of the last while",
        {"policy_considered_total": "100x90 160x19", X: "_x90 40x19"},
        0.666666667,
        alert=True,
    ),
    denies(
        "the first denials of a code",
        {"policy_considered_total": "100x90 200x19", X: f"9x{LENGTH}", Y: "_x90 60x19"},
        0.6,
        alert=True,
    ),
    denies(
        "a restart, and half denied since",
        {"policy_considered_total": f"0+20x90 0+20x{LENGTH}", X: f"0+10x90 0+10x{LENGTH}"},
        0.5,
        alert=True,
    ),
    denies("nothing considered", {"policy_considered_total": f"100x{LENGTH}"}, None, alert=False),
    Row(
        "no count of decisions",
        host(A, without(runner(), "policy_considered"), without(feed(), "policy_considered")),
        {"policy_deny_rate": None},
    ),
    Row(
        "the feed counts decisions too, and denies none",
        host(A, runner({X: f"0+10x{LENGTH}"}), feed(policy_considered_total=f"0+100x{LENGTH}")),
        {"policy_deny_rate": 0.5},
        fires("policy_deny_rate"),
    ),
    Row(
        "of two hosts the other is bad",
        {**host(A), **host(B, runner({X: f"0+10x{LENGTH}"}, circuit_breaker_state=f"2x{LENGTH}"))},
        {"policy_deny_rate": 0.0, "circuit_breaker": 0.0},
        fires("policy_deny_rate", f"{B}:9000") + fires("circuit_breaker", f"{B}:9000"),
    ),
    serves("99.9 % served, the limit", 99900, 0.999, alert=False),
    serves("99.896 % served", 99896, 0.99896, alert=True),
    serves("99.91 % served", 99910, 0.9991, alert=False),
    Row("p99 at its limit", host(A, runner(buckets(LATENCY))), {"execution_latency": 300.0}),
    Row(
        "p99 beyond it",
        host(A, runner(buckets({**LATENCY, "300": 98}))),
        {"execution_latency": 400.0},
        fires("execution_latency"),
    ),
    Row(
        "an open breaker, beside the feed's 0",
        host(A, runner(circuit_breaker_state=f"2x{LENGTH}")),
        {"circuit_breaker": 2.0},
        fires("circuit_breaker"),
    ),
    Row(
        "a calibration error beside the feed's 0",
        host(A, runner(calibration_ece=f"0.07x{LENGTH}")),
        {"calibration_ece": 0.07},
        fires("calibration_ece"),
    ),
    Row(
        "a calibration error at its limit", host(A, runner(calibration_ece=f"0.05x{LENGTH}")), {"calibration_ece": 0.05}
    ),
    Row(
        "a calibration error that is NaN",
        host(A, runner(calibration_ece=" ".join(["NaN"] * LENGTH)), without(feed(), "calibration")),
        {"calibration_ece": None},
    ),
    reconnects("40 reconnects a minute, scraped every minute", f"0+40x{LENGTH}", 40.0, alert=True),
    reconnects("40 reconnects a minute, scraped every 15 s", f"0+10x{LENGTH}", 40.0, alert=True, every=15),
    reconnects("5 reconnects a minute, the limit", f"0+5x{LENGTH}", 5.0, alert=False),
    Row(
        "a runner that stopped",
        host(A, ended(runner(circuit_breaker_state=f"2x{LENGTH}"), 80)),
        {"sse_availability": 1.0},
        (("AuroraMetricsMissing", f"{A}:9000"),),
    ),
    Row(
        "a feed that stopped",
        host(A, feeds=ended(feed(), 80)),
        {"policy_deny_rate": 0.0},
        fires("sse_availability", f"{A}:8001"),
    ),
    Row(
        "a page without clients that stopped",
        host(A, feeds=ended(page(), 80)),
        {"policy_deny_rate": 0.0},
        (("AuroraMetricsMissing", f"{A}:8001"),),
    ),
]


def series_of(row: Row) -> Iterator[dict[str, str]]:
    for instance, series in row.pages.items():
        for name, values in series.items():
            family, _brace, labels = name.rstrip("}").partition("{")
            label = f'instance="{instance}"' + (f",{labels}" if labels else "")
            yield {"series": f"{family}{{{label}}}", "values": values}


def as_test(row: Row) -> dict:
    at = _probes.instance_matcher(A)
    minutes = MINUTES * row.every // 60
    sharp = [
        # NaN is not equal to itself, and promtool's expectations cannot hold it.
        {
            "expr": f"({worst}) == ({worst})",
            "eval_time": f"{minutes}m",
            "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
        }
        for incident, value in row.reads.items()
        for worst in (_indicators.INDICATORS[incident].worst(at),)
    ]
    alerts = [{"labels": f'{{alertname="{alert}",instance="{on}"}}', "value": 1} for alert, on in row.fires]
    firing = 'group by (alertname, instance) (ALERTS{alertstate="firing"})'
    sharp.append({"expr": firing, "eval_time": f"{minutes}m", "exp_samples": alerts})
    return {
        "name": row.name,
        "interval": f"{row.every}s",
        "input_series": list(series_of(row)),
        "promql_expr_test": sharp,
    }


def test_rules_and_look_say_the_same_of_everything_that_prometheus_scraped(tmp_path: Path) -> None:
    tests = {"rule_files": ["aurora.rules.yml"], "evaluation_interval": "30s", "tests": list(map(as_test, ROWS))}
    promtool(rendered(tmp_path), yaml.safe_dump(tests, sort_keys=False).encode())


def test_a_course_has_a_gap_where_its_service_was_not_scraped(tmp_path: Path) -> None:
    """Otherwise a post-mortem goes on with old windows, or with the 0 of the other service's page."""
    at, count = _probes.instance_matcher(A), "stale _x19 0+20x20 _x40"
    runs = runner(
        {X: f"0+8x20 {count.replace('+20', '+8')}"},
        policy_considered_total=f"0+20x20 {count}",
        circuit_breaker_state="2x20 stale _x19 2x20 _x40",
    )
    known = {20: (2, 0.4), 21: (None, None), 30: (None, None), 43: (2, 0.4), 60: (2, 0.4), 64: (None, None)}
    sharp = [
        {
            "expr": _indicators.INDICATORS[incident].course(at),
            "eval_time": f"{minute}m",
            "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
        }
        for minute, values in known.items()
        for incident, value in zip(("circuit_breaker", "policy_deny_rate"), values)
    ]
    series = list(series_of(Row("", host(A, runs), {})))
    test = {"interval": "1m", "input_series": series, "promql_expr_test": sharp}
    promtool(rendered(tmp_path), yaml.safe_dump({"rule_files": [], "tests": [test]}).encode())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_the_table_reads_is_what_it_says_fires(row: Row) -> None:
    """A row of which the look says less than the alert is none of agreement; the page that alone went is told apart."""
    fired = {_alert.INCIDENTS.get(alert) for alert, on in row.fires if on.startswith(f"{A}:")}
    for incident, value in row.reads.items():
        if value is not None:
            assert _indicators.INDICATORS[incident].breached(value) is (incident in fired), incident


def expanded(values: str) -> list[str | None]:
    """What promtool makes of its notation, a value a scrape; None where there is no sample."""
    found: list[str | None] = []
    for part in values.split():
        start, step, count = re.fullmatch(r"(.+?)(?:\+(\d+))?(?:x(\d+))?", part).groups()
        times = range(int(count or 0) + (1 if start != "_" or not count else 0))
        none = start in ("_", "stale")
        found += [None if none else f"{float(start) + int(step or 0) * n:.17g}" if step else start for n in times]
    return found


def scraped(series: Mapping[str, str], scrape: int) -> _metrics.Page | None:
    declared = [f"# TYPE {family} counter" for family in FAMILIES if any(name.startswith(family) for name in series)]
    declared += [f"# TYPE {family} counter" for family in ("policy_denied_total", "risk_cvar_breach_total")]
    lines = [f"{n} {read[scrape]}" for n, v in series.items() if scrape < len(read := expanded(v)) and read[scrape]]
    return _metrics.parse("\n".join([*declared, *lines, ""])) if lines else None


def windowed() -> Iterator[tuple[Row, str]]:
    for row in ROWS:
        for incident in row.reads:
            if _indicators.INDICATORS[incident].over:
                yield row, incident


@pytest.mark.parametrize(("row", "incident"), list(windowed()), ids=lambda each: getattr(each, "name", each))
def test_two_scrapes_say_the_same_where_they_know(row: Row, incident: str) -> None:
    indicator = _indicators.INDICATORS[incident]
    series = row.pages[f"{A}:9000" if indicator.service == "runner" else f"{A}:8001"]
    first = MINUTES - round(indicator.over_seconds / row.every)
    before, after = scraped(series, first), scraped(series, MINUTES)
    if after is None:
        pytest.skip("it was not scraped any more")
    seen = _indicators.measure(replace(indicator, min_count=1), before, after, indicator.over_seconds)
    if seen.value is not None and row.reads[incident] is not None:
        assert indicator.breached(seen.value) is indicator.breached(row.reads[incident])
        if incident != "reconnects":
            assert seen.value == pytest.approx(row.reads[incident], rel=0.02)
