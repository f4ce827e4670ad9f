# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, rates, shares and p99 that decide about trading are wrong."""

from __future__ import annotations

import math

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _metrics
from ansible_collections.aurora.runbook.plugins.module_utils._errors import MetricsError
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

label_values = st.text(
    alphabet=st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from('"\\\n{}=,'), max_size=12
)


def page_of(denials):
    registry = CollectorRegistry()
    counter = Counter("policy_denied", "d", ["symbol", "why"], registry=registry)
    Gauge("circuit_breaker_state", "s", registry=registry).set(2)
    for (symbol, why), count in denials.items():
        counter.labels(symbol, why).inc(count)
    return generate_latest(registry).decode()


@given(st.dictionaries(st.tuples(label_values, label_values), st.floats(0, 1e12), max_size=5))
def test_reads_a_page_as_prometheus_client_does(denials):
    text = page_of(denials)
    expected = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    read = {(name, labels): v for name, series in _metrics.parse(text).series.items() for labels, v in series.items()}
    assert read == expected


@given(st.lists(st.floats(0.1, 9000), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_quantile_lies_in_the_bucket_of_the_true_one(values, q):
    registry = CollectorRegistry()
    buckets = [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000]
    histogram = Histogram("exec_latency_ms", "l", buckets=buckets, registry=registry)
    for value in values:
        histogram.observe(value)
    page = _metrics.parse(generate_latest(registry).decode())
    cumulative = {dict(labels)["le"]: v for labels, v in page.series["exec_latency_ms_bucket"].items()}
    found = _metrics.histogram_quantile(q, cumulative)
    true = sorted(values)[math.ceil(q * len(values)) - 1]
    upper = next((b for b in buckets if true <= b), math.inf)
    lower = max((b for b in buckets if b < upper), default=0)
    assert (found == 5000) if math.isinf(upper) else (lower <= found <= upper)


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({"100": 50, "200": 90, "300": 99, "+Inf": 100}, 300),  # Prometheus' own interpolation at a bucket's edge
        ({"100": 0, "200": 100, "+Inf": 100}, 199),
        ({"100": 0, "+Inf": 10}, 100),  # in the last bucket the highest finite bound is all that is known
        ({"100": 0, "+Inf": 0}, math.nan),
        ({"100": 5}, math.nan),
    ],
)
def test_quantile_as_prometheus_computes_it(buckets, expected):
    assert _metrics.histogram_quantile(0.99, buckets) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("line", ["no value", "x{a=1} 2", 'x{a="1" 2', "x 1 2 3 4", "{} 1", "x one", 'x{a="b"}'])
def test_a_page_that_is_no_text_format_is_refused_with_its_line(line):
    with pytest.raises(MetricsError, match="line 2"):
        _metrics.parse(f"a 1\n{line}\n")


def test_a_counter_never_raised_is_zero_and_a_missing_one_is_none():
    page = _metrics.parse("# TYPE policy_denied_total counter\n")
    assert page.total("policy_denied_total") == 0.0
    assert page.total("policy_considered_total") is None


def test_increases_by_label_count_new_series_from_zero():
    before, after = _metrics.parse('d{why="A"} 3'), _metrics.parse('d{why="A"} 5\nd{why="B"} 4')
    assert _metrics.increases(before, after, "d", "why") == {"A": 2.0, "B": 4.0}


@pytest.mark.parametrize("after", ["d 2", "e 9", "d NaN"])
def test_a_counter_that_fell_vanished_or_is_nan_gives_no_increase(after):
    assert _metrics.increase(_metrics.parse("d 3"), _metrics.parse(after), "d") is None


def test_the_highest_of_a_gauge_is_nan_when_any_series_is():
    assert math.isnan(_metrics.parse('s{a="1"} 0\ns{a="2"} NaN').highest("s"))
